"""Reads of visits: mine, and those with children of my household."""

from django.db.models import Prefetch, Q, QuerySet

from hub.booking.services import may_change
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace
from hub.members.models import Guardian, Member
from hub.spaces.access import Action, allowed
from hub.spaces.models import Visit


def with_places(rows: QuerySet[Visit]) -> QuerySet[Visit]:
    """Visits with all that a card shows, in two queries."""
    places = CarePlace.objects.filter(status=PlaceStatus.BOOKED).select_related("child").order_by("pk")
    return rows.select_related("hub", "seat__zone", "member").prefetch_related(
        Prefetch("care_places", queryset=places, to_attr="booked_places")
    )


def visits_seen_by(member: Member) -> QuerySet[Visit]:
    """Visits of ``member``, and those in which a child of her household has a place (design 1)."""
    shared = CarePlace.objects.filter(
        status=PlaceStatus.BOOKED, child__household__guardians__member=member
    ).values("visit_id")
    return Visit.objects.filter(Q(member=member) | Q(pk__in=shared))


def households_of(member: Member) -> set[int]:
    return set(Guardian.objects.filter(member=member).values_list("household_id", flat=True))


def visit_for(member: Member, code: str) -> Visit | None:
    """The visit of this code, if ``member`` may see it: her own, with a child of hers, or as staff of the hub."""
    visit = with_places(Visit.objects.filter(code=code)).first()
    if visit is None:
        return None
    if may_change(member, visit) or allowed(member, Action.SEE_DAY, visit.hub):
        return visit
    return visit if visits_seen_by(member).filter(pk=visit.pk).exists() else None
