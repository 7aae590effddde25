"""A usual week as pages and mails show it: plain values, no rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from hub.booking.models_week import Series, SeriesDate
from hub.booking.templatetags.booking import named
from hub.booking.week_plan import DateOutlook, Outlook, Preview, outlook_of
from hub.booking.words import joined
from hub.childcare.queries import own_children
from hub.core import clock
from hub.core.templatetags.hidamari import jday, period
from hub.members.models import Member
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Visit

#: Mark of the sign, kind of the tag, word: of each outlook in the preview.
SIGNS = {
    Outlook.OK: "free", Outlook.FULL: "full", Outlook.CLASH: "full", Outlook.CLOSED: "closed",
    Outlook.WAITING: "none", Outlook.REFUSED: "full",
}  # fmt: skip


def outlook_word(outlook: Outlook) -> str:
    return {
        Outlook.OK: _("予約できます"),
        Outlook.FULL: _("いっぱい"),
        Outlook.CLASH: _("ほかの予約"),
        Outlook.CLOSED: _("休み"),
        Outlook.WAITING: _("まだ 始まっていません"),
        Outlook.REFUSED: _("預かれません"),
    }[outlook]


def days_words(count: int) -> str:
    return ngettext("%(n)s日", "%(n)s日", count) % {"n": count}


# ---------------------------------------------------------------- preview


@dataclass(frozen=True)
class PreviewRow:
    one: DateOutlook

    @property
    def sign(self) -> str:
        return SIGNS[self.one.outlook]

    @property
    def word(self) -> str:
        return outlook_word(self.one.outlook)

    @property
    def day(self) -> str:
        return self.one.date.isoformat()

    @property
    def starts(self) -> datetime:
        return self.one.period.starts_at

    @property
    def ends(self) -> datetime:
        return self.one.period.ends_at

    @property
    def sentence(self) -> str:
        """Why, or what follows; empty where the word says it all."""
        blocker = self.one.blocker
        if self.one.outlook is Outlook.WAITING:
            return _("始まったら 予約します。とれないときは お知らせします。")
        return "" if blocker is None else blocker.title

    @property
    def why(self) -> str:
        return self.one.blocker.why if self.one.blocker else ""

    @property
    def can_go(self) -> bool:
        """A date with a switch: it would be booked now or later."""
        return self.one.outlook in (Outlook.OK, Outlook.WAITING)

    @property
    def is_full(self) -> bool:
        return self.one.outlook is Outlook.FULL

    @property
    def can_shift(self) -> bool:
        return bool(self.one.fits)

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        """Other hours as value, words, chosen."""
        out = []
        for fit in self.one.fits:
            value = f"{fit.starts_at:%H:%M}-{fit.ends_at:%H:%M}"
            chosen = self.one.is_shifted and fit == self.one.period
            out.append((value, period(fit.starts_at, fit.ends_at), chosen))
        return out

    @property
    def usual(self) -> str:
        """The hours of its day of the week."""
        return period(self.one.line.starts, self.one.line.ends)


@dataclass(frozen=True)
class Week:
    """Dates of one calendar week under its Monday."""

    monday: date
    rows: list[PreviewRow]

    @property
    def first(self) -> date:
        return self.rows[0].one.date

    @property
    def last(self) -> date:
        return self.rows[-1].one.date


def weeks_of(preview: Preview) -> list[Week]:
    found: dict[date, list[PreviewRow]] = {}
    for one in preview.dates:
        found.setdefault(one.date - timedelta(days=one.date.weekday()), []).append(PreviewRow(one))
    return [Week(monday, rows) for monday, rows in found.items()]


def totals_of(preview: Preview) -> list[str]:
    """What would become of all of them, in sentences."""
    out = [
        _("%(all)sの うち、いま 予約できるのは %(ok)sです。")
        % {"all": days_words(len(preview.dates)), "ok": days_words(preview.count(Outlook.OK))}
    ]
    waiting = preview.count(Outlook.WAITING)
    if waiting:
        out.append(_("%(n)sは、予約が 始まったら 予約します。") % {"n": days_words(waiting)})
    full, clash = preview.count(Outlook.FULL), preview.count(Outlook.CLASH)
    if full:
        out.append(_("%(n)sは いっぱいです。") % {"n": days_words(full)})
    if clash:
        out.append(_("%(n)sは ほかの予約が あります。") % {"n": days_words(clash)})
    closed, refused = preview.count(Outlook.CLOSED), preview.count(Outlook.REFUSED)
    if closed:
        out.append(_("%(n)sは お休みです。") % {"n": days_words(closed)})
    if refused:
        out.append(_("%(n)sは 預かれません。") % {"n": days_words(refused)})
    off = sum(1 for one in preview.dates if one.is_off)
    if off:
        out.append(_("%(n)sは 行かない日に しました。") % {"n": days_words(off)})
    return out


# ---------------------------------------------------------------- a series that was asked for


@dataclass(frozen=True)
class DateRow:
    """One date of a series as it stands now: the visit's own state and hours where there is one."""

    row: SeriesDate
    now: datetime

    @property
    def date(self) -> date:
        """The day of the visit, which may have been moved."""
        return self.starts.date() if isinstance(self.starts, datetime) else self.row.date

    @property
    def starts(self) -> datetime | time:
        return self._visit_hours[0] if self._visit_hours else self.row.starts

    @property
    def ends(self) -> datetime | time:
        return self._visit_hours[1] if self._visit_hours else self.row.ends

    @property
    def _visit_hours(self) -> tuple[datetime, datetime] | None:
        visit = self.row.visit
        if visit is None:
            return None
        when = visit.period.in_zone(visit.hub.tz)
        return when.starts_at, when.ends_at

    @property
    def visit(self) -> Visit | None:
        return self.row.visit

    @property
    def state(self) -> str:
        """``booked``, ``over``, ``refused``, ``off``, ``waiting``, ``planned``, ``cancelled``, or a visit's own end."""
        visit = self.row.visit
        if visit is None:
            return str(self.row.state)
        if visit.is_live:
            return "booked" if visit.ends_at > self.now else "over"
        return "over" if visit.status == VisitStatus.DONE else str(visit.status)

    @property
    def tag(self) -> tuple[str, str]:
        """Kind and word of its tag."""
        visit = self.row.visit
        match self.state:
            case "booked":
                return "ok", pgettext("visit", "予約ずみ")
            case "over":
                return "", _("終わりました")
            case "refused":
                outlook = outlook_of(self.row.reason_code)
                return ("" if outlook is Outlook.CLOSED else "warn"), outlook_word(outlook)
        if visit is not None:
            return "", str(visit.get_status_display())
        return {"waiting": "primary", "planned": "primary"}.get(self.state, ""), str(
            self.row.get_state_display()
        )

    @property
    def sentence(self) -> str:
        """Why it was refused, why the last change did not work, or the hub's reason."""
        visit = self.row.visit
        if visit is not None and not visit.is_live:
            return str(visit.ended_reason)
        if visit is not None and self.row.reason:
            return _("変えられませんでした。%(why)s") % {"why": self.row.reason}
        if self.ahead and self.row.is_pending and self.row.reason:
            return joined(self.row.reason, _("開くことに なったら 予約します。"))
        return str(self.row.reason)

    @property
    def is_full(self) -> bool:
        return self.state == "refused" and outlook_of(self.row.reason_code) is Outlook.FULL

    @property
    def ahead(self) -> bool:
        """Still to come: it can be changed or cancelled."""
        visit = self.row.visit
        if visit is None:
            return self.state in ("planned", "waiting", "refused")
        return visit.is_live and visit.starts_at > self.now and visit.arrived_at is None


@dataclass(frozen=True)
class LineWords:
    """月 9:30 – 12:30 はる・ゆい"""

    weekday: date  # a date that stands for the day of the week
    starts: time
    ends: time
    names: str


@dataclass(frozen=True)
class SeriesCard:
    """A series as its member sees it."""

    series: Series
    rows: list[DateRow]
    lines: list[LineWords]

    @property
    def weeks(self) -> list[tuple[date, date, list[DateRow]]]:
        found: dict[date, list[DateRow]] = {}
        for row in self.rows:
            found.setdefault(row.row.date - timedelta(days=row.row.date.weekday()), []).append(row)
        return [(rows[0].row.date, rows[-1].row.date, rows) for rows in found.values()]

    def count(self, *states: str) -> int:
        return sum(1 for row in self.rows if row.state in states)

    @property
    def running(self) -> bool:
        """The confirmation is not through yet."""
        return self.series.told_at is None

    @property
    def settled(self) -> int:
        return sum(1 for row in self.rows if row.state != "planned")

    @property
    def ended(self) -> bool:
        """Nothing of it is still to come."""
        return not self.running and not any(
            row.state in ("booked", "waiting", "planned") for row in self.rows
        )

    @property
    def all_refused(self) -> bool:
        """Nothing of it could be booked, and nothing will be."""
        return (
            not self.running and bool(self.rows) and all(row.state in ("refused", "off") for row in self.rows)
        )

    @property
    def can_change(self) -> bool:
        return any(row.ahead for row in self.rows)

    @property
    def can_cancel(self) -> bool:
        return any(row.ahead and (row.state != "refused" or row.row.is_pending) for row in self.rows)

    @property
    def next(self) -> DateRow | None:
        return next((row for row in self.rows if row.ahead and row.state != "refused"), None)

    @property
    def totals(self) -> list[str]:
        """How it stands, in sentences."""
        return totals_of_rows(self.rows)

    @property
    def short(self) -> str:
        """月・水・金　駅前ハブ, for a list."""
        days = _("・").join(jday(line.weekday) for line in self.lines)
        return _("%(days)s　%(hub)s") % {"days": days, "hub": named(self.series.hub)}


def totals_of_rows(rows: Sequence[DateRow]) -> list[str]:
    def count(*states: str) -> int:
        return sum(1 for row in rows if row.state in states)

    sentences = (
        (_("%(n)s 予約できています。"), count("booked")),
        (_("%(n)sは、予約が 始まったら 予約します。"), count("waiting")),
        (_("%(n)sは いま 予約しています。"), count("planned")),
        (_("%(n)sは 予約できませんでした。"), count("refused")),
        (_("%(n)sは 行かない日です。"), count("off")),
        (_("%(n)sは やめました。"), count("cancelled", "cancelled_by_hub", "released")),
        (_("%(n)s 終わりました。"), count("over", "no_show")),
    )
    return [text % {"n": days_words(number)} for text, number in sentences if number]


def rows_of(rows: Iterable[SeriesDate]) -> list[DateRow]:
    now = clock.now()
    return [DateRow(row, now) for row in rows]


def card_of(series: Series) -> SeriesCard:
    """The series with its dates, in three queries beside that of the series."""
    dates = series.dates.select_related("visit__hub").order_by("date")
    return SeriesCard(series, rows_of(dates), _lines(series, _names(series.member)))


def cards_of(member: Member) -> list[SeriesCard]:
    """Series of ``member`` with something still to come, the newest first: four queries, however many dates."""
    since = clock.now().date() - timedelta(days=1)  # whatever the zone
    dates = SeriesDate.objects.select_related("visit__hub").order_by("date")
    rows = (
        Series.objects.filter(member=member, ends_on__gte=since)
        .select_related("hub", "member")
        .prefetch_related(Prefetch("dates", queryset=dates, to_attr="date_rows"), "lines")
        .order_by("-made_at", "-pk")
    )
    cards = [SeriesCard(series, rows_of(series.date_rows), _lines(series, {})) for series in rows]
    return [card for card in cards if not card.ended]


def _names(member: Member) -> dict[str, str]:
    return {child.code: child.name for child in own_children(member)}


def _lines(series: Series, names: Mapping[str, str]) -> list[LineWords]:
    monday = date(2024, 1, 1)
    return [
        LineWords(
            monday + timedelta(days=line.weekday), line.starts, line.ends,
            _("・").join(names[code] for code in line.children if code in names),
        )
        for line in series.lines.all()
    ]  # fmt: skip
