"""Reads of people and households."""

from django.db.models import Prefetch, QuerySet

from hub.core import clock
from hub.members.models import ApiToken, Guardian, Household, HouseholdInvitation, Member, PickupAdult


def members() -> QuerySet[Member]:
    """Everybody with an account that was not erased."""
    return Member.objects.filter(is_active=True, erased_at__isnull=True)


def member_by_email(email: str) -> Member | None:
    """The active member with this address, upper or lower case."""
    return members().filter(email=email.strip().lower()).first()


def households_of(member: Member) -> QuerySet[Household]:
    """Households that ``member`` guards, the oldest first."""
    return Household.objects.filter(guardians__member=member).order_by("guardians__created_at", "pk")


def household_for(member: Member, code: str) -> Household | None:
    """The household of this code, if ``member`` guards it; None for strangers (their page says 404)."""
    return households_of(member).filter(code=code).first()


def guardians_of(household: Household) -> QuerySet[Guardian]:
    """Guardians with their members, in the order in which they joined."""
    return household.guardians.select_related("member").order_by("created_at", "pk")


def households_with_people(member: Member) -> QuerySet[Household]:
    """`households_of` with guardians, pick-up adults and the open invitation read in three queries."""
    now = clock.machine_now()
    open_ones = HouseholdInvitation.objects.filter(used_at=None, revoked_at=None, expires_at__gt=now)
    return households_of(member).prefetch_related(
        Prefetch("guardians", Guardian.objects.select_related("member").order_by("created_at", "pk")),
        Prefetch("pickup_adults", PickupAdult.objects.filter(ended_at=None).order_by("kana", "pk")),
        Prefetch("invitations", open_ones, to_attr="open_invitations"),
    )


def tokens_of(member: Member) -> QuerySet[ApiToken]:
    """The member's API tokens that still work, the newest first."""
    return member.api_tokens.filter(revoked_at=None).order_by("-created_at", "-pk")
