"""URLs of booking. `hub.urls` puts them under the language prefix."""

from django.urls import path

from hub.booking import views, views_calendar, views_sick, views_staff, views_wait

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
    path("me/calendar/", views_calendar.calendars, name="calendars"),
    path("me/calendar/<slug:code>/revoke/", views_calendar.calendar_revoke, name="calendar_revoke"),
    path("me/calendar/<slug:code>/renew/", views_calendar.calendar_renew, name="calendar_renew"),
    path("desk/<slug:slug>/calendars/", views_calendar.desk_calendars, name="desk_calendars"),
    path("sick/", views_sick.sick_report, name="sick"),
    path("sick/<str:code>/", views_sick.sick_done, name="sick_done"),
    path("visits/<str:code>/coming/", views_wait.visit_coming, name="visit_coming"),
    path("visits/<str:code>/not-coming/", views_wait.visit_not_coming, name="visit_not_coming"),
    path("wait/", views_wait.wait, name="wait"),
    path("waiting/", views_wait.waits, name="waits"),
    path("waiting/<str:code>/", views_wait.wait_entry, name="wait_entry"),
    path("waiting/<str:code>/leave/", views_wait.wait_leave, name="wait_leave"),
    path("offers/<str:code>/", views_wait.offer, name="offer"),
    path("offers/<str:code>/accept/", views_wait.offer_accept, name="offer_accept"),
    path("offers/<str:code>/decline/", views_wait.offer_decline, name="offer_decline"),
    path("desk/<slug:slug>/waiting/", views_wait.desk_waiting, name="desk_waiting"),
    path("hubs/<slug:slug>/", views.hub_page, name="hub_page"),
    path("desk/<slug:slug>/book/", views_staff.desk_book, name="desk_book"),
    path("desk/<slug:slug>/book/new/", views_staff.desk_new_member, name="desk_new_member"),
]
