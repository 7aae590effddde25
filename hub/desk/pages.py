"""What all manager's pages share: the frame with its side list, and asking before a change that hurts somebody."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from hub.booking.conflicts import Changed, VisitsAffected
from hub.childcare.capacity import RatioShort, counts_of
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace, RoomQuarter
from hub.core.errors import DomainError
from hub.core.quarters import runs
from hub.members.models import Member
from hub.spaces.models import Hub, Visit
from hub.spaces.staff_frame import frame


def me(request: HttpRequest) -> Member:
    """The signed-in member (every page here asks for a role first)."""
    assert isinstance(request.user, Member)
    return request.user


def hub_name(hub: Hub) -> str:
    return (hub.name_en or hub.name) if (get_language() or "").startswith("en") else hub.name


def page(
    request: HttpRequest, hub: Hub, template: str, current: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a manager's page; ``current`` is the URL name of its entry in the side list."""
    context = frame(me(request), hub, current) | context
    return render(request, f"desk/{template}", context, status=status)


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
        changed = error.changed
        context |= {
            "groups": [(what, local_visits(visits, hub)) for what, visits in _groups(changed) if visits],
            "inside": local_visits(changed.inside, hub),
            "affected": True,
            "action": action
            or (_("予約を 中止に して、変える") if changed.ended else _("この 通りに 変える")),
        }
    elif isinstance(error, RatioShort):
        context |= {
            "lacks": lacks(hub, error.lacking),
            "action": action or _("それでも 記録する（足りないまま）"),
        }
    return page(request, hub, "confirm_change.html", current, context, status=error.status)


def _groups(changed: Changed) -> list[tuple[str, list[Visit]]]:
    return [
        ("ended", changed.ended), ("shortened", changed.shortened), ("moved", changed.moved),
        ("childless", changed.childless),
    ]  # fmt: skip


def local_visits(visits: Iterable[Visit], hub: Hub) -> list[dict[str, Any]]:
    """Visits as rows of a list, in the hub's zone, each with how many children it brings."""
    visits = list(visits)
    children = Counter(
        CarePlace.objects.filter(visit__in=visits, status=PlaceStatus.BOOKED).values_list(
            "visit_id", flat=True
        )
    )
    rows = []
    for visit in visits:
        local = visit.period.in_zone(hub.tz)
        rows.append(
            {
                "code": visit.code, "member": visit.member, "seat": visit.seat, "start": local.starts_at,
                "end": local.ends_at, "status": visit.status, "arrived": visit.arrived_at is not None,
                "children": children[visit.pk],
            }
        )  # fmt: skip
    return rows


def refused(request: HttpRequest, hub: Hub, error: DomainError, current: str, *, back: str) -> HttpResponse:
    """A refusal of a plain button as a page with its sentence and a way back."""
    return ask(request, hub, error, current, title=str(error.message), back=back)
