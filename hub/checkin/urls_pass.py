"""URLs of a member's own pass. `hub.urls` puts them under the language prefix."""

from django.urls import path

from hub.checkin import views_pass

urlpatterns = [
    path("pass/", views_pass.pass_page, name="pass"),
    path("pass/<str:code>/", views_pass.pass_visit, name="pass_visit"),
    path("presence/<str:code>/left/", views_pass.presence_left, name="presence_left"),
    path("presence/<str:code>/still/", views_pass.presence_still, name="presence_still"),
]
