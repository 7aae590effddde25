"""Addresses of handing out and taking work."""

from django.urls import URLPattern, path

from hub.work import views_handing, views_jobs

_WORK = "desk/<slug:slug>/work/"
_DESK = f"{_WORK}orders/<slug:code>/hand/"

urlpatterns: list[URLPattern] = [
    path(_DESK, views_handing.hand, name="desk_hand"),
    path(f"{_DESK}share/", views_handing.share, name="desk_hand_share"),
    path(f"{_DESK}lots/<int:number>/invite/", views_handing.invite, name="desk_hand_invite"),
    path(f"{_DESK}lots/<int:number>/claims/", views_handing.claims, name="desk_hand_claims"),
    path("jobs/", views_jobs.index, name="jobs"),
    path("jobs/offers/<slug:code>/", views_jobs.offer, name="job_offer"),
    path("jobs/offers/<slug:code>/answer/", views_jobs.answer, name="job_answer"),
    path("jobs/assignments/<slug:code>/notice/", views_jobs.notice_text, name="job_notice"),
    path("jobs/assignments/<slug:code>/hand-back/", views_jobs.hand_back, name="job_hand_back"),
    path("jobs/take/<slug:code>/<int:number>/", views_jobs.take, name="job_take"),
    path("jobs/hours/<slug:slug>/", views_jobs.hours, name="job_hours"),
]
