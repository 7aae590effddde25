"""Every address. Japanese has no prefix, English stands under /en/; what machines call has no language."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from hub import views, views_app, views_welcome
from hub.api import api
from hub.booking.views_calendar import calendar_feed
from hub.checkin.urls_door import plain_urls
from hub.childcare.urls import care_urls, parent_urls
from hub.health import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("admin/login/", views_welcome.admin_sign_in, name="admin_sign_in"),
    path("admin/", admin.site.urls),
    path("health/", health, name="health"),
    path("calendar/<str:secret>.ics", calendar_feed, name="calendar_feed"),
    path("sw.js", views_app.service_worker, name="service_worker"),
    path("", include("hub.demo.urls")),
    *plain_urls,
    *i18n_patterns(
        path("", views.home, name="today"),
        path("", views.home, name="front"),
        path("now/", views.today_now, name="today_now"),
        path("now/notices/", views.today_notices, name="today_notices"),
        path("about/", views.front, name="about"),
        path("manifest.webmanifest", views_app.manifest, name="manifest"),
        path("offline/", views_app.offline, name="offline"),
        path("app/", views_app.home_screen, name="home_screen"),
        path("styleguide/", views.styleguide, name="styleguide"),
        path("", include("hub.urls_people")),
        path("", include("hub.members.urls")),
        path("", include("hub.notices.urls")),
        path("", include(parent_urls)),
        path("", include(care_urls)),
        path("", include("hub.booking.urls")),
        path("", include("hub.checkin.urls_pass")),
        path("", include("hub.checkin.urls_door")),
        path("", include("hub.desk.urls")),
        path("", include("hub.work.urls")),
        path("accounts/", include("allauth.account.urls")),
        path("accounts/2fa/", include("hub.members.urls_mfa")),
        prefix_default_language=False,
    ),
]
