"""The waiting list in the API: one entry is a seat and every child; an offer is answered in one call."""

from datetime import datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Field, Router, Schema, Status
from ninja.pagination import paginate

from hub.api import (
    REFUSALS,
    WRITE_REFUSALS,
    ChildPart,
    Code,
    Moment,
    Pages,
    Problem,
    VisitOut,
    _answer,
    _child_wishes,
    _hub,
    _key,
    _member,
    _seat_wish,
)
from hub.booking import waiting
from hub.booking.enums import OfferState
from hub.booking.models import Offer, WaitEntry
from hub.booking.presenters_wait import why_of
from hub.booking.requests import ChildWish, VisitRequest
from hub.booking.waiting import Place
from hub.core.errors import DomainError
from hub.core.quarters import Period

router = Router(tags=["waiting"])


class WaitIn(Schema):
    hub: Annotated[str, Field(max_length=50)]
    starts_at: Moment = Field(description="begin of the window")
    ends_at: Moment = Field(description="end of the window, on the same local day")
    minutes: Annotated[int, Field(ge=15, le=1440)] | None = Field(
        None, description="how long, anywhere in the window; left out: the whole window"
    )
    zone: Annotated[str, Field(max_length=20)] | None = Field(
        None, description='zone slug; "none" for no seat; left out: any seat'
    )
    children: list[Code] = Field([], max_length=40)


class OfferOut(Schema):
    code: str
    state: str
    visit: str
    seat: str | None
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime = Field(description="until when it is held")


class WaitOut(Schema):
    code: str
    state: str
    hub: str
    starts_at: datetime
    ends_at: datetime
    minutes: int
    zone: str | None
    seat: bool = Field(description="whether a seat is wanted")
    children: list[str]
    asked_at: datetime
    place: int | None = Field(description="in the line of those whose hours touch these, from 1")
    waiting: int | None = Field(description="how many stand in that line")
    why: list[str] = Field(description="the order in words")
    offer: OfferOut | None = Field(description="what waits for an answer now")


def _offer_out(offer: Offer) -> dict[str, Any]:
    visit = offer.visit
    tz = visit.hub.tz
    return {
        "code": offer.code, "state": offer.state, "visit": visit.code, "seat": visit.seat.label if visit.seat else None,
        "starts_at": visit.starts_at.astimezone(tz), "ends_at": visit.ends_at.astimezone(tz),
        "expires_at": offer.expires_at.astimezone(tz),
    }  # fmt: skip


def _wait_out(entry: WaitEntry, place: Place | None) -> dict[str, Any]:
    tz = entry.hub.tz
    offer = next((one for one in entry.offers.all() if one.state == OfferState.OPEN), None)
    if offer is not None:
        offer.visit.hub = entry.hub
    return {
        "code": entry.code, "state": entry.state, "hub": entry.hub.slug, "minutes": entry.minutes,
        "starts_at": entry.window_starts.astimezone(tz), "ends_at": entry.window_ends.astimezone(tz),
        "zone": entry.zone.slug if entry.zone else None, "seat": entry.wants_seat,
        "children": [row.child.code for row in entry.children.all()], "asked_at": entry.asked_at.astimezone(tz),
        "place": place.number if place else None, "waiting": place.of if place else None,
        "why": why_of(place) if place else [], "offer": _offer_out(offer) if offer else None,
    }  # fmt: skip


def _one(entry: WaitEntry) -> dict[str, Any]:
    row = _entries().get(pk=entry.pk)
    return _wait_out(row, waiting.places_of([row]).get(row.pk))


def _entries() -> QuerySet[WaitEntry]:
    rows = WaitEntry.objects.select_related("hub", "zone", "member")
    return rows.prefetch_related("children__child", "offers__visit__seat")


class WaitPages(Pages):
    """A page of entries, each with its place in the line."""

    def paginate_queryset(
        self, queryset: QuerySet[Any], pagination: Any, request: HttpRequest, **params: Any
    ) -> Any:
        page = super().paginate_queryset(queryset, pagination, request=request, **params)
        rows = list(page["items"])
        places = waiting.places_of(rows)
        return {**page, "items": [_wait_out(row, places.get(row.pk)) for row in rows]}


@router.post(
    "/waiting",
    response={201: WaitOut, 200: WaitOut, **WRITE_REFUSALS},
    summary="Wait for a seat and every child",
)
def join(request: HttpRequest, body: WaitIn) -> Status[dict[str, Any]]:
    """201 with the entry; 200 for the same ``Idempotency-Key``; 409 ``fits_now`` when it can be booked at once."""
    member, hub = _member(request), _hub(body.hub)
    window = Period(body.starts_at, body.ends_at)
    parts: list[str | ChildPart] = list(body.children)
    kids = tuple(ChildWish(want.child) for want in _child_wishes(member, parts, window))
    wish = VisitRequest(member, hub, window, _seat_wish(hub, body.zone, None), kids)
    minutes = body.minutes if body.minutes is not None else window.minutes
    try:
        joined = waiting.join(actor=member, request=wish, minutes=minutes, key=_key(request))
    except waiting.FitsNow as fits:
        fits.facts["request"] = fits.request
        raise
    return Status(200 if joined.replayed else 201, _one(joined.entry))


@router.get(
    "/waiting",
    response={200: list[WaitOut], 401: Problem, 422: Problem},
    summary="What I wait for, newest first",
)
@paginate(WaitPages, page_size=50)
def mine(request: HttpRequest) -> QuerySet[WaitEntry]:
    return _entries().filter(member=_member(request)).order_by("-asked_at", "-pk")


@router.get("/waiting/{code}", response={200: WaitOut, **REFUSALS}, summary="One entry of mine")
def detail(request: HttpRequest, code: str) -> dict[str, Any]:
    return _one(_own(request, waiting.entry_for(_member(request), code)))


def _own(request: HttpRequest, entry: WaitEntry) -> WaitEntry:
    if entry.member_id != _member(request).pk:
        raise DomainError("wait_unknown", "not hers", 404)
    return entry


@router.delete(
    "/waiting/{code}", response={200: WaitOut, **WRITE_REFUSALS}, summary="Wait no more; again is harmless"
)
def leave(request: HttpRequest, code: str) -> dict[str, Any]:
    return _one(waiting.leave(actor=_member(request), code=code))


@router.post(
    "/offers/{code}/accept",
    response={200: VisitOut, **WRITE_REFUSALS},
    summary="行きます: the offer becomes a visit; again is harmless",
)
def accept(request: HttpRequest, code: str) -> Status[dict[str, Any]]:
    """409 ``offer_expired``, ``offer_declined``, ``offer_withdrawn``, each with alternatives."""
    return _answer(waiting.accept(actor=_member(request), code=code, key=_key(request)))


@router.post(
    "/offers/{code}/decline",
    response={200: OfferOut, **WRITE_REFUSALS},
    summary="やめます: it passes on at once; again is harmless",
)
def decline(request: HttpRequest, code: str) -> dict[str, Any]:
    return _offer_out(waiting.decline(actor=_member(request), code=code, key=_key(request)))
