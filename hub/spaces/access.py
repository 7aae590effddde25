"""Asking whether somebody may do something at a hub. The table itself is `hub/access.py`, handed in at start.

Strangers to an object get 404, people who may see the hub but lack the right 403 (design 1).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from hub.core import clock
from hub.core.db import prepared
from hub.members import factors
from hub.members.models import Member
from hub.spaces.enums import STAFF_ROLES, MembershipStatus, Role
from hub.spaces.facts import known_hub
from hub.spaces.models import Hub, Membership

P = ParamSpec("P")


class Action(StrEnum):
    BOOK = "book"
    BOOK_FOR_OTHERS = "book_for_others"
    SEE_DAY = "see_day"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_HOURS = "manage_hours"
    MANAGE_SEATS = "manage_seats"
    MANAGE_ROSTER = "manage_roster"
    EXPLAIN_QUARTER = "explain_quarter"
    DECIDE_CHILD = "decide_child"
    READ_HEALTH = "read_health"
    SCAN = "scan"
    SEE_INSIDE = "see_inside"
    CARE_FOR_CHILDREN = "care_for_children"
    READ_NOTICE_WORDS = "read_notice_words"
    SEE_WAITING = "see_waiting"
    DIRECT_WORK = "direct_work"
    PAY_WORK = "pay_work"
    SEE_LEDGER = "see_ledger"
    ANSWER_APPEAL = "answer_appeal"


class SecondFactorNeeded(PermissionDenied):
    """The right is there, but this session has not given a second factor (`hub.middleware` leads to it)."""


_table: Mapping[Action, frozenset[Role]] = {}


def use(table: Mapping[Action, frozenset[Role]]) -> None:
    """Take the table (called by `hub.wiring`)."""
    global _table
    _table = table


def roles_for(action: Action) -> frozenset[Role]:
    """The roles that may do ``action``."""
    return _table.get(action, frozenset())


def roles_of(member: Any, hub: Hub | None = None) -> set[tuple[int, str]]:
    """Active roles as ``(hub pk, role)``; asked once per request object and kept on it."""
    if not isinstance(member, Member) or not member.is_active:
        return set()
    known: set[tuple[int, str]] | None = getattr(member, "_roles", None)
    if known is None:
        rows = Membership.objects.filter(member=member, status=MembershipStatus.ACTIVE)
        known = {(hub_id, role) for hub_id, role in rows.values_list("hub_id", "role")}
        member._roles = known  # type: ignore[attr-defined]  # kept on the instance
    return {pair for pair in known if hub is None or pair[0] == hub.pk}


def holds(member: Any, action: Action, hub: Hub) -> bool:
    """Whether a role of ``member`` gives ``action`` at ``hub``. A worker may book at every hub of the network.

    For showing what there is; whether it may be done now is `allowed`.
    """
    return bool(_giving(member, action, hub))


def allowed(member: Any, action: Action, hub: Hub) -> bool:
    """Whether ``member`` may do ``action`` at ``hub`` now.

    Raises `SecondFactorNeeded` where only a staff role gives it and the session lacks the second factor: whatever
    page or call asks, nothing of staff is done without.
    """
    roles = _giving(member, action, hub)
    if roles and roles <= set(STAFF_ROLES) and factors.missing(member):
        raise SecondFactorNeeded
    return bool(roles)


def _giving(member: Any, action: Action, hub: Hub) -> set[str]:
    wanted = roles_for(action)
    pairs = roles_of(member, None if action == Action.BOOK else hub)
    return {role for _hub, role in pairs if role in wanted}


def is_staff_at(member: Any, hub: Hub) -> bool:
    return any(role in STAFF_ROLES for _hub, role in roles_of(member, hub))


def staff_hub_ids(member: Any) -> set[int]:
    """Hubs at which ``member`` holds a staff role."""
    return {hub_id for hub_id, role in roles_of(member) if role in STAFF_ROLES}


def sign_in_too_old(member: Any, since: datetime) -> bool:
    """Staff sign in every 12 hours (design 8), also who was made staff while signed in as a worker for 90 days."""
    age = (clock.machine_now() - since).total_seconds()
    return age >= settings.STAFF_SESSION_SECONDS and (member.is_staff or bool(staff_hub_ids(member)))


def hub_for(member: Any, slug: str, action: Action) -> Hub:
    """The hub, if ``member`` may do ``action`` there. Strangers to its staff get 404, other staff 403."""
    hub = Hub.objects.filter(slug=slug).first()
    if hub is None or not is_staff_at(member, hub):
        raise Http404
    if not allowed(member, action, hub):
        raise PermissionDenied
    return hub


_WORKPLACES = f"""
SELECT membership.hub_id, membership.role, hub.slug, hub.revision
FROM spaces_membership membership JOIN spaces_hub hub ON hub.id = membership.hub_id
WHERE membership.member_id = %s AND membership.status = '{MembershipStatus.ACTIVE}'
"""  # noqa: S608  the status is our own word


def workplace(member: Member, slug: str, action: Action) -> Hub:
    """As `hub_for`, in one written-out query for the hub and her roles together: for calls that must be quick.

    The hub is the row of its revision, as `facts.find_hub` gives it: not for changing.
    """
    with prepared() as cursor:
        cursor.execute(_WORKPLACES, [member.pk])
        rows = cursor.fetchall()
    member._roles = {(hub_id, role) for hub_id, role, _slug, _revision in rows}  # type: ignore[attr-defined]  # as `roles_of` keeps it
    hub = next((known_hub(hub_id, revision) for hub_id, _role, name, revision in rows if name == slug), None)
    if hub is None or not is_staff_at(member, hub):
        raise Http404
    if not allowed(member, action, hub):
        raise PermissionDenied
    return hub


def staff_page(
    action: Action,
) -> Callable[
    [Callable[Concatenate[HttpRequest, Hub, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, str, P], HttpResponse],
]:
    """Decorator of staff views: the URL's ``slug`` becomes the hub, or 404 / 403."""

    def wrap(
        view: Callable[Concatenate[HttpRequest, Hub, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, str, P], HttpResponse]:
        @wraps(view)
        @login_required
        def inner(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            return view(request, hub_for(request.user, slug, action), *args, **kwargs)

        return inner  # type: ignore[return-value]  # login_required keeps the arguments

    return wrap


def may_watch_hub(member: Any, rest: str) -> bool:
    """Live group ``hub.<slug>``: it only says that availability changed, so every active person may listen."""
    return bool(roles_of(member)) and Hub.objects.filter(slug=rest).exists()


def watcher(action: Action) -> Callable[[Any, str], bool]:
    """Rule of a live group named after a hub's slug: whoever may do ``action`` there may listen."""

    def rule(member: Any, rest: str) -> bool:
        hub = Hub.objects.filter(slug=rest).first()
        try:
            return hub is not None and allowed(member, action, hub)
        except SecondFactorNeeded:
            return False

    return rule


def is_oneself(member: Any, rest: str) -> bool:
    """Rule of the live group ``me.<member code>``."""
    return isinstance(member, Member) and member.is_active and member.code == rest
