"""Addresses of the director's review pages, and of the manager's appeals."""

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import URLPattern, path

from hub.work import views_review as views

_pages: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("review/", views.queue, "desk_review"),
    ("review/bulk/", views.bulk, "desk_review_bulk"),
    ("review/<slug:code>/", views.one, "desk_review_one"),
    ("questions/", views.questions, "desk_questions"),
    ("questions/<slug:code>/", views.question, "desk_question"),
    ("orders/<slug:code>/units/<int:number>/control/", views.control, "desk_control"),
    ("orders/<slug:code>/lots/<int:number>/course/", views.course, "desk_course"),
    ("levels/", views.levels, "desk_levels"),
    ("levels/<slug:code>/", views.level, "desk_level"),
    ("appeals/", views.appeals, "desk_appeals"),
    ("appeals/<slug:code>/", views.appeal, "desk_appeal"),
]
urlpatterns: list[URLPattern] = [
    path(f"desk/<slug:slug>/work/{rest}", view, name=name) for rest, view, name in _pages
]
