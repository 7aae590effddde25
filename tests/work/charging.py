"""Addresses that charge a worker, which the product must never have: test_no_charge.py shows that its walk finds them."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.urls import path

from hub.spaces.models import Hub
from hub.urls import urlpatterns as real
from hub.work.models import LedgerLine


def seat_fee(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        LedgerLine.objects.create(hub=Hub.objects.all()[0], month=date(2026, 12, 1), kind="other", yen=400)
    return HttpResponse("ok")


def care_bill(request: HttpRequest) -> HttpResponse:
    return HttpResponse("預かりの お金は 1,200円です。")


urlpatterns = [
    path("seat-fee/", seat_fee, name="seat_fee"),
    path("care-bill/", care_bill, name="care_bill"),
    *real,
]
