"""URLs of childcare. `hub.urls` puts them under the language prefix."""

from django.urls import path

from hub.childcare import views_parent

parent_urls = [
    path("me/children/", views_parent.children, name="children"),
    path("me/children/new/", views_parent.child_add, name="child_add"),
    path("me/children/<str:code>/", views_parent.child_edit, name="child_edit"),
    path("me/household/<str:code>/leave/", views_parent.household_leave, name="household_leave"),
]
