"""Addresses of the manager's pages. Every one carries the hub's slug; `hub.urls` puts them under the language."""

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import URLPattern, path

from hub.desk import (
    views,
    views_children,
    views_hours,
    views_notices,
    views_people,
    views_quarter,
    views_rooms,
    views_roster,
    views_seats,
)

_pages: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("", views.day, "desk"),
    ("inside/", views.inside, "desk_inside"),
    ("visits/<slug:code>/release/", views.release, "desk_release"),
    ("people/", views_people.people_list, "desk_people"),
    ("people/invite/", views_people.invite, "desk_invite"),
    ("people/invite/<slug:code>/withdraw/", views_people.withdraw, "desk_invite_withdraw"),
    ("people/<slug:code>/", views_people.person, "desk_person"),
    ("people/<slug:code>/roles/", views_people.role_add, "desk_role_add"),
    ("people/<slug:code>/roles/<slug:role>/end/", views_people.role_end, "desk_role_end"),
    ("people/<slug:code>/block/", views_people.block, "desk_block"),
    ("people/<slug:code>/sign-in/", views_people.factors_reset, "desk_factors_reset"),
    ("people/<slug:code>/missed/<slug:visit>/", views_people.waive, "desk_waive"),
    ("people/<slug:code>/unblock/", views_people.unblock, "desk_unblock"),
    ("hours/", views_hours.hours, "desk_hours"),
    ("settings/", views_hours.hub_settings, "desk_settings"),
    ("closures/", views_hours.closures, "desk_closures"),
    ("closures/<slug:code>/end/", views_hours.closure_end, "desk_closure_end"),
    ("storm/", views_hours.storm, "desk_storm"),
    ("storm/steps/", views_hours.storm_steps, "desk_storm_steps"),
    ("holidays/", views_hours.holidays, "desk_holidays"),
    ("holidays/import/", views_hours.holidays_import, "desk_holidays_import"),
    ("holidays/<str:day>/", views_hours.holiday_edit, "desk_holiday"),
    ("seats/", views_seats.seats, "desk_seats"),
    ("seats/new/", views_seats.seat_new, "desk_seat_new"),
    ("seats/<slug:code>/", views_seats.seat_edit, "desk_seat"),
    ("seats/<slug:code>/off/", views_seats.seat_off, "desk_seat_off"),
    ("seats/<slug:code>/on/", views_seats.seat_on, "desk_seat_on"),
    ("zones/new/", views_seats.zone_new, "desk_zone_new"),
    ("zones/<slug:code>/", views_seats.zone_edit, "desk_zone"),
    ("zones/<slug:code>/delete/", views_seats.zone_delete, "desk_zone_delete"),
    ("roster/", views_roster.roster_week, "desk_roster"),
    ("roster/shifts/new/", views_roster.shift_new, "desk_shift_new"),
    ("roster/shifts/<slug:code>/", views_roster.shift_edit, "desk_shift"),
    ("roster/shifts/<slug:code>/end/", views_roster.shift_end, "desk_shift_end"),
    ("roster/absent/", views_roster.absent, "desk_absent"),
    ("roster/extra/", views_roster.extra, "desk_extra"),
    ("roster/changes/<slug:code>/remove/", views_roster.change_remove, "desk_change_remove"),
    ("carers/", views_roster.carers, "desk_carers"),
    ("carers/new/", views_roster.carer_new, "desk_carer_new"),
    ("carers/<slug:code>/", views_roster.carer_edit, "desk_carer"),
    ("carers/<slug:code>/end/", views_roster.carer_end, "desk_carer_end"),
    ("rooms/new/", views_rooms.room_new, "desk_room_new"),
    ("rooms/<slug:code>/", views_rooms.room_edit, "desk_room"),
    ("notices/", views_notices.examples, "desk_notices"),
    ("care/", views_quarter.explain, "desk_quarter"),
    ("children/", views_children.children, "desk_children"),
    ("children/<slug:code>/", views_children.child, "desk_child"),
    ("children/<slug:code>/decide/", views_children.decide, "desk_child_decide"),
    ("children/<slug:code>/birthday/", views_children.birthday, "desk_child_birthday"),
]

urlpatterns: list[URLPattern] = [
    path(f"desk/<slug:slug>/{rest}", view, name=name) for rest, view, name in _pages
]
