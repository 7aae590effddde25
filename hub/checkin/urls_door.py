"""Addresses of the door. `hub.urls` puts the pages under the language; the manifest has none."""

from django.urls import path

from hub.checkin import views_door as views

urlpatterns = [
    path("door/", views.door, name="door"),
    path("door/counts/", views.door_counts, name="door_counts"),
    path("door/scan/", views.door_scan, name="door_scan"),
    path("door/scan/<uuid:scan_id>/", views.door_result, name="door_result"),
    path("door/scan/<uuid:scan_id>/undo/", views.door_undo, name="door_undo"),
    path("door/scan/<uuid:scan_id>/seat/", views.door_seat, name="door_seat"),
    path("door/search/", views.door_search, name="door_search"),
    path("door/visitors/", views.door_visitor, name="door_visitor"),
    path("door/visitors/<slug:code>/leave/", views.door_visitor_leave, name="door_visitor_leave"),
]
plain_urls = [path("door.webmanifest", views.door_manifest, name="door_manifest")]
