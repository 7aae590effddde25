"""The site as an app on a phone: manifest, service worker, the page without a net, and how to put it on the home screen."""

import hashlib
import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET

from hub.core.templatetags.hidamari import asset
from hub.spaces.joining import open_hubs

#: What every page is drawn with. Their addresses change with their content, and with them the worker's version.
SHELL = (
    "css/hidamari.css", "django_htmx/htmx-2.min.js", "js/app.js", "js/pass.js", "js/pwa.js", "img/icons.svg",
    "img/favicon.svg",
)  # fmt: skip
ICONS = (("192x192", "img/app-192.png"), ("512x512", "img/app-512.png"))


@require_GET
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone needs to install the site (W3C Application Manifest), in the language of its address."""
    icons = [
        {"src": asset(path), "sizes": size, "type": "image/png", "purpose": purpose}
        for size, path in ICONS
        for purpose in ("any", "maskable")
    ]
    shortcuts = [
        {"name": name, "url": reverse(page), "icons": icons[:1]}
        for name, page in ((_("入口で QR を見せる"), "pass"), (_("予約する"), "book"))
    ]
    body = {
        "id": "/", "start_url": reverse("today"), "scope": "/", "display": "standalone",
        "name": settings.PRODUCT_NAME, "short_name": settings.PRODUCT_NAME,
        "description": _("子どもを 預けて、ここで はたらく。"), "lang": request.LANGUAGE_CODE, "dir": "ltr",
        "theme_color": "#1b5e75", "background_color": "#fbf8f3", "icons": icons, "shortcuts": shortcuts,
    }  # fmt: skip
    answer = JsonResponse(body, json_dumps_params={"ensure_ascii": False})
    answer.headers["Content-Type"] = "application/manifest+json"
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


@require_GET
def service_worker(request: HttpRequest) -> HttpResponse:
    """`/sw.js`: its bytes change with every file it keeps and with the hubs' telephone numbers, and only then."""
    pages = []
    for language in ("ja", "en"):
        with override(language):
            pages.append(reverse("offline"))
    files = [*(asset(path) for path in SHELL), *pages]
    seen = [
        *files,
        *open_hubs().values_list("name", "name_en", "phone"),
        settings.PRODUCT_NAME,
        settings.HELP_PHONE,
    ]
    version = hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:10]
    news = []
    for language in ("ja", "en"):
        with override(language):
            news.append(_("新しい お知らせが あります"))
    words = {"product": settings.PRODUCT_NAME, "news": " / ".join(news), "icon": asset("img/app-192.png")}
    shown = {name: json.dumps(word, ensure_ascii=False) for name, word in words.items()}
    text = render_to_string("app/sw.js", {"version": version, "files": json.dumps(files), "words": shown})
    return HttpResponse(
        text,
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"},
    )


@require_GET
def offline(request: HttpRequest) -> HttpResponse:
    """Shown by the service worker where nothing else can be: what still works, and the hubs' telephone numbers."""
    page = render(request, "offline.html", {"hubs": open_hubs()})
    page.headers["Cache-Control"] = "no-cache"
    return page


@require_GET
def home_screen(request: HttpRequest) -> HttpResponse:
    """`/app/`, 「ホーム画面に 置く」: two drawings, since iPhones show no prompt of their own."""
    return render(request, "home_screen.html", {"tab": "me"})
