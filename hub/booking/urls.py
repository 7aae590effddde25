"""URLs of booking. `hub.urls` puts them under the language prefix."""

from django.urls import path

from hub.booking import views, views_staff, views_week

urlpatterns = [
    path("book/", views.book, name="book"),
    path("book/", views.book, name="book_post"),
    path("book/avail/", views.book_avail, name="book_avail"),
    path("book/seat/", views.book_seat, name="book_seat"),
    path("book/seat/pick/", views.book_seat_pick, name="book_seat_pick"),
    path("visits/", views.visits, name="visits"),
    path("visits/<str:code>.ics", views.visit_file, name="visit_ics"),
    path("visits/<str:code>/", views.visit_detail, name="visit_detail"),
    path("visits/<str:code>/done/", views.visit_done, name="visit_done"),
    path("visits/<str:code>/change/", views.visit_change, name="visit_change"),
    path("visits/<str:code>/extend/", views.visit_extend, name="visit_extend"),
    path("visits/<str:code>/leave/", views.visit_leave, name="visit_leave"),
    path("visits/<str:code>/cancel/", views.visit_cancel, name="visit_cancel"),
    path("visits/<str:code>/cancel/<str:child>/", views.visit_cancel_child, name="visit_cancel_child"),
    path("series/", views_week.series_post, name="series_post"),
    path("series/new/", views_week.series_new, name="series_new"),
    path("series/preview/", views_week.series_preview, name="series_preview"),
    path("series/<str:code>.ics", views_week.series_file, name="series_ics"),
    path("series/<str:code>/", views_week.series_detail, name="series_detail"),
    path("series/<str:code>/change/", views_week.series_change, name="series_change"),
    path("series/<str:code>/cancel/", views_week.series_cancel, name="series_cancel"),
    path("hubs/<slug:slug>/", views.hub_page, name="hub_page"),
    path("desk/<slug:slug>/book/", views_staff.desk_book, name="desk_book"),
    path("desk/<slug:slug>/book/new/", views_staff.desk_new_member, name="desk_new_member"),
]
