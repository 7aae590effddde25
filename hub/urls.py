"""Every address. Japanese has no prefix, English stands under /en/; what machines call has no language."""

from importlib import import_module
from typing import Any

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from hub import views
from hub.api import api
from hub.childcare.urls import parent_urls
from hub.members import urls as member_urls


def there(module: str) -> bool:  # while pages are being written; the final list has no condition
    try:
        return import_module(module) is not None
    except ImportError:
        return False


people: list[Any] = []
for module in ("hub.urls_people", "hub.booking.urls", "hub.desk.urls"):
    if there(module):
        people.append(path("", include(module)))
machines: list[Any] = []
for module in ("hub.demo.urls", "hub.health_urls"):
    if there(module):
        machines.append(path("", include(module)))

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    *machines,
    *i18n_patterns(
        path("", views.home, name="today"),
        path("", views.home, name="front"),
        path("about/", views.front, name="about"),
        *people,
        *member_urls.urlpatterns,
        *parent_urls,
        path("accounts/", include("allauth.urls")),
        prefix_default_language=False,
    ),
]
