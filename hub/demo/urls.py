"""Addresses of the demo, without a language prefix: the inbox belongs to nobody's page."""

from django.urls import path

from hub.demo import views

urlpatterns = [
    path("demo/inbox/", views.inbox, name="demo_inbox"),
    path("demo/inbox/<str:name>/<int:number>/<int:part>/", views.attachment, name="demo_attachment"),
]
