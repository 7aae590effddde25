"""Who is inside, for machines: an evacuation board or a caller's own screen. Mounted by `hub.urls`."""

from datetime import datetime
from itertools import chain
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema

from hub.api import REFUSALS, Problem
from hub.checkin.queries import InsideAdult, inside_of
from hub.core.errors import DomainError
from hub.spaces.access import Action, allowed, is_staff_at
from hub.spaces.models import Hub

router = Router()


class InsideAdultOut(Schema):
    name: str
    kind: str = Field(description="worker, staff or visitor")
    since: datetime
    seat: str | None
    visit: str | None
    family: int | None = Field(
        description="the same number for people of one household; staff and visitors have none"
    )


class InsideChildOut(Schema):
    id: str
    name: str
    at: str = Field(
        description="room: with the carers; announced: on the way to them; with_parent: handed over"
    )
    since: datetime
    family: int
    parent_inside: bool


class InsideTotalsOut(Schema):
    adults: int
    children: int
    all: int


class InsideOut(Schema):
    hub: str
    at: datetime
    totals: InsideTotalsOut
    adults: list[InsideAdultOut]
    children: list[InsideChildOut]


def _adult(one: InsideAdult, family: int | None) -> dict[str, Any]:
    return {
        "name": one.name, "kind": str(one.kind), "since": one.since, "seat": one.seat or None, "visit": one.visit or None,
        "family": family,
    }  # fmt: skip


@router.get(
    "/checkin/inside",
    response={200: InsideOut, **REFUSALS, 403: Problem},
    summary="Adults and children inside now, for staff of the hub",
)
def inside(request: HttpRequest, hub: str) -> dict[str, Any]:
    """Names, times and places only. Strangers to the hub's staff get 404, staff without the right 403."""
    place = Hub.objects.filter(slug=hub).first()
    if place is None or not is_staff_at(request.user, place):
        raise DomainError("not_found", _("見つかりません。"), 404)
    if not allowed(request.user, Action.SEE_INSIDE, place):
        raise DomainError("forbidden", _("この ページを 見る 役わりが ありません。"), 403)
    found = inside_of(place)
    adults = [_adult(one, n) for n, family in enumerate(found.families, 1) for one in family.adults]
    adults += [_adult(one, None) for one in chain(found.staff, found.visitors)]
    children = [
        {
            "id": child.code, "name": child.name, "at": str(child.at), "since": child.since, "family": n,
            "parent_inside": not family.children_alone,
        }
        for n, family in enumerate(found.families, 1)
        for child in family.children
    ]  # fmt: skip
    return {
        "hub": place.slug,
        "at": found.at,
        "totals": {"adults": found.adults, "children": found.children, "all": found.total},
        "adults": adults,
        "children": children,
    }
