"""URLs of childcare. `hub.urls` puts them under the language prefix."""

from django.urls import path

from hub.childcare import views_care, views_parent

parent_urls = [
    path("me/children/", views_parent.children, name="children"),
    path("me/children/new/", views_parent.child_add, name="child_add"),
    path("me/children/<str:code>/", views_parent.child_edit, name="child_edit"),
    path("me/household/<str:code>/leave/", views_parent.household_leave, name="household_leave"),
]
care_urls = [
    path("care/", views_care.board, name="care"),
    path("care/arrivals/", views_care.arrivals, name="care_arrivals"),
    path("care/cover/", views_care.cover, name="care_cover"),
    path("care/staff/", views_care.staff, name="care_staff"),
    path("care/staff/<slug:code>/", views_care.clock_carer, name="care_clock"),
    path("care/<slug:code>/", views_care.child, name="care_child"),
    path("care/<slug:code>/in/", views_care.receive, name="care_receive"),
    path("care/<slug:code>/out/", views_care.hand_over, name="care_hand_over"),
    path("care/<slug:code>/contact/", views_care.contact, name="care_contact"),
    path("care/<slug:code>/undo/", views_care.undo, name="care_undo"),
]
