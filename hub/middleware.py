"""What every answer needs beside its page."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.views.defaults import page_not_found

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
            answer.headers["HX-Redirect"] = response.headers["Location"]
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
