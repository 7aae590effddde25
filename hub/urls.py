"""Every address. Japanese has no prefix, English stands under /en/; what machines call has no language."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from hub import views
from hub.api import api
from hub.api_inside import router as inside_router
from hub.childcare.urls import parent_urls
from hub.health import health

api.add_router("", inside_router)

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("health/", health, name="health"),
    path("", include("hub.demo.urls")),
    *i18n_patterns(
        path("", views.home, name="today"),
        path("", views.home, name="front"),
        path("about/", views.front, name="about"),
        path("styleguide/", views.styleguide, name="styleguide"),
        path("", include("hub.urls_people")),
        path("", include("hub.members.urls")),
        path("", include(parent_urls)),
        path("", include("hub.booking.urls")),
        path("", include("hub.desk.urls")),
        path("accounts/", include("allauth.urls")),
        prefix_default_language=False,
    ),
]
