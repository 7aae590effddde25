"""Addresses of the director's pages. Every one carries the hub's slug; codes are random, nothing of a client is in them."""

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import URLPattern, path

from hub.work import urls_doing, urls_handing, urls_money, urls_review, views, views_imports

_pages: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("", views.order_list, "desk_work"),
    ("clients/", views.clients, "desk_clients"),
    ("clients/new/", views.client_new, "desk_client_new"),
    ("clients/<slug:code>/", views.client, "desk_client"),
    ("clients/<slug:code>/nda/", views.nda_new, "desk_nda_new"),
    ("orders/new/", views.order_new, "desk_order_new"),
    ("orders/<slug:code>/", views.order, "desk_order"),
    ("orders/<slug:code>/edit/", views.order_edit, "desk_order_edit"),
    ("orders/<slug:code>/lots/", views.order_lots, "desk_order_lots"),
    ("orders/<slug:code>/accept/", views.order_accept, "desk_order_accept"),
    ("orders/<slug:code>/withdraw/", views.order_withdraw, "desk_order_withdraw"),
    ("orders/<slug:code>/terms/", views.order_terms, "desk_order_terms"),
    ("orders/<slug:code>/import/", views_imports.import_new, "desk_import_new"),
    ("orders/<slug:code>/units/<int:number>/", views.unit, "desk_unit"),
    ("imports/<slug:code>/", views_imports.import_page, "desk_import"),
    ("imports/<slug:code>/keep/", views_imports.import_keep, "desk_import_keep"),
    ("imports/<slug:code>/stop/", views_imports.import_stop, "desk_import_stop"),
]

urlpatterns: list[URLPattern] = [
    *(path(f"desk/<slug:slug>/work/{rest}", view, name=name) for rest, view, name in _pages),
    *urls_money.urlpatterns,  # before addresses that take any word behind /jobs/
    *urls_handing.urlpatterns,
    *urls_doing.urlpatterns,
    *urls_review.urlpatterns,
]
