"""Addresses of doing a unit and of what is said about it afterwards. Codes are random."""

from django.urls import URLPattern, path

from hub.work import views_doing

urlpatterns: list[URLPattern] = [
    path("jobs/assignments/<slug:code>/", views_doing.assignment, name="job_assignment"),
    path("jobs/units/<slug:code>/", views_doing.unit, name="job_unit"),
    path("jobs/units/<slug:code>/draft/", views_doing.draft, name="job_draft"),
    path("jobs/units/<slug:code>/ask/", views_doing.ask, name="job_ask"),
    path("jobs/deliveries/<slug:code>/appeal/", views_doing.appeal, name="job_appeal"),
]
