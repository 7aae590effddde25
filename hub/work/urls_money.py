"""Addresses of percents, statements, the hub's month, and a worker's own pay."""

from django.urls import URLPattern, path

from hub.work import views_money as views

_DESK = "desk/<slug:slug>/work/"
urlpatterns: list[URLPattern] = [
    path(f"{_DESK}pay/", views.desk_pay, name="desk_pay"),
    path(f"{_DESK}pay/make/", views.desk_pay_make, name="desk_pay_make"),
    path(f"{_DESK}pay/paid/", views.desk_pay_paid, name="desk_pay_paid"),
    path(f"{_DESK}pay/statements.csv", views.desk_pay_csv, name="desk_pay_csv"),
    path(f"{_DESK}pay/orders.csv", views.desk_pay_orders_csv, name="desk_pay_orders_csv"),
    path(f"{_DESK}pay/<slug:code>/undo/", views.desk_pay_undo, name="desk_pay_undo"),
    path(f"{_DESK}rates/", views.desk_rates, name="desk_rates"),
    path(f"{_DESK}ledger/", views.desk_ledger, name="desk_ledger"),
    path(f"{_DESK}ledger/<slug:code>/remove/", views.desk_ledger_remove, name="desk_ledger_remove"),
    path(f"{_DESK}orders/<slug:code>/price/", views.desk_price, name="desk_price"),
    path("jobs/pay/", views.pay, name="pay"),
    path("jobs/pay/profile/", views.pay_profile, name="pay_profile"),
    path("jobs/pay/year/", views.pay_year, name="pay_year"),
    path("jobs/pay/<slug:code>/", views.pay_statement, name="pay_statement"),
    path("jobs/pay/<slug:code>/statement.pdf", views.pay_pdf, name="pay_pdf"),
]
