"""What people are told about a usual week: the words of the notices' topic "series". One mail, one calendar file."""

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from hub.booking import queries
from hub.booking.calendar import visits_ics
from hub.booking.mail import made_up_visit
from hub.booking.models_week import DateState, Series, SeriesDate
from hub.booking.templatetags.booking import named
from hub.booking.week_pages import DateRow, rows_of, totals_of_rows
from hub.core import links
from hub.core.quarters import Period
from hub.notices.topics import Example, Message
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Visit

WEEK = timedelta(days=7)


def compose(data: dict[str, Any]) -> Message | None:
    """The words in the active language; None when the series is gone. Without a child's name, as all mails."""
    series = Series.objects.select_related("hub", "member").filter(code=data["series"]).first()
    if series is None:
        return None
    dates = series.dates.select_related("visit__hub").order_by("date")
    if data.get("dates") is not None:
        dates = dates.filter(date__in=[date.fromisoformat(day) for day in data["dates"]])
    rows = rows_of(dates)
    if not rows:
        return None
    visits = [row.row.visit_id for row in rows if row.row.visit_id]
    read = (
        list(queries.with_places(Visit.objects.filter(pk__in=visits)).order_by("starts_at")) if visits else []
    )
    return _words(series, rows, data["kind"], read, data.get("offers", []))


def _titles() -> dict[str, str]:
    return {
        "made": _("いつもの 1週間を 予約しました"),
        "opened": _("いつもの 1週間の 予約が できました"),
        "refused": _("いつもの 1週間の 予約が できない日が あります"),
        "changed": _("いつもの 1週間を 変えました"),
        "cancelled": _("いつもの 1週間を やめました"),
    }


def _words(
    series: Series, rows: list[DateRow], kind: str, visits: list[Visit], offers: list[dict[str, Any]]
) -> Message:
    title, language = _titles()[kind], translation.get_language() or "ja"
    if kind == "made" and not any(row.state in ("booked", "waiting") for row in rows):
        title = _("いつもの 1週間を 予約できませんでした")
    context = {
        "series": series,
        "kind": kind,
        "title": title,
        "hub_name": named(series.hub),
        "rows": [(row, _reason(row)) for row in rows],
        "totals": totals_of_rows(rows),
        "offers": [_offer(one, rows[0].row.children, language) for one in offers],
        "link": links.absolute("series_detail", series.code, language=language),
        "product_name": settings.PRODUCT_NAME,
    }
    files = []
    if visits:
        files.append(("hidamari.ics", visits_ics(visits, language), "text/calendar"))
    return Message(
        title=title,
        text=" ".join(context["totals"]) if kind != "refused" else _text_of_refused(rows),
        path=reverse("series_detail", args=[series.code]),
        body=render_to_string("booking/mail/series.txt", context),
        attachments=tuple(files),
    )


def _reason(row: DateRow) -> str:
    """The word of its state. The sentence with a child's name stays on the page: a mail is read by others too."""
    return row.tag[1]


def _text_of_refused(rows: list[DateRow]) -> str:
    return render_to_string("booking/mail/series_line.txt", {"row": rows[0]}).strip()


def _offer(one: dict[str, Any], children: list[str], language: str) -> dict[str, Any]:
    """An alternative as a line with the address that fills in the booking page."""
    asked = {
        "hub": one["hub"],
        "d": one["date"],
        "p": "own",
        "from": one["from"],
        "to": one["to"],
        "c": children,
    }
    query = urlencode(asked, doseq=True)
    return {
        "date": date.fromisoformat(one["date"]),
        "starts": _clock(one["from"]),
        "ends": _clock(one["to"]),
        "link": f"{links.absolute('book', language=language)}?{query}",
    }


def _clock(text: str) -> time:
    return datetime.strptime(text, "%H:%M").time()


# ---------------------------------------------------------------- for the page on which staff read the words


def examples() -> list[Example]:
    """Each kind of message about a usual week: its dates of three weeks, and one that is full."""
    first = made_up_visit()
    tz = first.hub.tz
    series = Series(code=first.code, hub=first.hub, member=first.member)

    def rows(state: DateState, status: VisitStatus) -> list[SeriesDate]:
        found = []
        for n in range(3):
            visit = made_up_visit()
            visit.code, visit.status = f"EXAMPLE00{n}", status
            visit.starts_at += n * WEEK
            visit.ends_at += n * WEEK
            when = visit.period.in_zone(tz)
            found.append(_made_up_date(series, when, state, visit=visit))
        return found

    booked = rows(DateState.BOOKED, VisitStatus.BOOKED)
    later = first.period.in_zone(tz)
    full = _made_up_date(series, later, DateState.REFUSED, reason_code="seat_taken")
    waits = _made_up_date(
        series, Period(later.starts_at + 6 * WEEK, later.ends_at + 6 * WEEK), DateState.WAITING
    )
    offers = [
        {"hub": first.hub.slug, "date": f"{later.starts_at:%Y-%m-%d}", "from": starts, "to": ends}
        for starts, ends in (("13:00", "16:00"), ("13:30", "16:30"))
    ]
    dates = {
        "made": [*booked, waits],
        "opened": booked,
        "refused": [full],
        "changed": booked,
        "cancelled": rows(DateState.CANCELLED, VisitStatus.CANCELLED),
    }
    return [
        Example(
            title,
            _words(
                series, rows_of(dates[kind]), kind, _visits(dates[kind]), offers if kind == "refused" else []
            ),
        )
        for kind, title in _titles().items()
    ]


def _made_up_date(series: Series, when: Period, state: DateState, **more: Any) -> SeriesDate:
    starts, ends = when.starts_at, when.ends_at
    return SeriesDate(
        series=series, date=starts.date(), starts=starts.time(), ends=ends.time(), state=state, **more
    )


def _visits(rows: list[SeriesDate]) -> list[Visit]:
    return [row.visit for row in rows if row.visit is not None]
