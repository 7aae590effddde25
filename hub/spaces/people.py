"""Who has which role at a hub: invite, grant, end, block. Every change keeps who made it and when.

Blocking with its visits is a use case of `booking.blocks`, because it frees places.
"""

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Replace
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hub.core import clock, links, live, tasks
from hub.core.db import require_transaction, run_write
from hub.core.errors import DomainError
from hub.core.forms import nfkc
from hub.members import factors
from hub.members.models import Member
from hub.members.queries import member_by_email
from hub.members.services import furigana
from hub.spaces import facts, mail
from hub.spaces.enums import STAFF_ROLES, MembershipStatus, Role
from hub.spaces.models import Hub, Membership, RoleInvitation, Visit

log = structlog.get_logger(__name__)
MAX_REASON = 200


# ---------------------------------------------------------------- reads


def people_of(hub: Hub, query: str = "") -> QuerySet[Member]:
    """Members who belong to ``hub`` or ever had a visit there, by furigana. ``query`` fits name, furigana or e-mail.

    Widths, spaces and katakana do not matter: 「ヤマダ」 and 「やまだみさき」 find やまだ みさき.
    """
    here = Exists(Membership.objects.filter(member=OuterRef("pk"), hub=hub))
    came = Exists(Visit.objects.filter(member=OuterRef("pk"), hub=hub))
    rows = Member.objects.filter(is_active=True, erased_at__isnull=True).filter(here | came)
    for term in nfkc(query).split():
        rows = rows.alias(
            flat_name=Replace("name", Value(" "), Value("")), flat_kana=Replace("kana", Value(" "), Value(""))
        ).filter(
            Q(flat_name__icontains=term) | Q(flat_kana__icontains=furigana(term)) | Q(email__icontains=term)
        )
    return rows.order_by("kana", "name", "pk")


def person_of(hub: Hub, code: str) -> Member | None:
    """The member of this code, if she is one of the hub's people."""
    return people_of(hub).filter(code=code).first()


def open_invitations(hub: Hub) -> QuerySet[RoleInvitation]:
    """Roles that wait for somebody to sign up, the newest first."""
    return RoleInvitation.objects.filter(hub=hub, accepted_at=None).order_by("-created_at", "-pk")


# ---------------------------------------------------------------- roles


def _check_staff_role(role: str) -> None:
    if role not in STAFF_ROLES:
        raise DomainError("role_unknown", _("役わりを えらんでください"), 422)


def grant(*, actor: Member, hub: Hub, member: Member, role: str) -> Membership:
    """Give ``member`` a staff role at ``hub``; one that ended begins again. Raises `DomainError` ``role_held`` (409)."""
    _check_staff_role(role)
    return run_write(lambda: _grant(actor, hub, member, role))


def _grant(actor: Member, hub: Hub, member: Member, role: str) -> Membership:
    require_transaction()
    now = clock.now()
    row, created = Membership.objects.select_for_update().get_or_create(
        member=member, hub=hub, role=role, defaults={"since": now, "changed_at": now, "changed_by": actor}
    )
    if not created:
        if row.status == MembershipStatus.ACTIVE:
            raise DomainError("role_held", _("この人には もう その役わりが あります。"))
        row.status, row.reason, row.since = MembershipStatus.ACTIVE, "", now
        row.changed_at, row.changed_by = now, actor
        row.save()
    mail.tell_role(row)
    return row


def end_role(*, actor: Member, hub: Hub, member: Member, role: str) -> None:
    """End a staff role. Raises `DomainError` ``role_unknown`` (404), ``last_manager`` (409)."""
    _check_staff_role(role)

    def work() -> None:
        facts.take(hub)  # two managers who end each other's role at once: one after the other
        rows = Membership.objects.filter(hub=hub, role=role, status=MembershipStatus.ACTIVE)
        row = rows.filter(member=member).first()
        if row is None:
            raise DomainError("role_unknown", _("この人には その役わりが ありません。"), 404)
        others = rows.exclude(member=member).filter(member__is_active=True, member__erased_at__isnull=True)
        if role == Role.MANAGER and not others.exists():
            raise DomainError(
                "last_manager",
                _(
                    "ハブ責任者が いなくなるので、終わりに できません。先に ほかの人を 責任者に してください。"
                ),
            )
        row.status, row.changed_at, row.changed_by = MembershipStatus.ENDED, clock.now(), actor
        row.save(update_fields=["status", "changed_at", "changed_by"])
        live.recheck(member.code)

    run_write(work)


def set_blocked(*, actor: Member, hub: Hub, member: Member, blocked: bool, reason: str = "") -> Membership:
    """Stop or allow again booking by ``member`` at ``hub``; inside the caller's transaction.

    Staff roles are left as they are. Raises `DomainError` ``reason_missing`` (422).
    """
    require_transaction()
    reason = nfkc(reason)[:MAX_REASON]
    if blocked and not reason:
        raise DomainError("reason_missing", _("止める わけを 書いてください。本人にも 見えます。"), 422)
    now = clock.now()
    row, _created = Membership.objects.select_for_update().get_or_create(
        member=member, hub=hub, role=Role.WORKER, defaults={"since": now, "changed_at": now}
    )
    row.status = MembershipStatus.BLOCKED if blocked else MembershipStatus.ACTIVE
    row.reason = reason if blocked else ""
    row.changed_at, row.changed_by = now, actor
    row.save(update_fields=["status", "reason", "changed_at", "changed_by"])
    live.recheck(member.code)
    return row


# ---------------------------------------------------------------- second factors


def why_no_reset(*, actor: Member, hub: Hub, member: Member) -> DomainError | None:
    """What forbids ``actor`` to take away the second factors of ``member``, or None.

    Not one's own: that would be a way round the factor. Not of somebody who works only at another hub, nor of whoever
    runs the server: this hub's manager cannot know whom she has before her.
    """
    if actor.pk == member.pk:
        return DomainError(
            "own_factors", _("自分の ものは ここでは 消せません。わたしの 画面で 変えてください。")
        )
    if member.is_staff and not actor.is_staff:
        return DomainError("not_yours", _("サーバーの 担当の人です。サーバーの 担当に たのんでください。"))
    staff = Membership.objects.filter(member=member, role__in=STAFF_ROLES, status=MembershipStatus.ACTIVE)
    hubs = set(staff.values_list("hub_id", flat=True))
    if hubs and hub.pk not in hubs:
        return DomainError(
            "not_yours", _("ほかの ハブの スタッフです。そのハブの 責任者に たのんでください。")
        )
    if not factors.has_factor(member):
        return DomainError("no_factor", _("パスキーも 認証アプリも ありません。メールの 番号で 入れます。"))
    return None


def reset_factors(*, actor: Member, hub: Hub, member: Member) -> None:
    """Somebody lost her phone and stands before the manager: her factors go and all her sessions end.

    She signs in by the code of her mail and sets new ones up; a notice tells her. Raises `DomainError` ``own_factors``,
    ``not_yours``, ``no_factor`` (409).
    """

    def work() -> int:
        refusal = why_no_reset(actor=actor, hub=hub, member=member)
        if refusal is not None:
            raise refusal
        count = factors.take_away_all(member)
        mail.tell_factors_reset(member, hub=hub, by=actor)
        return count

    count = run_write(work)
    log.warning("second_factors_reset", hub=hub.slug, member=member.code, by=actor.code, count=count)


# ---------------------------------------------------------------- invitations


def invite(*, actor: Member, hub: Hub, email: str, role: str) -> Membership | RoleInvitation:
    """Give a staff role to an address: at once to a member, otherwise when that address signs up.

    Raises `DomainError` ``role_held`` (409). An invitation sent before is sent again.
    """
    _check_staff_role(role)
    address = Member.objects.normalize(email) or ""

    def work() -> Membership | RoleInvitation:
        known = member_by_email(address)
        if known is not None:
            return _grant(actor, hub, known, role)
        row, created = RoleInvitation.objects.get_or_create(
            hub=hub, email=address, role=role, defaults={"invited_by": actor, "created_at": clock.now()}
        )
        if not created:
            row.invited_by, row.created_at, row.accepted_at = actor, clock.now(), None
            row.save(update_fields=["invited_by", "created_at", "accepted_at"])
        tasks.enqueue("hub.spaces.people.mail_invitation", invitation=row.code)
        return row

    return run_write(work)


def withdraw_invitation(*, hub: Hub, code: str) -> bool:
    """Take an open invitation back. False if there is none of this code at ``hub``."""
    return run_write(lambda: open_invitations(hub).filter(code=code).delete()[0]) == 1


def mail_invitation(invitation: str) -> None:
    """Tell an address that a role waits for it. In Japanese and English: its language is not known yet."""
    row = RoleInvitation.objects.select_related("hub").filter(code=invitation, accepted_at=None).first()
    if row is None:
        return
    parts = []
    for language in ("ja", "en"):
        with translation.override(language):
            parts.append(
                gettext(
                    "%(hub)sから、「%(role)s」の 役わりの 招待です。\n"
                    "この メールアドレスで 登録すると、役わりが つきます。\n%(url)s\n"
                    "心あたりが ないときは、この メールを 消してください。電話 %(phone)s"
                )
                % {
                    "hub": mail.hub_name(row.hub, language), "role": Role(row.role).label, "phone": row.hub.phone,
                    "url": links.absolute("account_signup", language=language),
                }
            )  # fmt: skip
    subject = f"{row.hub.name}: {Role(row.role).label} | {settings.PRODUCT_NAME}"
    EmailMessage(subject, "\n\n".join(parts) + "\n", settings.DEFAULT_FROM_EMAIL, [row.email]).send()
