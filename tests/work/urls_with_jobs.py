"""The product's addresses, and the two of the worker's pages that notices of review name, for as long as those are not built."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from hub.urls import *  # noqa: F403  the handlers too
from hub.urls import urlpatterns as _product


def nothing(request: HttpRequest, code: str = "") -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    *_product,
    path("jobs/", nothing, name="jobs"),
    path("jobs/<slug:code>/", nothing, name="job_unit"),
]
