"""What every answer needs beside its page."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.views.defaults import page_not_found

from hub.core import live, sessions
from hub.members import factors
from hub.members.models import Member
from hub.spaces.access import SecondFactorNeeded, staff_hub_ids

log = structlog.get_logger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]


class DatabaseAwayMiddleware:
    """A database that is busy or away answers with a clear page and the telephone number, not with a 500."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError) as error:
            return self.page(request, error)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, OperationalError | InterfaceError):
            return self.page(request, error)
        if isinstance(error, DataError):  # PostgreSQL stores no NUL, so what was asked for cannot be there
            return page_not_found(request, Http404())
        return None

    @staticmethod
    def page(request: HttpRequest, error: Exception) -> HttpResponse:
        log.error("database_away", path=request.path, error=repr(error))
        html = render_to_string(
            "db_down.html", {"help_phone": settings.HELP_PHONE, "product_name": settings.PRODUCT_NAME}
        )
        return HttpResponse(html, status=503, headers={"Retry-After": "5", "Cache-Control": "no-store"})


class SignInMiddleware:
    """How long a sign-in lasts (design 8), and word to the open pages of a session that ended, however it did."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session, before = request.session, request.session.session_key
        if before and not request.path.startswith("/health/") and session.get(SESSION_KEY):
            self._limit(request)
        response = self.get_response(request)
        if (
            before and session.session_key != before
        ):  # signed out, signed in as another, a new key for a new password
            live.end_session(before)
        if session.modified:
            sessions.note_sign_in(session)
        return response

    @staticmethod
    def _limit(request: HttpRequest) -> None:
        """End what is too old for the roles that somebody has by now; on a shared device move the end on."""
        session = request.session
        if sessions.is_fresh(session) and not sessions.is_shared(request):
            return  # nothing to ask the database
        if not request.user.is_authenticated:
            return
        if sessions.is_over(session, request.user):
            logout(request)
            if not request.path.startswith("/api/"):
                messages.info(request, _("スタッフは 12時間ごとに 入りなおします。もう一度 入ってください。"))
        elif sessions.is_shared(request) and sessions.by_a_person(request):
            sessions.renew(session, request.user)


class PageMiddleware:
    """Private pages are not stored; sign-in lost inside a swap reloads the page; a new member is welcomed first.

    ``X-Who`` names the signed-in person in a way that means nothing elsewhere: the service worker (templates/app/sw.js)
    throws away copies of everybody else.
    """

    OPEN = (
        "/static/", "/api/", "/admin/", "/accounts/", "/en/accounts/", "/jsi18n/", "/health/", "/sw.js", "/offline/",
        "/en/offline/", "/manifest.webmanifest", "/en/manifest.webmanifest",
    )  # fmt: skip

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = request.method == "POST" and request.session.get("_auth_user_id")
        response = self._welcome(request) or self.get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        if request.path.startswith("/static/"):
            return response
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers["X-Who"] = salted_hmac("hub.copies", user.code).hexdigest()[:16]
        elif before:
            response.headers["Clear-Site-Data"] = (
                '"cache"'  # she signed out: nothing of hers stays in this browser
            )
        htmx = getattr(request, "htmx", None)
        if htmx and response.status_code == 302 and "/accounts/login" in response.headers.get("Location", ""):
            answer = HttpResponse(status=204)
            # Back to the page afterwards, not to the fragment that it asked for.
            here = urlencode({"next": htmx.current_url_abs_path or "/"})
            answer.headers["HX-Redirect"] = f"{response.headers['Location'].partition('?')[0]}?{here}"
            return answer
        return response

    def _welcome(self, request: HttpRequest) -> HttpResponse | None:
        """Somebody who just signed up has no name yet: name, furigana and home hub come first."""
        if request.path.startswith(self.OPEN) or not request.session.get("_auth_user_id"):
            return None
        if request.user.is_authenticated and not request.user.name:
            welcome = reverse("welcome")
            if request.path not in (welcome, reverse("sign_out"), reverse("after_sign_in")):
                return redirect(welcome)
        return None


class StaffFactorMiddleware:
    """Leads staff to a second factor where `STAFF_MFA_REQUIRED` says so (always outside the demo).

    `hub.spaces.access.allowed` refuses every staff right to a session without one, on whatever page or call. Here
    that refusal becomes a way: to set one up, or to give the one that is there. Pages under `PLACES` are led on
    before they begin, so that none of them has to think of it.
    """

    PLACES = ("/desk/", "/door/", "/care/", "/admin/")

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.STAFF_MFA_REQUIRED and request.session.get("_auth_user_id"):
            plain = request.user
            request.user = cast(Any, SimpleLazyObject(lambda: self._noted(plain, request)))
            if request.path.removeprefix("/en").startswith(self.PLACES) and self._lacks(request.user):
                return self.lead(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return self.lead(request) if isinstance(error, SecondFactorNeeded) else None

    @staticmethod
    def _noted(user: Any, request: HttpRequest) -> Any:
        if isinstance(user, Member):
            factors.note(user, request.session)
        return user

    @staticmethod
    def _lacks(user: Any) -> bool:
        """Somebody of the staff without a factor. Others are none of our business: the page refuses them itself."""
        return (
            isinstance(user, Member) and bool(user.is_staff or staff_hub_ids(user)) and factors.missing(user)
        )

    @staticmethod
    def lead(request: HttpRequest) -> HttpResponse:
        """To the page that asks for the factor, and from there back. A form that was sent is not kept."""
        member = request.user
        assert isinstance(member, Member)
        htmx = request.headers.get("HX-Request") == "true"
        back = request.get_full_path() if request.method in ("GET", "HEAD") else ""
        if htmx:  # a part of a page: the whole page comes back
            parts = urlsplit(request.headers.get("HX-Current-URL", ""))
            back = f"{parts.path}?{parts.query}" if parts.query else parts.path
        has = factors.factors_of(member)
        name = "second_factor"
        if has:
            name = "mfa_reauthenticate_webauthn" if has.passkeys else "mfa_reauthenticate"
        target = f"{reverse(name)}?{urlencode({'next': back or reverse('today')})}"
        if htmx:
            return HttpResponse(status=204, headers={"HX-Redirect": target})
        return redirect(target)
