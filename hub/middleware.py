"""What every answer needs beside its page."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.defaults import page_not_found

from hub.core import live, sessions

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
    """Private pages are not stored; sign-in lost inside a swap reloads the page; a new member is welcomed first."""

    OPEN = ("/static/", "/api/", "/admin/", "/accounts/", "/en/accounts/", "/jsi18n/", "/health/")

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._welcome(request) or self.get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        if request.path.startswith("/static/"):
            return response
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
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
