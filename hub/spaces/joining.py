"""How a person belongs to hubs: the worker row of the home hub, and roles that waited for her address."""

from django.db.models import QuerySet

from hub.core import clock
from hub.core.db import require_transaction
from hub.members.models import Member
from hub.spaces.enums import MembershipStatus, Role
from hub.spaces.models import Hub, Membership, RoleInvitation


def open_hubs() -> QuerySet[Hub]:
    """Hubs that a person can choose as her home."""
    return Hub.objects.filter(is_open=True).order_by("pk")


def home_of(member: Member) -> Membership | None:
    """The worker row of the member's home hub, with its hub."""
    return Membership.objects.select_related("hub").filter(member=member, is_home=True).first()


def join_home(member: Member, hub: Hub) -> Membership:
    """Make ``hub`` the member's home, as an active worker (design 1). Inside the caller's transaction.

    A worker row that the hub blocked stays blocked.
    """
    require_transaction()
    now = clock.now()
    Membership.objects.filter(member=member, is_home=True).exclude(hub=hub, role=Role.WORKER).update(
        is_home=False
    )
    row, created = Membership.objects.get_or_create(
        member=member, hub=hub, role=Role.WORKER, defaults={"is_home": True, "since": now, "changed_at": now}
    )
    if not created:
        row.is_home = True
        if row.status == MembershipStatus.ENDED:
            row.status, row.reason, row.changed_at = MembershipStatus.ACTIVE, "", now
        row.save(update_fields=["is_home", "status", "reason", "changed_at"])
    return row


def accept_role_invitations(member: Member) -> int:
    """Grant the roles that waited for the member's verified address; returns how many. Inside a transaction."""
    require_transaction()
    if not member.email:
        return 0
    now = clock.now()
    waiting = list(RoleInvitation.objects.filter(email=member.email, accepted_at=None).select_related("hub"))
    for invitation in waiting:
        Membership.objects.get_or_create(
            member=member,
            hub=invitation.hub,
            role=invitation.role,
            defaults={"since": now, "changed_at": now, "changed_by_id": invitation.invited_by_id},
        )
        invitation.accepted_at = now
        invitation.save(update_fields=["accepted_at"])
    return len(waiting)
