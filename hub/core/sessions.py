"""How long a sign-in lasts, and whether it still stands (design 8). The rule about roles is handed in by `hub.wiring`.

Sessions live on the machine's own time. A device that many people use is marked by a cookie that survives signing out;
there every sign-in ends 15 minutes after the last thing that a person asked for, and after 12 hours at the latest.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from hub.core import clock

SHARED_COOKIE = "shared_device"
SIGNED_IN_AT = "signed_in_at"  # in the session: seconds since 1970
STEP = timedelta(seconds=30)  # the end moves in steps, so that not every request writes the session

_over: Callable[[Any, datetime], bool] = lambda member, since: False  # noqa: E731  replaced at start
_note: Callable[[Any, Any], None] = lambda member, session: None  # noqa: E731  replaced at start


def use(over: Callable[[Any, datetime], bool], note: Callable[[Any, Any], None]) -> None:
    """Take two rules (called by `hub.wiring`): ``over(member, signed in at)``, whether the sign-in is too old for what
    she may do; ``note(member, session)``, which keeps on her whether the session gave a second factor."""
    global _over, _note
    _over, _note = over, note


# ---------------------------------------------------------------- whose session, and does it still stand


def person_of(key: str | None) -> Any | None:
    """The member whose session has this key, read afresh from the database, or None when it is over. Changes nothing.

    Over: no such row or its time is up, account inactive, password changed, signed out elsewhere, sign-in too old.
    """
    if not key:
        return None
    store = cast(type[SessionBase], import_module(settings.SESSION_ENGINE).SessionStore)
    session = store(key)
    backend, pk = session.get(BACKEND_SESSION_KEY), session.get(SESSION_KEY)
    if pk is None or backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    member: Any = load_backend(backend).get_user(pk)
    if member is None or not _hash_fits(session.get(HASH_SESSION_KEY, ""), member):
        return None
    if is_over(session, member):
        return None
    _note(member, session)
    return member


def _hash_fits(known: str, member: Any) -> bool:
    hashes = [member.get_session_auth_hash(), *member.get_session_auth_fallback_hash()]
    return any(constant_time_compare(known, one) for one in hashes)


def is_over(session: SessionBase, member: Any) -> bool:
    """Whether the sign-in is too old for the roles that ``member`` has by now."""
    return _over(member, signed_in_at(session, member))


def signed_in_at(session: SessionBase, member: Any) -> datetime:
    """When this session was signed in. Sessions from before this was kept: the member's last sign-in anywhere."""
    seconds = session.get(SIGNED_IN_AT)
    if seconds is not None:
        return datetime.fromtimestamp(seconds, UTC)
    last: datetime | None = member.last_login
    return last or clock.machine_now()


def is_fresh(session: SessionBase) -> bool:
    """Whether nobody's sign-in is too old yet; True spares asking for the member and her roles."""
    seconds = session.get(SIGNED_IN_AT)
    return seconds is not None and clock.machine_now().timestamp() - seconds < settings.STAFF_SESSION_SECONDS


def note_sign_in(session: SessionBase) -> None:
    """Keep when somebody signed in; for a session that is about to be saved."""
    if SESSION_KEY in session and SIGNED_IN_AT not in session:
        session[SIGNED_IN_AT] = int(clock.machine_now().timestamp())


# ---------------------------------------------------------------- a device that many people use


def is_shared(request: HttpRequest) -> bool:
    """Whether somebody said that many people use this device."""
    return request.COOKIES.get(SHARED_COOKIE) == "1"


def by_a_person(request: HttpRequest) -> bool:
    """Whether somebody asked for this, rather than a page that refreshes itself.

    Pages mark what they fetch on their own: scripts by the header ``X-Live``, the refresh without JavaScript by ``?auto=``.
    """
    return "X-Live" not in request.headers and "auto" not in request.GET


def renew(session: SessionBase, member: Any) -> None:
    """On a shared device: the session ends after 15 idle minutes from now, but never later than 12 hours in all."""
    now = clock.machine_now()
    latest = signed_in_at(session, member) + timedelta(seconds=settings.STAFF_SESSION_SECONDS)
    until = min(now + timedelta(seconds=settings.SHARED_IDLE_SECONDS), latest)
    kept = session.get("_session_expiry")
    if not isinstance(kept, str) or abs(until - datetime.fromisoformat(kept)) > STEP:
        session.set_expiry(until)


def own_device(session: SessionBase, member: Any) -> None:
    """No longer shared: 12 hours for staff, otherwise as long as on anybody's own phone."""
    staff = _over(member, datetime.min.replace(tzinfo=UTC))
    session.set_expiry(settings.STAFF_SESSION_SECONDS if staff else None)


def mark_shared(response: HttpResponse, shared: bool) -> None:
    """Remember on the device itself, beyond this sign-in, whether many people use it."""
    if not shared:
        response.delete_cookie(SHARED_COOKIE)
        return
    response.set_cookie(
        SHARED_COOKIE, "1", max_age=timedelta(days=400), secure=settings.SESSION_COOKIE_SECURE, httponly=True,
        samesite="Lax",
    )  # fmt: skip
