"""What all manager's pages share: the frame with its side list, and asking before a change that hurts somebody."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from hub.booking.closures import VisitsAffected
from hub.childcare.capacity import RatioShort, counts_of
from hub.childcare.models import RoomQuarter
from hub.core.errors import DomainError
from hub.core.quarters import runs
from hub.members.models import Member
from hub.spaces.access import Action, allowed
from hub.spaces.models import Hub

#: The side list in its order: URL name, word, icon, and the right it needs.
NAV = (
    ("desk", gettext_lazy("きょうのハブ"), "cal", Action.SEE_DAY),
    ("desk_inside", gettext_lazy("中にいる人"), "in", Action.SEE_INSIDE),
    ("door", gettext_lazy("入口"), "qr", Action.SCAN),
    ("care", gettext_lazy("こどものへや"), "family", Action.CARE_FOR_CHILDREN),
    ("desk_book", gettext_lazy("予約を 入れる"), "calplus", Action.BOOK_FOR_OTHERS),
    ("desk_roster", gettext_lazy("保育者の 当番"), "roster", Action.MANAGE_ROSTER),
    ("desk_quarter", gettext_lazy("配置の 説明"), "info", Action.EXPLAIN_QUARTER),
    ("desk_children", gettext_lazy("子どもの 確認"), "child", Action.DECIDE_CHILD),
    ("desk_people", gettext_lazy("利用者と 役わり"), "people", Action.MANAGE_PEOPLE),
    ("desk_seats", gettext_lazy("席と 場所"), "seat", Action.MANAGE_SEATS),
    ("desk_hours", gettext_lazy("開く時間と お休み"), "clock", Action.MANAGE_HOURS),
)

#: Pages for a phone or tablet that stays in one place: they remember the hub and carry it in the query.
AT_THE_DOOR = ("door", "care")


def me(request: HttpRequest) -> Member:
    """The signed-in member (every page here asks for a role first)."""
    assert isinstance(request.user, Member)
    return request.user


def hub_name(hub: Hub) -> str:
    return (hub.name_en or hub.name) if (get_language() or "").startswith("en") else hub.name


def nav_of(request: HttpRequest, hub: Hub, current: str) -> list[dict[str, Any]]:
    """The side list for this person at this hub."""
    return [
        {"url": url, "label": label, "icon": icon, "current": name == current}
        for name, label, icon, action in NAV
        if allowed(request.user, action, hub) and (url := _address(name, hub))
    ]


def _address(name: str, hub: Hub) -> str:
    """The page's address; the door and the children's board name the hub behind a question mark (design 3)."""
    if name not in AT_THE_DOOR:
        return reverse(name, args=[hub.slug])
    try:
        return f"{reverse(name)}?hub={hub.slug}"
    except NoReverseMatch:
        return ""


def page(
    request: HttpRequest, hub: Hub, template: str, current: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a manager's page; ``current`` is the URL name of its entry in the side list."""
    frame = {"hub": hub, "desk_nav": nav_of(request, hub, current)}
    return render(request, f"desk/{template}", {**frame, **context}, status=status)


def add_error(form: forms.Form, error: DomainError) -> int:
    """Put a refusal where it belongs: at its field if it names one, else above the form. Returns the status."""
    field = error.facts.get("field")
    form.add_error(field if field in form.fields else None, str(error.message))
    return error.status


def _hidden(request: HttpRequest) -> list[tuple[str, str]]:
    """What was typed, to be sent once more with the confirmation."""
    kept = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in ("csrfmiddlewaretoken", "confirm")
        for value in values
    ]
    return [*kept, ("confirm", "1")]


def confirmed(request: HttpRequest) -> bool:
    return request.POST.get("confirm") == "1"


def lacks(hub: Hub, rows: Sequence[RoomQuarter]) -> list[dict[str, Any]]:
    """Quarters that lack something as hours: where, when, how many are missing of what; same lacks side by side joined."""
    groups: dict[tuple[int, int, int, int], list[RoomQuarter]] = {}
    for row in rows:
        groups.setdefault((row.room_id, row.shortfall, row.qualified_shortfall, row.over), []).append(row)
    found = []
    for (_room, staff, able, over), same in groups.items():
        by_quarter = {row.quarter: row for row in same}
        for period in runs(by_quarter):
            local = period.in_zone(hub.tz)
            inside = [by_quarter[quarter] for quarter in period.quarters]
            found.append(
                {
                    "room": same[0].room, "start": local.starts_at, "end": local.ends_at, "staff_missing": staff,
                    "qualified_missing": able, "over": over,
                    "children": max(counts_of(row).children for row in inside), "staff": inside[0].staff,
                }
            )  # fmt: skip
    return sorted(found, key=lambda lack: (lack["start"], lack["room"].position))


def ask(
    request: HttpRequest,
    hub: Hub,
    error: DomainError,
    current: str,
    *,
    title: str,
    back: str,
    action: str = "",
) -> HttpResponse:
    """409: who or what a change would hurt, and the same change once more with a button that confirms it.

    `VisitsAffected` names visits, `RatioShort` names hours; any other refusal gives its sentence and a way back.
    """
    context: dict[str, Any] = {
        "title": title, "back": back, "error": error, "hidden": _hidden(request), "confirm_url": request.get_full_path()
    }  # fmt: skip
    if isinstance(error, VisitsAffected):
        context |= {
            "visits": [local_visit(visit, hub) for visit in error.visits],
            "inside": [local_visit(visit, hub) for visit in error.inside],
            "action": action or _("予約を 中止に して、変える"),
        }
    elif isinstance(error, RatioShort):
        context |= {
            "lacks": lacks(hub, error.lacking),
            "action": action or _("それでも 記録する（足りないまま）"),
        }
    return page(request, hub, "confirm_change.html", current, context, status=error.status)


def local_visit(visit: Any, hub: Hub) -> dict[str, Any]:
    """A visit as a row of a list, in the hub's zone."""
    local = visit.period.in_zone(hub.tz)
    return {
        "code": visit.code, "member": visit.member, "seat": visit.seat, "start": local.starts_at,
        "end": local.ends_at, "status": visit.status, "arrived": visit.arrived_at is not None,
    }  # fmt: skip


def refused(request: HttpRequest, hub: Hub, error: DomainError, current: str, *, back: str) -> HttpResponse:
    """A refusal of a plain button as a page with its sentence and a way back."""
    return ask(request, hub, error, current, title=str(error.message), back=back)
