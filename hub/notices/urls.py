from django.urls import path

from hub.notices import views

urlpatterns = [
    path("me/notices/", views.notices, name="notices"),
    path("me/notify/", views.notify, name="notify"),
    path("me/notify/devices/", views.push_subscribe, name="push_subscribe"),
    path("me/notify/devices/<slug:code>/remove/", views.push_remove, name="push_remove"),
]
