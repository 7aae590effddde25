"""My usual week: confirm, go on where a process stopped, change and cancel dates, book dates when they open.

Each date is a short transaction of its own through `services`, all or nothing, so no lock is held long. What was asked
is written first; whoever comes by then settles what is left: the request, a second tap, the tick (decision 0016).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import structlog
from django.db.models import F, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from hub.booking import quotes, rules, services, week_dates, words
from hub.booking.models_week import CLOSED, DateState, Series, SeriesDate, SeriesLine
from hub.booking.requests import SeatMode, SeatWish, VisitRequest
from hub.booking.week_plan import (
    Choices,
    Outlook,
    Pattern,
    check_pattern,
    known_blocker,
    outlook_of,
    request_at,
    sentence_of,
)
from hub.booking.words import Blocker
from hub.childcare.models import Child
from hub.childcare.queries import own_children
from hub.core import clock, idempotency, tasks
from hub.core.db import require_transaction, run_write
from hub.core.errors import DomainError
from hub.core.quarters import Period, local
from hub.members.models import Member
from hub.notices import services as notices
from hub.spaces.access import Action, allowed
from hub.spaces.enums import LIVE_STATUSES, VisitSource
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub, Visit

log = structlog.get_logger(__name__)
MOST_SERIES = 2  # that still go on, per member (decision 0016)
TOPIC = "series"
WITH = ("hub", "member", "made_by", "zone")  # read together with a series
TELL, TELL_WEEK = "hub.booking.week.tell_series", "hub.booking.week.tell_week"
TELL_REOPENED = "hub.booking.week.tell_reopened"
LEFT_ALONE = timedelta(minutes=1)  # a confirmation that stood still so long was left by its process
LAST_WORD = 120  # seconds: the mail about a change goes out then even if its process was killed
AT_ONCE = 300  # dates that one tick settles
_CLOSED = Q(state=DateState.REFUSED, reason_code__in=CLOSED)
#: Refusals of the person, not of the date: she was told when it happened.
ABOUT_HER = frozenset({"blocked", "not_member"})


@dataclass(frozen=True)
class Made:
    series: Series
    replayed: bool


# ---------------------------------------------------------------- asking


def confirm(
    *, member: Member, pattern: Pattern, choices: Choices | None = None, key: str | None = None, actor: Member | None = None
) -> Made:  # fmt: skip
    """Write down the series, then book its dates one by one; the same key goes on with what is left.

    ``actor``: staff who ask for a caller; the visits are booked by them. Raises `DomainError` when nothing of it can be
    (shape 422, member 403, ``too_many_series`` 409). A date that does not fit is no error: it is kept with its reason.
    """
    choices = choices or Choices()
    made = run_write(lambda: _write_down(actor or member, pattern, choices, key))
    carry_on(made.series)
    return made


def _write_down(actor: Member, pattern: Pattern, choices: Choices, key: str | None) -> Made:
    require_transaction()
    member = pattern.member
    if key is not None:
        stored = idempotency.claim(actor.pk, key, idempotency.fingerprint("series", _body(pattern, choices)))
        if stored is not None:
            return Made(mine(actor, stored["series"]), True)  # a role that ended opens no old answer (I5)
    check_pattern(pattern)
    hub, now = pattern.hub, clock.now()
    rules.check_member(
        actor, member, hub, hold=True
    )  # two series asked at once are counted one after the other
    if going_on(member, now.astimezone(hub.tz).date()) >= MOST_SERIES:
        raise DomainError(
            "too_many_series",
            _("いつもの 1週間は 同時に %(count)sつまでです。先に どれかを やめてください。")
            % {"count": MOST_SERIES},
        )
    series = Series.objects.create(
        member=member, hub=hub, starts_on=pattern.first, ends_on=pattern.last, zone=pattern.zone,
        without_seat=pattern.without_seat, made_by=actor,
    )  # fmt: skip
    SeriesLine.objects.bulk_create(
        SeriesLine(
            series=series,
            weekday=line.weekday,
            starts=line.starts,
            ends=line.ends,
            children=_codes(line.children),
        )
        for line in pattern.lines
    )
    households = rules.households_of(member)
    rows = []
    with translation.override(member.language):
        for day, line in pattern.dates():
            starts, ends = choices.shifts.get(day, (line.starts, line.ends))
            row = SeriesDate(
                series=series, date=day, starts=starts, ends=ends, children=_codes(line.children),
                is_shifted=(starts, ends) != (line.starts, line.ends),
            )  # fmt: skip
            if day in choices.off:
                row.state = DateState.OFF
            else:
                blocker = known_blocker(pattern.request(day, line, (starts, ends)), households, now)
                _first_state(row, blocker)
            rows.append(row)
    SeriesDate.objects.bulk_create(rows)
    if key is not None:
        idempotency.store(actor.pk, key, {"series": series.code})
    return Made(series, False)


def _first_state(row: SeriesDate, blocker: Blocker | None) -> None:
    if blocker is None:
        row.state = DateState.PLANNED
    elif outlook_of(blocker.code) is Outlook.WAITING:
        row.state = DateState.WAITING
    else:
        row.state = DateState.REFUSED
        row.reason_code, row.reason = blocker.code, sentence_of(blocker)[:300]


def _codes(children: Sequence[Child]) -> list[str]:
    return [child.code for child in children]


def _body(pattern: Pattern, choices: Choices) -> list[Any]:
    return [
        pattern.member.code,
        pattern.hub.slug,
        pattern.first,
        pattern.last,
        pattern.zone and pattern.zone.slug,
        pattern.without_seat,
        sorted([one.weekday, one.starts, one.ends, sorted(_codes(one.children))] for one in pattern.lines),
        sorted(choices.off),
        sorted([day, *hours] for day, hours in choices.shifts.items()),
    ]


def going_on(member: Member, today: date) -> int:
    """How many series of ``member`` still have a date to come that is booked or to be booked."""
    return (
        Series.objects.filter(member=member, ends_on__gte=today)
        .filter(
            Q(dates__date__gte=today, dates__state__in=(DateState.PLANNED, DateState.WAITING))
            | Q(dates__date__gte=today, dates__visit__status__in=LIVE_STATUSES)
        )
        .distinct()
        .count()
    )


# ---------------------------------------------------------------- settling dates


def carry_on(series: Series) -> None:
    """Settle every date that is still planned, the nearest first, then tell the member once."""
    family = _family(series.member)
    for row in SeriesDate.objects.filter(series=series, state=DateState.PLANNED).order_by("date"):
        settle(series, row, family)
    run_write(lambda: _finish(series))


def _family(member: Member) -> dict[str, Child]:
    return {child.code: child for child in own_children(member)}


def _asks(series: Series) -> Member:
    """Who books its dates: whoever made it. Staff whose role has ended do not keep a caller's dates from her."""
    staff = series.made_by
    if staff is None or not by_staff(series) or not allowed(staff, Action.BOOK_FOR_OTHERS, series.hub):
        return series.member
    return staff


def settle(
    series: Series, row: SeriesDate, family: dict[str, Child], *, opened: bool = False, actor: Member | None = None
) -> Blocker | None:  # fmt: skip
    """Book one date, or keep why not. Returns the refusal; None when it is booked, not open yet, or settled elsewhere.

    ``opened``: nobody is waiting at a page, so a refusal is told at once, in the transaction that keeps it. ``actor``:
    who changes the date now, if not whoever made the series.
    """
    actor = actor or _asks(series)
    source = VisitSource.SELF if actor.pk == series.member_id else VisitSource.STAFF
    with translation.override(series.member.language):
        try:
            request = request_of(series, row, family)
            services.book_visit(actor=actor, request=request, source=source, series_date=row.pk)
        except week_dates.DateSettled:
            return None
        except DomainError as error:
            if error.code == "not_open_yet":
                run_write(lambda: week_dates.wait(row.pk))
                return None
            blocker = _said(series, row, error)
            # Closed again before it was tried: she was told so before.
            known = row.state == DateState.REFUSED and blocker.code in CLOSED
            tell = opened and not known and blocker.code not in ABOUT_HER
            offers = _offers(series, row, family) if tell else []
            return run_write(lambda: _keep_refusal(series, row, blocker, offers, tell=tell))
    return None


def _keep_refusal(
    series: Series, row: SeriesDate, blocker: Blocker, offers: list[dict[str, Any]], *, tell: bool
) -> Blocker | None:
    if not week_dates.refuse(row.pk, blocker.code, sentence_of(blocker)):
        return None
    if tell:
        day = row.date.isoformat()
        data = {"series": series.code, "kind": "refused", "dates": [day], "offers": offers}
        event = f"series/{series.code}/refused/{day}/{blocker.code}"  # closed at first, full when it was open again
        notices.tell(series.member, TOPIC, event=event, data=data)
    return blocker


def _said(series: Series, row: SeriesDate, error: DomainError) -> Blocker:
    """The refusal in words, with the child and the limit by name."""
    bare = request_at(series.member, series.hub, row.date, row.starts, row.ends, SeatWish(), ())
    return words.blocker_of(error, bare)


def request_of(series: Series, row: SeriesDate, family: dict[str, Child]) -> VisitRequest:
    """The booking that ``row`` stands for. Raises `DomainError` ``child_unknown``: never without one of the children."""
    missing = [code for code in row.children if code not in family]
    if missing:
        raise DomainError("child_unknown", _("お子さんが 見つかりません。"), 404)
    children = tuple(family[code] for code in row.children)
    return request_at(series.member, series.hub, row.date, row.starts, row.ends, seat_of(series), children)


def seat_of(series: Series) -> SeatWish:
    if series.without_seat:
        return SeatWish(SeatMode.NONE)
    return SeatWish(SeatMode.ZONE, zone=series.zone) if series.zone else SeatWish()


def _finish(series: Series) -> None:
    """Once nothing is planned any more: the one mail. Whoever comes second finds it done."""
    locked = Series.objects.select_for_update().get(pk=series.pk)
    if locked.told_at is not None or locked.dates.filter(state=DateState.PLANNED).exists():
        return
    series.told_at = locked.told_at = clock.now()
    locked.save(update_fields=["told_at"])
    tasks.enqueue(TELL, series=series.code, kind="made", event="made", own=True)


def resume() -> int:
    """Go on with confirmations whose process was killed. For the tick; returns how many."""
    before = clock.now() - LEFT_ALONE
    rows = Series.objects.filter(told_at=None, made_at__lt=before).select_related(*WITH)
    found = list(rows.order_by("made_at", "pk")[:20])
    for series in found:
        try:
            carry_on(series)
        except Exception:  # as in `open_dates`: the other families' confirmations go on
            log.exception("series_stuck", series=series.code)
    return len(found)


# ---------------------------------------------------------------- dates that open


def open_dates(hub: Hub) -> int:
    """Book the dates that are open now, by day and then in the order in which the series were asked for.

    Open for the first time, or open again after they were refused as closed. A refusal is told at once, with up to
    three others that would fit; what was booked is told once a week, when the last date of that week is settled, and
    what opened again by itself. For the tick; returns how many dates were looked at.
    """
    last = clock.today(hub.tz) + timedelta(days=hub.horizon_days)
    rows = SeriesDate.objects.filter(series__hub=hub, date__lte=last)
    rows = rows.select_related("series__member", "series__made_by", "series__zone").order_by(
        "date", "series__made_at", "series_id"
    )
    found = list(rows.filter(state=DateState.WAITING)[:AT_ONCE])
    again = _open_again(hub, last)
    if again:
        found += rows.filter(_CLOSED, pk__in=again)[:AT_ONCE]
        found.sort(key=lambda row: (row.date, row.series.made_at, row.series_id))
        del found[AT_ONCE:]
    if not found:
        return 0
    run_write(lambda: _tell_later(found))
    families: dict[int, dict[str, Child]] = {}
    for row in found:
        series = row.series
        series.hub = hub
        if series.member_id not in families:
            families[series.member_id] = _family(series.member)
        try:
            settle(series, row, families[series.member_id], opened=True)
        except Exception:  # one date must not keep the others of all families from their turn
            log.exception("series_date_failed", series=series.code, date=row.date.isoformat())
    return len(found)


#: What tells whether a closed date is open again: its day and hours, and where she wants to be.
_WHEN = ("date", "starts", "ends", "series__zone_id", "series__without_seat")


def _open_again(hub: Hub, last: date) -> set[int]:
    """Dates to ``last`` (primary keys) that were refused as closed and are open now: one query when there are none.

    Only while she can still say no without being late: nobody finds a visit in her calendar that begins in an hour.
    """
    now = clock.now()
    rows = SeriesDate.objects.filter(_CLOSED, series__hub=hub, date__range=(clock.today(hub.tz), last))
    found: set[int] = set()
    for day, starts, ends, zone, without_seat in rows.values_list(*_WHEN).order_by().distinct():
        if now > rules.deadline_of(hub, day) or not _is_open(hub, day, starts, ends, zone, without_seat):
            continue
        where = {"series__zone": zone, "series__without_seat": without_seat}
        found.update(rows.filter(date=day, starts=starts, ends=ends, **where).values_list("pk", flat=True))
    return found


def _is_open(hub: Hub, day: date, starts: time, ends: time, zone: int | None, without_seat: bool) -> bool:
    when, facts = Period(local(day, starts, hub.tz), local(day, ends, hub.tz)), facts_of(hub)
    seats = [seat for seat in facts.seats if not without_seat and zone in (None, seat.zone_id)]
    try:
        rules.check_open(hub, when)
        rules.check_zone(seats, facts.zones_closed(when))
    except DomainError:
        return False
    return True


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _tell_later(rows: Sequence[SeriesDate]) -> None:
    """Queued before the dates are settled, so that it is not lost with this process."""
    opened = [row for row in rows if row.state == DateState.WAITING]
    for code, monday in sorted({(row.series.code, monday_of(row.date)) for row in opened}):
        tasks.enqueue(TELL_WEEK, _delay=LAST_WORD, series=code, monday=monday.isoformat())
    again: dict[str, list[str]] = {}
    for row in rows:
        if row.state == DateState.REFUSED:
            again.setdefault(row.series.code, []).append(row.date.isoformat())
    for code, days in sorted(again.items()):
        tasks.enqueue(TELL_REOPENED, _delay=LAST_WORD, series=code, dates=days)


def tell_week(*, series: str, monday: str) -> None:
    """Tell of the dates of one week that were booked when they opened, unless one of them is still to come."""
    row = Series.objects.select_related("member").filter(code=series).first()
    if row is None:
        return
    first = date.fromisoformat(monday)
    rows = row.dates.filter(date__range=(first, first + timedelta(days=6)))
    if rows.filter(state__in=(DateState.WAITING, DateState.PLANNED)).exists():
        return
    _tell_opened(row, f"week/{monday}", rows)


def tell_reopened(*, series: str, dates: Sequence[str]) -> None:
    """Tell of those of ``dates`` that were booked because the hub is not closed then any more.

    Named by the first of them: a date is booked in this way once.
    """
    row = Series.objects.select_related("member").filter(code=series).first()
    if row is None:
        return
    rows = row.dates.filter(date__in=[date.fromisoformat(day) for day in dates])
    first = rows.filter(state=DateState.BOOKED).values_list("date", flat=True).first()
    if first is not None:
        _tell_opened(row, f"reopened/{first.isoformat()}", rows)


def _tell_opened(series: Series, event: str, rows: QuerySet[SeriesDate]) -> None:
    """Tell once of the booked ones among ``rows``."""
    days = [day.isoformat() for day in rows.filter(state=DateState.BOOKED).values_list("date", flat=True)]
    if days:
        data = {"series": series.code, "kind": "opened", "dates": days}
        name = f"series/{series.code}/{event}"
        run_write(lambda: notices.tell(series.member, TOPIC, event=name, data=data))


def _offers(series: Series, row: SeriesDate, family: dict[str, Child]) -> list[dict[str, Any]]:
    """What else would fit, as JSON."""
    try:
        request = request_of(series, row, family)
    except DomainError:
        return []  # one of the children is hers no more: nothing else would fit either
    found = []
    for one in quotes.next_best(actor=series.member, request=request):
        when = one.request.period.in_zone(one.request.hub.tz)
        found.append(
            {
                "hub": one.request.hub.slug, "date": when.starts_at.date().isoformat(),
                "from": f"{when.starts_at:%H:%M}", "to": f"{when.ends_at:%H:%M}",
            }
        )  # fmt: skip
    return found


# ---------------------------------------------------------------- changing and cancelling


def by_staff(series: Series) -> bool:
    """Whether staff made it for a caller."""
    return series.made_by_id is not None and series.made_by_id != series.member_id


def mine(member: Member, code: str) -> Series:
    """The series with this code, if it is ``member``'s, or was made for a caller and ``member`` may book for others there.

    What a member made herself is nobody else's. Raises `DomainError` ``series_unknown`` (404).
    """
    series = Series.objects.select_related(*WITH).filter(code=code).first()
    if series is None or not (
        series.member_id == member.pk
        or (by_staff(series) and allowed(member, Action.BOOK_FOR_OTHERS, series.hub))
    ):
        raise DomainError("series_unknown", _("その いつもの 1週間は 見つかりません。"), 404)
    return series


def _between(series: Series, first: date, last: date | None) -> list[SeriesDate]:
    """Dates from ``first`` on (to ``last``) that are still to come, with their visits."""
    if last is not None and last < first:
        raise DomainError("not_forward", _("終わりの日を、始まりの日より あとに してください。"), 422)
    rows = series.dates.filter(date__gte=max(first, clock.today(series.hub.tz)))
    if last is not None:
        rows = rows.filter(date__lte=last)
    return list(rows.select_related("visit__hub", "visit__seat__zone").order_by("date"))


def is_ahead(visit: Visit, now: datetime) -> bool:
    """Booked and not begun: what a change of the series may touch."""
    return visit.is_live and visit.starts_at > now and visit.arrived_at is None


def cancellable(series: Series, first: date, last: date | None = None) -> list[SeriesDate]:
    """The dates that `cancel` would end. Raises `DomainError` ``not_forward`` (422)."""
    now = clock.now()
    return [
        row
        for row in _between(series, first, last)
        if row.is_pending or (row.visit and is_ahead(row.visit, now))
    ]


def cancel(*, member: Member, code: str, first: date, last: date | None = None) -> int:
    """Cancel the dates from ``first`` to ``last`` (None: to the end) that have not begun; returns how many.

    ``member`` is whoever may (`mine`). One mail tells of several dates, of one date its own. Again is harmless. Raises
    `DomainError` ``series_unknown`` (404), ``not_forward`` (422).
    """
    series = mine(member, code)
    rows = cancellable(series, first, last)
    visits = [row for row in rows if row.visit_id]
    event = _announce(series, rows, "cancelled") if len(visits) > 1 else ""
    done = 0
    for row in rows:
        done += _cancel_one(member, row, tell=not event)
    _tell_change(series, rows, "cancelled", event)
    return done


def _cancel_one(member: Member, row: SeriesDate, *, tell: bool) -> bool:
    if row.visit_id is None and run_write(lambda: week_dates.give_up(row.pk)):
        return True
    fresh = SeriesDate.objects.select_related("visit").get(pk=row.pk)  # the tick may have booked it meanwhile
    visit = fresh.visit
    if visit is None:
        return False
    try:
        services.cancel_visit(actor=member, code=visit.code, tell=tell)
    except DomainError as error:
        code, said = error.code, str(error.message)
        run_write(lambda: week_dates.note(row.pk, code, said))
        return False
    return True


@dataclass(frozen=True)
class Change:
    """New hours and new children of dates; None leaves them as they are."""

    hours: tuple[time, time] | None = None
    children: tuple[Child, ...] | None = None


def changeable(series: Series, first: date, last: date | None = None) -> list[SeriesDate]:
    """The dates that `change` would touch: booked and not begun, not open yet, or refused. Raises ``not_forward``."""
    now = clock.now()
    open_ones = (DateState.PLANNED, DateState.WAITING, DateState.REFUSED)
    return [
        row
        for row in _between(series, first, last)
        if row.state in open_ones or (row.visit and is_ahead(row.visit, now))
    ]


def change(*, member: Member, code: str, first: date, last: date | None = None, to: Change) -> int:
    """Give the dates from ``first`` to ``last`` (None: to the end) other hours or children; returns how many took them.

    Each date all or nothing: where the new does not fit, the old stays and the reason stands beside it. A date that was
    refused before is tried again. Raises `DomainError` ``series_unknown`` (404), ``not_forward``, ``off_grid`` (422).
    """
    series = mine(member, code)
    if to.hours is not None and to.hours[1] <= to.hours[0]:
        raise DomainError("not_forward", _("終わりの時間を、始まりより あとに してください。"), 422)
    rows = changeable(series, first, last)
    family = _family(series.member)
    alone = len(rows) == 1 and rows[0].visit_id is not None  # then the visit's own mail says it
    event = _announce(series, rows, "changed") if rows and not alone else ""
    done = sum(_change_one(member, series, row, to, family, tell=alone) for row in rows)
    _tell_change(series, rows, "changed", event)
    return done


def _change_one(
    actor: Member, series: Series, row: SeriesDate, to: Change, family: dict[str, Child], *, tell: bool
) -> bool:
    if row.visit is not None:
        return _move_one(actor, series, row, row.visit, to, family, tell=tell)
    try:
        run_write(lambda: _rewrite(row, to))
    except week_dates.DateSettled:
        fresh = SeriesDate.objects.select_related("visit__hub", "visit__seat__zone").get(pk=row.pk)
        return fresh.visit is not None and _move_one(actor, series, fresh, fresh.visit, to, family, tell=tell)
    if row.state == DateState.WAITING:
        return True
    return settle(series, row, family, actor=actor) is None


def _rewrite(row: SeriesDate, to: Change) -> None:
    """New hours and children of a date without a visit; one that was booked meanwhile keeps what was booked."""
    held = week_dates.hold(row.pk)
    held.starts, held.ends = row.starts, row.ends = to.hours or (held.starts, held.ends)
    held.children = row.children = held.children if to.children is None else _codes(to.children)
    held.is_shifted = True
    held.save(update_fields=["starts", "ends", "children", "is_shifted"])


def _move_one(
    actor: Member, series: Series, row: SeriesDate, visit: Visit, to: Change, family: dict[str, Child], *, tell: bool
) -> bool:  # fmt: skip
    when = visit.period.in_zone(series.hub.tz)
    starts, ends = to.hours or (when.starts_at.time(), when.ends_at.time())
    if to.children is None:
        codes = [wish.child.code for wish in services.wishes_of(visit)]
        children = tuple(family[code] for code in codes if code in family)
    else:
        children = to.children
    same = (when.starts_at.time(), when.ends_at.time()) == (starts, ends) and to.children is None
    if same:
        return True
    day = when.starts_at.date()
    request = request_at(series.member, visit.hub, day, starts, ends, _seat_like(visit), children)
    try:
        services.move_visit(actor=actor, code=visit.code, request=request, tell=tell)
    except DomainError as error:
        blocker = _said(series, row, error)
        run_write(lambda: week_dates.note(row.pk, blocker.code, sentence_of(blocker)))
        return False
    run_write(lambda: _note_hours(row, starts, ends, _codes(children)))
    return True


def _seat_like(visit: Visit) -> SeatWish:
    """The same kind of seat as now; `move_visit` takes the very same where it is free."""
    if visit.seat is None:
        return SeatWish(SeatMode.NONE)
    return SeatWish(SeatMode.ZONE, zone=visit.seat.zone)


def _note_hours(row: SeriesDate, starts: time, ends: time, children: list[str]) -> None:
    SeriesDate.objects.filter(pk=row.pk).update(
        starts=starts, ends=ends, children=children, is_shifted=True, reason_code="", reason="",
        changed_at=clock.now(),
    )  # fmt: skip


def _announce(series: Series, rows: Sequence[SeriesDate], kind: str) -> str:
    """The name of the mail about several dates, queued for the case that this process is killed on the way."""

    def work() -> str:
        Series.objects.filter(pk=series.pk).update(changes=F("changes") + 1)
        number = Series.objects.values_list("changes", flat=True).get(pk=series.pk)
        event = f"{kind}/{number}"
        tasks.enqueue(TELL, _delay=LAST_WORD, **_word(series, rows, kind, event))
        return event

    return run_write(work)


def _tell_change(series: Series, rows: Sequence[SeriesDate], kind: str, event: str) -> None:
    if event:
        run_write(lambda: tasks.enqueue(TELL, **_word(series, rows, kind, event)))


def _word(series: Series, rows: Sequence[SeriesDate], kind: str, event: str) -> dict[str, Any]:
    days = [row.date.isoformat() for row in rows]
    return {"series": series.code, "kind": kind, "event": event, "own": True, "dates": days}


def tell_series(
    *, series: str, kind: str, event: str, own: bool = False, dates: Sequence[str] | None = None
) -> None:
    """Tell the member of a series about ``event``, once however often this runs."""
    row = Series.objects.select_related("member").filter(code=series).first()
    if row is None:
        return  # her account is gone
    data = {"series": series, "kind": kind, "dates": None if dates is None else list(dates)}
    member, name = row.member, f"series/{series}/{event}"
    run_write(lambda: notices.tell(member, TOPIC, event=name, data=data, own=own))
