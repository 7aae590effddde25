"""My usual week by the API: preview, confirm, read, cancel. The rules live in `booking.week`, as for the pages."""

from datetime import date, datetime, time
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema, Status
from ninja.pagination import paginate

from hub.api import REFUSALS, WRITE_REFUSALS, Code, Pages, Problem, _hub, _key, _member
from hub.booking import week, week_pages, week_plan
from hub.booking.models_week import Series
from hub.booking.week_pages import DateRow
from hub.booking.week_plan import Choices, Line, Pattern
from hub.childcare.queries import children_of
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.facts import facts_of

router = Router()
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["09:30"])]
NO_SEAT = "none"


class LineIn(Schema):
    weekday: Annotated[int, Field(ge=0, le=6, description="0 is Monday")]
    starts: Clock
    ends: Clock
    children: list[Code] = Field([], max_length=10)


class ShiftIn(Schema):
    date: date
    starts: Clock
    ends: Clock


class SeriesIn(Schema):
    hub: Annotated[str, Field(max_length=50)]
    first: date
    last: date = Field(description="at most 13 weeks from the first day")
    zone: Annotated[str, Field(max_length=20)] | None = Field(
        None, description='zone slug; "none" for no seat'
    )
    lines: list[LineIn] = Field(min_length=1, max_length=7)
    off: list[date] = Field([], max_length=91, description="dates on which she does not come")
    shifts: list[ShiftIn] = Field([], max_length=91, description="dates with other hours")


class HoursOut(Schema):
    starts_at: datetime
    ends_at: datetime


class OutlookOut(HoursOut):
    date: date
    outlook: str = Field(description="ok, full, clash, closed, waiting (booked when it opens), refused")
    off: bool
    code: str
    reason: str
    fits: list[HoursOut] = Field(description="other hours of that day that would do")


class PreviewOut(Schema):
    dates: list[OutlookOut]


class SeriesDateOut(Schema):
    date: date
    state: str = Field(
        description="planned, booked, refused, off, waiting, cancelled, over, or how the visit ended"
    )
    starts: str
    ends: str
    visit: str | None
    code: str
    reason: str


class SeriesOut(Schema):
    code: str
    hub: str
    first: date
    last: date
    running: bool = Field(description="whether dates are still being booked")
    dates: list[SeriesDateOut]


def _clock(text: str) -> time:
    return datetime.strptime(text, "%H:%M").time()


def _pattern(member: Member, body: SeriesIn) -> Pattern:
    """The usual week that is asked for. Raises `DomainError` (404) for a hub, zone or child that is not hers to ask for."""
    hub = _hub(body.hub)
    known = {child.code: child for child in children_of(member)}
    zone = None
    if body.zone not in (None, "", NO_SEAT):
        zone = next((one for one in facts_of(hub).zones if one.slug == body.zone), None)
        if zone is None:
            raise DomainError("zone_unknown", _("その場所は このハブに ありません。"), 404)
    lines = []
    for line in body.lines:
        if set(line.children) - set(known):
            raise DomainError("child_unknown", _("お子さんが 見つかりません。"), 404)
        children = tuple(known[code] for code in line.children)
        lines.append(Line(line.weekday, _clock(line.starts), _clock(line.ends), children))
    return Pattern(member, hub, body.first, body.last, tuple(lines), zone, body.zone == NO_SEAT)


def _choices(body: SeriesIn) -> Choices:
    shifts = {shift.date: (_clock(shift.starts), _clock(shift.ends)) for shift in body.shifts}
    if any(ends <= starts for starts, ends in shifts.values()):
        raise DomainError("not_forward", _("終わりの時間を、始まりより あとに してください。"), 422)
    return Choices(frozenset(body.off), shifts)


@router.post(
    "/series/preview",
    response={200: PreviewOut, **WRITE_REFUSALS},
    summary="What would become of each date of a usual week. Changes nothing",
)
def preview(request: HttpRequest, body: SeriesIn) -> dict[str, Any]:
    found = week_plan.preview(_pattern(_member(request), body), _choices(body))
    return {
        "dates": [
            {
                "date": one.date,
                "starts_at": one.period.starts_at,
                "ends_at": one.period.ends_at,
                "outlook": one.outlook.value,
                "off": one.is_off,
                "code": one.blocker.code if one.blocker else "",
                "reason": week_plan.sentence_of(one.blocker) if one.blocker else "",
                "fits": [{"starts_at": fit.starts_at, "ends_at": fit.ends_at} for fit in one.fits],
            }
            for one in found.dates
        ]
    }


def _date_out(row: DateRow) -> dict[str, Any]:
    return {
        "date": row.date,
        "state": row.state,
        "starts": f"{row.starts:%H:%M}",
        "ends": f"{row.ends:%H:%M}",
        "visit": row.visit.code if row.visit else None,
        "code": row.row.reason_code,
        "reason": row.sentence,
    }


def _out(series: Series, rows: list[DateRow]) -> dict[str, Any]:
    return {
        "code": series.code,
        "hub": series.hub.slug,
        "first": series.starts_on,
        "last": series.ends_on,
        "running": series.told_at is None,
        "dates": [_date_out(row) for row in rows],
    }


def _fresh(member: Member, code: str) -> dict[str, Any]:
    card = week_pages.card_of(week.mine(member, code))
    return _out(card.series, card.rows)


@router.post(
    "/series",
    response={201: SeriesOut, 200: SeriesOut, **WRITE_REFUSALS},
    summary="Book a usual week: each date all or nothing",
)
def confirm(request: HttpRequest, body: SeriesIn) -> Status[dict[str, Any]]:
    """201 with every date and what became of it. The same ``Idempotency-Key`` goes on with dates that are left: 200."""
    member = _member(request)
    made = week.confirm(
        member=member, pattern=_pattern(member, body), choices=_choices(body), key=_key(request)
    )
    return Status(200 if made.replayed else 201, _fresh(member, made.series.code))


class SeriesPages(Pages):
    def paginate_queryset(self, queryset: Any, pagination: Any, request: HttpRequest, **params: Any) -> Any:
        page = super().paginate_queryset(queryset, pagination, request=request, **params)
        return {**page, "items": [_out(card.series, card.rows) for card in page["items"]]}


@router.get(
    "/series",
    response={200: list[SeriesOut], 401: Problem, 422: Problem},
    summary="My usual weeks with something still to come, newest first",
)
@paginate(SeriesPages, page_size=50)
def series_list(request: HttpRequest) -> list[week_pages.SeriesCard]:
    return week_pages.cards_of(_member(request))


@router.get("/series/{code}", response={200: SeriesOut, **REFUSALS}, summary="One usual week of mine")
def series_detail(request: HttpRequest, code: str) -> dict[str, Any]:
    return _fresh(_member(request), code)


class RangeQuery(Schema):
    first: date | None = Field(None, alias="from", description="from today where left out")
    last: date | None = Field(None, alias="to", description="to the end where left out")


@router.delete(
    "/series/{code}",
    response={200: SeriesOut, **WRITE_REFUSALS},
    summary="Cancel one date, a range, or from a date on; what has begun stays. Again is harmless",
)
def cancel(request: HttpRequest, code: str, query: Query[RangeQuery]) -> dict[str, Any]:
    member = _member(request)
    week.cancel(member=member, code=code, first=query.first or date.min, last=query.last)
    return _fresh(member, code)
