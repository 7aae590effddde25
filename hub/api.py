"""The API, `/api/v1` (design 6). Shape only: every rule lives in the services that the pages call too.

Errors are RFC 9457 problem details with a ``code``. Times are ISO 8601 with an offset.
"""

import json
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Field, NinjaAPI, Query, Schema, Status
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.pagination import PageNumberPagination, paginate
from ninja.security import HttpBearer, SessionAuth
from pydantic import AfterValidator, AwareDatetime

from hub.booking import quotes, services
from hub.booking.availability import day_table
from hub.booking.requests import ChildWish, SeatMode, SeatWish, VisitRequest
from hub.booking.words import blocker_of
from hub.childcare import ratio
from hub.childcare.enums import ChildStatus, PlaceStatus, Scheme
from hub.childcare.models import CarePlace, CareRule, Child
from hub.childcare.places import Left
from hub.childcare.queries import children_of, own_children
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import Period, in_calendar, quarter_of, start_of
from hub.members import tokens
from hub.members.models import Member
from hub.notices.models import Notice
from hub.notices.queries import notices_of
from hub.spaces.access import SecondFactorNeeded
from hub.spaces.facts import facts_of, find_hub
from hub.spaces.models import Hub, Seat, Visit, Zone

PROBLEM = "application/problem+json"


class BearerToken(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> Member | None:
        member = tokens.member_for_token(token)
        if member is not None:
            request.user = member
        return member


class ActiveSession(SessionAuth):
    """The signed-in browser; writes need the CSRF token."""


class ProblemAPI(NinjaAPI):
    """Describes its refusals as what they are: ninja would call every body application/json."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    content = answer.get("content", {})
                    if int(status) >= 400 and "application/json" in content:
                        content[PROBLEM] = content.pop("application/json")
        return schema


api = ProblemAPI(
    title="Hidamari",
    version="1",
    urls_namespace="api",
    auth=[BearerToken(), ActiveSession(csrf=True)],
    description="Seats and childcare places of fee-free regional hubs. Bearer token or session with CSRF.",
)


# --- errors -------------------------------------------------------------------------------------------------


class Problem(Schema):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    code: str
    errors: list[dict[str, Any]] = []
    alternatives: list["AlternativeOut"] = []


class AlternativeOut(Schema):
    kind: str
    hub: str
    starts_at: datetime
    ends_at: datetime


def problem(
    request: HttpRequest, status: int, code: str, title: str, detail: str = "", **more: Any
) -> HttpResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, **more}
    text = json.dumps(body, ensure_ascii=False, cls=DjangoJSONEncoder)
    return HttpResponse(text, status=status, content_type=PROBLEM)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    rows = [{"loc": [str(part) for part in row["loc"]], "msg": row["msg"]} for row in error.errors]
    return problem(request, 422, "invalid", _("申しこみの 形が 正しくありません。"), errors=rows)


@api.exception_handler(SecondFactorNeeded)
def _second_factor(request: HttpRequest, error: SecondFactorNeeded) -> HttpResponse:
    """A session of staff that gave no second factor. Bearer tokens are not asked: they were made after one."""
    title = _("この画面には、もう1つの かぎが いります。")
    return problem(request, 403, "second_factor_needed", title)


@api.exception_handler(DataError)
def _not_for_a_database(request: HttpRequest, error: DataError) -> HttpResponse:
    """PostgreSQL stores no NUL: a code or slug with one is of nothing."""
    return problem(request, 404, "not_found", _("見つかりません。"))


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = problem(request, 401, "sign_in", _("はじめに 入ってください（ログイン）。"))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    code = "malformed" if error.status_code == 400 else "refused"
    return problem(request, error.status_code, code, str(error))


@api.exception_handler(DomainError)
def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    wish = error.facts.get("request")
    if wish is None:
        return problem(request, error.status, error.code, str(error.message))
    reason = blocker_of(error, wish)
    others: list[dict[str, Any]] = []
    if error.status == 409 and error.code not in ("already_begun", "not_live", "key_reused"):
        found = quotes.next_best(actor=_member(request), request=wish, visit=error.facts.get("visit"))
        others = [_alternative(offer) for offer in found]
    return problem(request, error.status, error.code, reason.title, reason.why, alternatives=others)


def _alternative(offer: quotes.Alternative) -> dict[str, Any]:
    period = offer.request.period.in_zone(offer.request.hub.tz)
    return {
        "kind": offer.kind,
        "hub": offer.request.hub.slug,
        "starts_at": period.starts_at,
        "ends_at": period.ends_at,
    }


def _not_found() -> DomainError:
    return DomainError("not_found", _("見つかりません。"), 404)


def _inside(moment: datetime) -> datetime:
    """A moment at an end of the calendar exists in one zone only; one that can be counted with is as far away.

    The years are leap years, so that every day of the calendar has a place in them.
    """
    if in_calendar(moment):
        return moment
    return moment.replace(year=1904 if moment.year < 1904 else 8996)


Moment = Annotated[AwareDatetime, AfterValidator(_inside)]


class Pages(PageNumberPagination):
    """Pages by number, up to one that a database can still count to."""

    class Input(Schema):
        page: int = Field(1, ge=1, le=1_000_000)
        page_size: int | None = Field(None, ge=1)


REFUSALS = {401: Problem, 404: Problem, 422: Problem}
WRITE_REFUSALS = {**REFUSALS, 400: Problem, 403: Problem, 409: Problem}


def _member(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user


def _hub(slug: str) -> Hub:
    hub = find_hub(slug)
    if hub is None:
        raise _not_found()
    return hub


# --- hubs ---------------------------------------------------------------------------------------------------


class ZoneOut(Schema):
    slug: str
    name: str
    kind: str


class SeatOut(Schema):
    label: str
    zone: str
    window: bool
    power: bool
    monitor: bool


class HubOut(Schema):
    slug: str
    name: str
    name_en: str
    phone: str
    address: str
    timezone: str
    horizon_days: int
    page_step: int


class HubDetail(HubOut):
    zones: list[ZoneOut]
    seats: list[SeatOut]


class Empty(Schema):
    pass


@api.get("/ping", response={200: Empty, 401: Problem}, summary="Am I signed in? Does nothing else")
def ping(request: HttpRequest) -> dict[str, Any]:
    return {}


@api.get("/hubs", response={200: list[HubOut], 401: Problem, 422: Problem}, summary="Hubs of the network")
@paginate(Pages, page_size=50)
def hubs(request: HttpRequest) -> QuerySet[Hub]:
    return Hub.objects.order_by("pk")


@api.get("/hubs/{slug}", response={200: HubDetail, **REFUSALS}, summary="One hub with zones and seats")
def hub_detail(request: HttpRequest, slug: str) -> dict[str, Any]:
    hub = _hub(slug)
    facts = facts_of(hub)
    return {
        **{name: getattr(hub, name) for name in HubOut.model_fields},
        "zones": [{"slug": z.slug, "name": z.name, "kind": z.kind} for z in facts.zones],
        "seats": [
            {
                "label": s.label,
                "zone": s.zone.slug,
                "window": s.has_window,
                "power": s.has_power,
                "monitor": s.has_monitor,
            }
            for s in facts.seats
        ],
    }


class CareLeft(Schema):
    left: int
    limit: str


class QuarterOut(Schema):
    starts_at: datetime
    open: bool
    seats: dict[str, int] = Field(description="free seats by zone slug")
    care: dict[str, CareLeft] = Field(
        description='places left by age class "0" to "5", and the limit that binds'
    )


class AvailabilityOut(Schema):
    hub: str
    date: date
    open: bool
    reason: str
    state: Literal["open", "closed", "not_open_yet"]
    quarters: list[QuarterOut]


@api.get(
    "/hubs/{slug}/availability", response={200: AvailabilityOut, **REFUSALS}, summary="What is free on a day"
)
def availability(request: HttpRequest, slug: str, date: date) -> HttpResponse:
    """Per quarter of the opening hours. The answer is built as text, since it is read far more than anything else."""
    hub = _hub(slug)
    facts = facts_of(hub)
    day = facts.day(date)
    state = "open" if day.period else "closed"
    if day.period and (date - clock.today(facts.tz)).days > hub.horizon_days:
        state = "not_open_yet"
    elif not in_calendar(date):
        state = "closed"
    head = {
        "hub": slug,
        "date": date.isoformat(),
        "open": state == "open",
        "reason": day.reason,
        "state": state,
    }
    rows = []
    if state == "open":
        now = quarter_of(clock.now())
        names = [json.dumps(zone.slug) for zone in facts.zones]
        for row in day_table(hub, date):
            starts_at = start_of(row.quarter).astimezone(facts.tz).isoformat()
            seats = ", ".join(f"{name}: {free}" for name, free in zip(names, row.seats, strict=True))
            is_open = "true" if row.quarter >= now else "false"
            rows.append(
                f'{{"starts_at": "{starts_at}", "open": {is_open}, "seats": {{{seats}}}, "care": {_care_text(row.care)}}}'
            )
    text = f'{json.dumps(head, ensure_ascii=False)[:-1]}, "quarters": [{", ".join(rows)}]}}'
    return HttpResponse(text, content_type="application/json")


@lru_cache(maxsize=4096)
def _care_text(care: Left) -> str:
    return json.dumps({str(age): {"left": left, "limit": limit} for age, (left, limit) in enumerate(care)})


# --- children and visits ------------------------------------------------------------------------------------


class ChildOut(Schema):
    id: str
    name: str
    class_age: int
    status: str


@api.get(
    "/children", response={200: list[ChildOut], 401: Problem, 422: Problem}, summary="My household's children"
)
@paginate(Pages, page_size=50)
def children(request: HttpRequest) -> list[dict[str, Any]]:
    found = []
    for child in children_of(_member(request)).select_related("hub"):
        day = clock.today(child.hub.tz)
        found.append(
            {
                "id": child.code,
                "name": child.name,
                "class_age": ratio.class_age(child.birthday, day),
                "status": child.status,
            }
        )
    return found


class NoticeOut(Schema):
    code: str
    kind: str
    title: str
    text: str
    path: str = Field(description="the page that it leads to, without a host; may be empty")
    language: str
    is_urgent: bool
    created_at: datetime
    read_at: datetime | None


@api.get(
    "/notices",
    response={200: list[NoticeOut], 401: Problem, 422: Problem},
    summary="What I was told, the newest first",
)
@paginate(Pages, page_size=50)
def notices(request: HttpRequest) -> QuerySet[Notice]:
    """Reading them here does not mark them as read: a program is not a person."""
    return notices_of(_member(request))


Code = Annotated[str, Field(min_length=1, max_length=16)]
NO_SEAT = "none"


class ChildPart(Schema):
    id: Code
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class QuoteIn(Schema):
    starts_at: Moment
    ends_at: Moment
    zone: Annotated[str, Field(max_length=20)] | None = Field(
        None, description='zone slug; "none" for no seat'
    )
    seat: Annotated[str, Field(max_length=16)] | None = Field(
        None, description='seat label; "none" for no seat'
    )
    children: list[Code | ChildPart] = Field([], max_length=40)
    visit: Code | None = Field(None, description="quote as a move of this visit")


class VisitIn(Schema):
    hub: Annotated[str, Field(max_length=50)]
    starts_at: Moment
    ends_at: Moment
    zone: Annotated[str, Field(max_length=20)] | None = None
    seat: Annotated[str, Field(max_length=16)] | None = None
    children: list[Code | ChildPart] = Field([], max_length=40)


class VisitPatch(Schema):
    hub: Annotated[str, Field(max_length=50)] | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    zone: Annotated[str, Field(max_length=20)] | None = None
    seat: Annotated[str, Field(max_length=16)] | None = None
    children: list[Code | ChildPart] | None = Field(None, max_length=40)


class UntilIn(Schema):
    ends_at: Moment


class PlaceOut(Schema):
    id: str
    name: str
    starts_at: datetime
    ends_at: datetime


class VisitOut(Schema):
    code: str
    status: str
    hub: str
    seat: str | None
    zone: str | None
    starts_at: datetime
    ends_at: datetime
    children: list[PlaceOut]


class BlockerOut(Schema):
    code: str
    title: str
    why: str


class QuoteOut(Schema):
    ok: bool
    blockers: list[BlockerOut]
    alternatives: list[AlternativeOut]


def _seat_wish(hub: Hub, zone: str | None, seat: str | None) -> SeatWish:
    """A seat by label, a zone by slug, "none", or おまかせ. A seat or zone of another hub is unknown here (404)."""
    facts = facts_of(hub)
    if NO_SEAT in (zone, seat):
        return SeatWish(SeatMode.NONE)
    if seat is not None:
        found: Seat | None = next((s for s in facts.seats if seat in (s.label, s.code)), None)
        if found is None:
            raise DomainError("seat_unknown", _("その席は このハブに ありません。"), 404)
        return SeatWish(SeatMode.SEAT, found)
    if zone is not None:
        place: Zone | None = next((z for z in facts.zones if z.slug == zone), None)
        if place is None:
            raise DomainError("zone_unknown", _("その場所は このハブに ありません。"), 404)
        return SeatWish(SeatMode.ZONE, zone=place)
    return SeatWish()


def _child_wishes(member: Member, items: list[str | ChildPart], whole: Period) -> tuple[ChildWish, ...]:
    parts = [ChildPart(id=item) if isinstance(item, str) else item for item in items]
    if not parts:
        return ()
    known: dict[str, Child] = {child.code: child for child in own_children(member)}
    wishes = []
    for part in parts:
        child = known.get(part.id)
        if child is None or child.status == ChildStatus.ENDED:
            raise DomainError("child_unknown", _("お子さんが 見つかりません。"), 404)
        period = None
        if part.starts_at is not None or part.ends_at is not None:
            period = Period(part.starts_at or whole.starts_at, part.ends_at or whole.ends_at)
        wishes.append(ChildWish(child, None if period == whole else period))
    return tuple(wishes)


def _visits(member: Member) -> QuerySet[Visit]:
    booked = CarePlace.objects.filter(status=PlaceStatus.BOOKED).select_related("child").order_by("pk")
    return (
        Visit.objects.filter(member=member)
        .select_related("hub", "seat__zone")
        .prefetch_related(Prefetch("care_places", booked, to_attr=services.BOOKED_PLACES))
    )


def _out(visit: Visit, places: list[CarePlace] | None = None) -> dict[str, Any]:
    tz = visit.hub.tz
    rows: list[CarePlace] = places if places is not None else getattr(visit, services.BOOKED_PLACES, [])
    return {
        "code": visit.code,
        "status": visit.status,
        "hub": visit.hub.slug,
        "seat": visit.seat.label if visit.seat else None,
        "zone": visit.seat.zone.slug if visit.seat else None,
        "starts_at": visit.starts_at.astimezone(tz),
        "ends_at": visit.ends_at.astimezone(tz),
        "children": [
            {
                "id": place.child.code,
                "name": place.child.name,
                "starts_at": place.starts_at.astimezone(tz),
                "ends_at": place.ends_at.astimezone(tz),
            }
            for place in rows
        ],
    }


class VisitPages(Pages):
    """A page of visits in the same shape as one visit."""

    def paginate_queryset(
        self, queryset: QuerySet[Any], pagination: Any, request: HttpRequest, **params: Any
    ) -> Any:
        page = super().paginate_queryset(queryset, pagination, request=request, **params)
        return {**page, "items": [_out(visit) for visit in page["items"]]}


def _answer(booked: services.Booked, fresh_status: int = 200) -> Status[dict[str, Any]]:
    visit = booked.visit
    rows: list[CarePlace] | None = getattr(visit, services.BOOKED_PLACES, None)
    if rows is None:
        kept = CarePlace.objects.filter(visit=visit, status=PlaceStatus.BOOKED).select_related("child")
        rows = list(kept.order_by("pk"))
    return Status(200 if booked.replayed else fresh_status, _out(visit, rows))


def _key(request: HttpRequest) -> str | None:
    return request.headers.get("Idempotency-Key")


def _mine(member: Member, code: str) -> Visit:
    visit = _visits(member).filter(code=code).first()
    if visit is None:
        raise DomainError("visit_unknown", _("その予約は 見つかりません。"), 404)
    return visit


@api.post(
    "/hubs/{slug}/quote", response={200: QuoteOut, **WRITE_REFUSALS}, summary="Would it fit? Changes nothing"
)
def quote(request: HttpRequest, slug: str, body: QuoteIn) -> dict[str, Any]:
    member, hub = _member(request), _hub(slug)
    period = Period(body.starts_at, body.ends_at)
    wish = VisitRequest(
        member,
        hub,
        period,
        _seat_wish(hub, body.zone, body.seat),
        _child_wishes(member, body.children, period),
    )
    visit = _mine(member, body.visit) if body.visit else None
    answer = quotes.quote(actor=member, request=wish, visit=visit)
    return {
        "ok": answer.ok,
        "blockers": [{"code": b.code, "title": b.title, "why": b.why} for b in answer.blockers],
        "alternatives": [_alternative(offer) for offer in answer.alternatives],
    }


@api.post(
    "/visits", response={201: VisitOut, 200: VisitOut, **WRITE_REFUSALS}, summary="Book, all or nothing"
)
def book(request: HttpRequest, body: VisitIn) -> Status[dict[str, Any]]:
    """201 with the visit; 200 when the same ``Idempotency-Key`` asked the same before."""
    member, hub = _member(request), _hub(body.hub)
    period = Period(body.starts_at, body.ends_at)
    wish = VisitRequest(
        member,
        hub,
        period,
        _seat_wish(hub, body.zone, body.seat),
        _child_wishes(member, body.children, period),
    )
    try:
        return _answer(services.book_visit(actor=member, request=wish, key=_key(request)), 201)
    except DomainError as error:
        error.facts["request"] = wish
        raise


@api.get(
    "/visits", response={200: list[VisitOut], 401: Problem, 422: Problem}, summary="My visits, newest first"
)
@paginate(VisitPages, page_size=50)
def visits(request: HttpRequest) -> QuerySet[Visit]:
    return _visits(_member(request)).order_by("-starts_at", "-pk")


@api.get("/visits/{code}", response={200: VisitOut, **REFUSALS}, summary="One visit of mine")
def visit_detail(request: HttpRequest, code: str) -> dict[str, Any]:
    return _out(_mine(_member(request), code))


@api.patch(
    "/visits/{code}", response={200: VisitOut, **WRITE_REFUSALS}, summary="Move: the old is kept if it fails"
)
def move(request: HttpRequest, code: str, body: VisitPatch) -> Status[dict[str, Any]]:
    """What is left out stays: the children, and the seat if it is free, otherwise one of the same zone."""
    member = _member(request)
    visit = _mine(member, code)
    hub = _hub(body.hub) if body.hub else visit.hub
    period = Period(body.starts_at or visit.starts_at, body.ends_at or visit.ends_at)
    kept = tuple(
        ChildWish(wish.child, None if wish.period == visit.period else wish.period)
        for wish in services.wishes_of(visit)
    )
    wish = VisitRequest(member, visit.hub, visit.period, children=kept)
    if period.starts_at < period.ends_at:
        wish = wish.at(period)
    if body.zone is not None or body.seat is not None:
        seat = _seat_wish(hub, body.zone, body.seat)
    elif visit.seat is None:
        seat = SeatWish(SeatMode.NONE)
    else:
        seat = SeatWish(SeatMode.ZONE, zone=visit.seat.zone) if hub.pk == visit.hub_id else SeatWish()
    chosen = wish.children if body.children is None else _child_wishes(member, body.children, period)
    wish = VisitRequest(member, hub, period, seat, chosen)
    try:
        return _answer(services.move_visit(actor=member, code=code, request=wish, key=_key(request)))
    except DomainError as error:
        error.facts |= {"request": wish, "visit": visit}
        raise


@api.delete("/visits/{code}", response={200: VisitOut, **WRITE_REFUSALS}, summary="Cancel; again is harmless")
def cancel(request: HttpRequest, code: str) -> Status[dict[str, Any]]:
    return _answer(services.cancel_visit(actor=_member(request), code=code, key=_key(request)))


@api.post("/visits/{code}/extend", response={200: VisitOut, **WRITE_REFUSALS}, summary="Stay longer")
def extend(request: HttpRequest, code: str, body: UntilIn) -> Status[dict[str, Any]]:
    return _answer(
        services.extend(actor=_member(request), code=code, ends_at=body.ends_at, key=_key(request))
    )


@api.post(
    "/visits/{code}/leave-early", response={200: VisitOut, **WRITE_REFUSALS}, summary="Give back the rest"
)
def leave_early(request: HttpRequest, code: str, body: UntilIn) -> Status[dict[str, Any]]:
    return _answer(
        services.leave_early(actor=_member(request), code=code, ends_at=body.ends_at, key=_key(request))
    )


# --- the ratio engine ---------------------------------------------------------------------------------------

Count = Annotated[int, Field(ge=0, le=500)]


class RequiredQuery(Schema):
    date: date
    scheme: Scheme = Scheme.UNLICENSED
    n0: Count = 0
    n1: Count = 0
    n2: Count = 0
    n3: Count = 0
    n4: Count = 0
    n5: Count = 0
    main_hours: bool = True


class RequiredOut(Schema):
    required: int
    administrative: int
    strict: int
    qualified: int
    formula: str


@lru_cache(maxsize=128)
def _rule(scheme: str, day: date) -> ratio.Ratios | None:
    row = CareRule.objects.filter(scheme=scheme, table="current", valid_from__lte=day).first()
    if row is None:
        return None
    return ratio.Ratios(row.r0, row.r1, row.r2, row.r3, row.r45, row.plus, row.share_num, row.share_den)


@api.get(
    "/childcare/required",
    response={200: RequiredOut, 409: Problem, 422: Problem},
    auth=None,
    summary="Carers that any group of children needs, by dated law",
)
def required(request: HttpRequest, query: Query[RequiredQuery]) -> dict[str, Any]:
    ratios = _rule(query.scheme, query.date)
    if ratios is None:
        raise DomainError("no_rule", _("この日の きまりが まだ 入っていません。"))
    counts = ratio.Counts(query.n0, query.n1, query.n2, query.n3, query.n4 + query.n5)
    return {
        "required": ratio.required(counts, ratios, main_hours=query.main_hours),
        "administrative": ratio.administrative(counts, ratios),
        "strict": ratio.strict(counts, ratios),
        "qualified": ratio.qualified(counts, ratios),
        "formula": ratio.formula(counts, ratios, main_hours=query.main_hours),
    }


# By their paths: they use what stands above.
api.add_router("", "hub.api_checkin.router")
api.add_router("", "hub.api_inside.router")
api.add_router("", "hub.api_waiting.router")
api.add_router("", "hub.api_series.router")
api.add_router("", "hub.api_work.router")
