"""What people are told when a closure changes their visits: the words of the topics "closure" and "closing".

One notice for each person about all of her visits, with the nearest days on which the same would fit.
"""

from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from hub.booking import queries
from hub.booking.calendar import invitation_ics, method_of, visits_ics
from hub.booking.mail import SOON, made_up_visit
from hub.booking.presenters_wait import Another, others_of
from hub.booking.quotes import Kind, next_best
from hub.booking.requests import ChildWish, SeatMode, SeatWish, VisitRequest
from hub.booking.templatetags.booking import named
from hub.childcare.models import Child
from hub.core import clock, links
from hub.core.db import run_write
from hub.core.quarters import Period, local
from hub.core.templatetags.hidamari import jtime
from hub.members.models import Member
from hub.notices import services as notices
from hub.notices.topics import Example, Message
from hub.spaces import made_up
from hub.spaces.models import Hub, Visit

TOPIC = "closure"
INSIDE = "closing"
EXCUSED = ("shortened", "childless", "less_care")  # `conflicts.settle` excuses these
MOST_SEARCHED = 3  # visits for which other days are looked for


def tell(*, member: str, event: str, hub: str, reason: str, rows: list[dict[str, Any]]) -> None:
    """Tell one member about her visits that a closure changed (``rows``: `conflicts.tell`). Safe to run twice.

    At night, too, when one of them would have begun within a day: she would set out for nothing in the morning.
    """
    person = Member.objects.get(code=member)
    soon = any(datetime.fromisoformat(row["starts"]) - clock.now() < SOON for row in rows)
    data = {"hub": hub, "reason": reason, "rows": rows}
    run_write(lambda: notices.tell(person, TOPIC, event=event, data=data, urgent=soon))


def tell_inside(
    *, member: str, event: str, hub: str, what: str = "hub", until: str | None = None, fetch: bool = True
) -> None:
    """Tell somebody who is inside, or whose child is, ``what`` closes (hub, zone, room) and when. Safe to run twice."""
    person = Member.objects.get(code=member)
    day = clock.today(Hub.objects.get(slug=hub).tz).isoformat()
    data = {"hub": hub, "day": day, "what": what, "until": until, "fetch": fetch}
    run_write(lambda: notices.tell(person, INSIDE, event=event, data=data, urgent=True))


def _titles() -> dict[str, str]:
    return {
        "ended": _("ハブの 都合で 予約が 中止に なりました"),
        "shortened": _("ハブの 都合で 予約が 短く なりました"),
        "moved": _("ハブの 都合で 席が 変わりました"),
        "childless": _("こどものへやの 都合で 預かりが できなくなりました"),
        "less_care": _("こどものへやの 都合で 預かりが 変わりました"),
    }


def compose(data: dict[str, Any]) -> Message | None:
    """The words of the topic ``closure``; visits that changed again since are left out, None when none is left."""
    rows = {row["visit"]: row for row in data["rows"]}
    found = queries.with_places(Visit.objects.select_related("hub", "member", "seat").filter(code__in=rows))
    visits = [v for v in found.order_by("starts_at", "pk") if v.sequence == rows[v.code]["sequence"]]
    if not visits:
        return None
    told = [(visit, _as_it_is(visit, rows[visit.code])) for visit in visits]
    others = [
        (visit, _others(visit, row, 1 if len(visits) > 1 else 3)) for visit, row in told[:MOST_SEARCHED]
    ]
    return _words(told, data["reason"], [(visit, found) for visit, found in others if found])


def _as_it_is(visit: Visit, row: dict[str, Any]) -> dict[str, Any]:
    """``row`` with the word for a visit that lost a part of its places only: a place that is left may be used."""
    keeps = row["what"] == "childless" and getattr(visit, "booked_places", None)
    return {**row, "what": "less_care"} if keeps else row


def _words(
    told: list[tuple[Visit, dict[str, Any]]], reason: str, others: list[tuple[Visit, list[Another]]]
) -> Message:
    language, titles = translation.get_language() or "ja", _titles()
    first = told[0][0]
    worst = next(word for word in titles if any(row["what"] == word for _visit, row in told))
    lines = []
    for visit, row in told:
        before = Period(datetime.fromisoformat(row["starts"]), datetime.fromisoformat(row["ends"]))
        lines.append(
            {
                "what": row["what"], "before": before.in_zone(visit.hub.tz), "now": visit.period.in_zone(visit.hub.tz),
                "seat": visit.seat, "link": links.absolute("visit_detail", visit.code, language=language),
            }
        )  # fmt: skip
    book = links.absolute("book", language=language)
    context = {
        "title": titles[worst], "name": first.member.name, "hub": first.hub, "hub_name": named(first.hub),
        "reason": reason, "lines": lines, "may_leave": any(row["what"] in EXCUSED for _visit, row in told),
        "product_name": settings.PRODUCT_NAME,
        "offers": [
            (one, f"{book}?{one.query}", named(one.hub)) for _visit, found in others for one in found
        ],
    }  # fmt: skip
    visits = [visit for visit, _row in told]
    if len(visits) == 1:
        file = invitation_ics(first, language), f"text/calendar; method={method_of(first)}"
    else:
        file = visits_ics(visits, language), "text/calendar"
    return Message(
        title=titles[worst],
        text=render_to_string("booking/mail/closure_line.txt", context).strip(),
        path=reverse("visit_detail", args=[first.code]) if len(visits) == 1 else reverse("visits"),
        body=render_to_string("booking/mail/closure.txt", context),
        attachments=(("hidamari.ics", *file),),
    )


def _others(visit: Visit, row: dict[str, Any], most: int) -> list[Another]:
    """The nearest other times at which what ``visit`` was would fit, as links to the booking page."""
    if row["what"] == "moved":
        return []
    children = [
        ChildWish(child) for child in Child.objects.filter(code__in=row["children"]).order_by("birthday")
    ]
    period = Period(datetime.fromisoformat(row["starts"]), datetime.fromisoformat(row["ends"]))
    seat = SeatWish() if visit.seat_id is not None else SeatWish(SeatMode.NONE)
    request = VisitRequest(visit.member, visit.hub, period.in_zone(visit.hub.tz), seat, tuple(children))
    found = next_best(actor=visit.member, request=request, visit=visit)
    # The same hours of another day or hub first: who lost a morning seldom wants its last hour.
    found.sort(key=lambda one: one.kind not in (Kind.OTHER_DAY, Kind.OTHER_HUB))
    return others_of(request, found[:most])


def compose_inside(data: dict[str, Any]) -> Message | None:
    """The words of the topic ``closing``; None on another day."""
    hub = Hub.objects.filter(slug=data["hub"]).first()
    if hub is None or clock.today(hub.tz).isoformat() != data["day"]:
        return None
    until = datetime.fromisoformat(data["until"]) if data["until"] else None
    ends = until.astimezone(hub.tz).time() if until and until > clock.now() else None
    return _inside_words(hub, ends, data["what"], fetch=data["fetch"])


def _inside_words(hub: Hub, ends: time | None, what: str = "hub", *, fetch: bool = True) -> Message:
    later = {
        "hub": _("%(hub)sは きょう %(time)s に 閉めます。"),
        "zone": _("%(hub)sの いまの 場所を きょう %(time)s に 閉めます。スタッフが 声を かけます。"),
        "room": _("%(hub)sの こどものへやを きょう %(time)s に 閉めます。"),
    }
    now = {
        "hub": _("%(hub)sを 閉めます。スタッフが 声を かけます。"),
        "zone": _("%(hub)sの いまの 場所を 閉めます。スタッフが 声を かけます。"),
        "room": _("%(hub)sの こどものへやを 閉めます。"),
    }
    text = (later if ends else now)[what] % {"hub": named(hub), "time": jtime(ends) if ends else ""}
    if not fetch:
        return Message(title=_("まもなく 閉めます"), text=text, path=reverse("today"))
    text += _("お子さんの お迎えを お願いします。")
    return Message(title=_("お迎えを お願いします"), text=text, path=reverse("today"))


# ---------------------------------------------------------------- for the page on which staff read the words


def examples() -> list[Example]:
    """Each thing that a closure may do to a visit."""
    found = []
    for what, title in _titles().items():
        visit = made_up_visit()
        before = visit.period
        if what == "shortened":
            visit.ends_at = local(before.in_zone(visit.hub.tz).starts_at.date(), time(11), visit.hub.tz)
        row = {"what": what, "starts": before.starts_at.isoformat(), "ends": before.ends_at.isoformat()}
        day = before.in_zone(visit.hub.tz).shifted(timedelta(days=7))
        other = Another("d=example", day.starts_at, day.ends_at, visit.hub)
        offers = [] if what == "moved" else [(visit, [other])]
        # A visit that the hub ends alone (`mail`) has the same title.
        case = _("お休みで：%(title)s") % {"title": title}
        found.append(Example(case, _words([(visit, row)], _("停電の ため"), offers)))
    return found


def examples_inside() -> list[Example]:
    """The word to somebody whose child is inside, or who is herself."""
    hub = made_up.hub()
    return [
        Example(_("開いている あいだに 閉めるとき"), _inside_words(hub, time(13, 30))),
        Example(_("こどものへやを 閉めるとき"), _inside_words(hub, None, "room")),
        Example(_("席の 場所を 閉めるとき"), _inside_words(hub, time(13, 30), "zone", fetch=False)),
    ]
