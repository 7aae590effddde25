"""Reads of visits: mine, and those with children of my household."""

from django.db.models import Prefetch, Q, QuerySet

from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace
from hub.members.models import Guardian, Member
from hub.spaces.models import Visit


def with_places(rows: QuerySet[Visit]) -> QuerySet[Visit]:
    """Visits with all that a card shows, in two queries."""
    places = CarePlace.objects.filter(status=PlaceStatus.BOOKED).select_related("child").order_by("pk")
    return rows.select_related(
        "hub", "seat__zone", "member", "series_date__series", "excuse"
    ).prefetch_related(Prefetch("care_places", queryset=places, to_attr="booked_places"))


def visits_seen_by(member: Member) -> QuerySet[Visit]:
    """Visits of ``member``, and those in which a child of her household has a place (design 1)."""
    shared = CarePlace.objects.filter(
        status=PlaceStatus.BOOKED, child__household__guardians__member=member
    ).values("visit_id")
    return Visit.objects.filter(Q(member=member) | Q(pk__in=shared))


def households_of(member: Member) -> set[int]:
    return set(Guardian.objects.filter(member=member).values_list("household_id", flat=True))
