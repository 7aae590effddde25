"""The table role x action of `hub/access.py`, walked: each role, at its own hub and at another, on each page and service."""

from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from hub.access import TABLE
from hub.booking import services
from hub.booking.urls import urlpatterns as booking_urls
from hub.childcare.urls import care_urls
from hub.core.errors import DomainError
from hub.desk.urls import urlpatterns as desk_urls
from hub.members.models import Member
from hub.spaces.access import Action, allowed
from hub.spaces.enums import STAFF_ROLES, MembershipStatus, Role
from hub.spaces.models import Hub, Membership, Visit
from hub.work.urls import urlpatterns as work_urls
from tests import factories as make

#: The right that each page of the desk asks for.
NEEDS = {
    Action.SEE_DAY: {"desk"},
    Action.SEE_INSIDE: {"desk_inside"},
    Action.BOOK_FOR_OTHERS: {"desk_book", "desk_new_member", "desk_release"},
    Action.MANAGE_PEOPLE: {
        "desk_people", "desk_invite", "desk_invite_withdraw", "desk_person", "desk_role_add", "desk_role_end",
        "desk_block", "desk_unblock", "desk_factors_reset", "desk_waive",
    },
    Action.MANAGE_HOURS: {
        "desk_hours", "desk_settings", "desk_closures", "desk_closure_end", "desk_holidays", "desk_storm", "desk_storm_steps",
        "desk_holidays_import", "desk_holiday",
    },
    Action.MANAGE_SEATS: {
        "desk_seats", "desk_seat_new", "desk_seat", "desk_seat_off", "desk_seat_on", "desk_calendars", "desk_zone_new", "desk_zone",
        "desk_zone_delete",
    },
    Action.MANAGE_ROSTER: {
        "desk_roster", "desk_shift_new", "desk_shift", "desk_shift_end", "desk_absent", "desk_extra",
        "desk_change_remove", "desk_carers", "desk_carer_new", "desk_carer", "desk_carer_end", "desk_room_new",
        "desk_room",
    },
    Action.READ_NOTICE_WORDS: {"desk_notices"},
    Action.EXPLAIN_QUARTER: {"desk_quarter"},
    Action.SEE_WAITING: {"desk_waiting"},
    Action.DIRECT_WORK: {
        "desk_work", "desk_clients", "desk_client_new", "desk_client", "desk_nda_new", "desk_order_new", "desk_order",
        "desk_order_edit", "desk_order_lots", "desk_order_accept", "desk_order_withdraw", "desk_order_terms",
        "desk_import_new", "desk_unit", "desk_import", "desk_import_keep", "desk_import_stop",
        "desk_hand", "desk_hand_share", "desk_hand_invite", "desk_hand_claims",
        "desk_price",
        "desk_review", "desk_review_bulk", "desk_review_one", "desk_questions", "desk_question", "desk_control",
        "desk_course", "desk_levels", "desk_level",
    },
    Action.PAY_WORK: {
        "desk_pay", "desk_pay_make", "desk_pay_paid", "desk_pay_csv", "desk_pay_orders_csv", "desk_pay_undo",
    },
    Action.SEE_LEDGER: {"desk_rates", "desk_ledger", "desk_ledger_remove"},
    Action.ANSWER_APPEAL: {"desk_appeals", "desk_appeal"},
    Action.DECIDE_CHILD: {"desk_children", "desk_child", "desk_child_decide", "desk_child_birthday"},
}  # fmt: skip
PAGES = {name: action for action, pages in NEEDS.items() for name in pages}
NOWHERE = "ZZZZZZZZ"
STAFF_URLS = [*desk_urls, *booking_urls, *work_urls]


def person(role: Role, hub: Hub) -> Member:
    """Somebody who has this one role at this one hub."""
    return make.make_member("役 ひとつ", f"{role}@example.org", hub=hub, role=role)


def test_every_action_is_in_the_table_and_every_page_of_the_desk_has_one() -> None:
    named = {entry.name for entry in STAFF_URLS if isinstance(entry, URLPattern)}

    assert set(TABLE) == set(Action)
    assert {name for name in named if name and name.startswith("desk")} == set(PAGES)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_role_allows_what_the_table_says_at_its_own_hub_only(
    action: Action, role: Role, cast: SimpleNamespace
) -> None:
    member = person(role, cast.ekimae)
    everywhere = action == Action.BOOK  # a worker books at every hub of the network

    assert allowed(member, action, cast.ekimae) == (role in TABLE[action])
    assert allowed(member, action, cast.yagi) == (role in TABLE[action] and everywhere)


@pytest.mark.parametrize("status", [MembershipStatus.BLOCKED, MembershipStatus.ENDED])
@pytest.mark.parametrize("action", Action)
def test_ended_or_blocked_role_allows_nothing(
    action: Action, status: MembershipStatus, cast: SimpleNamespace
) -> None:
    role = next(iter(TABLE[action]))
    member = person(role, cast.ekimae)
    Membership.objects.filter(member=member).update(status=status)

    assert not allowed(Member.objects.get(pk=member.pk), action, cast.ekimae)


def address(name: str, slug: str) -> str:
    """The page's address; where it names a thing, one that does not exist: the right is asked first."""
    more = {
        "desk_role_end": [NOWHERE, "door"], "desk_holiday": ["2027-01-11"], "desk_unit": [NOWHERE, 1],
        "desk_hand_invite": [NOWHERE, 1], "desk_hand_claims": [NOWHERE, 1],
        "desk_control": [NOWHERE, 1], "desk_course": [NOWHERE, 1],
    }.get(name)  # fmt: skip
    if more is None:
        parts = next(entry for entry in STAFF_URLS if getattr(entry, "name", "") == name)
        more = [NOWHERE] * (len(parts.pattern.converters) - 1)
    return reverse(name, args=[slug, *more])


@pytest.mark.parametrize("role", Role)
def test_pages_of_the_desk_ask_for_the_right(role: Role, cast: SimpleNamespace) -> None:
    client = Client()
    client.force_login(person(role, cast.ekimae), backend="django.contrib.auth.backends.ModelBackend")
    for name, action in PAGES.items():
        for method in (client.get, client.post):
            away = method(address(name, "yagi"))
            here = method(address(name, "ekimae"))

            assert away.status_code == 404, name
            if role not in STAFF_ROLES:
                assert here.status_code == 404, name
            elif role not in TABLE[action]:
                assert here.status_code == 403, name
            else:
                names_a_thing = NOWHERE in address(name, "ekimae") or name == "desk_holiday"
                assert here.status_code in (
                    (404, 405) if names_a_thing else (200, 302, 303, 405, 409, 422)
                ), name


@pytest.mark.parametrize("role", Role)
def test_pages_of_the_children_s_board_ask_for_a_carer(role: Role, cast: SimpleNamespace) -> None:
    client = Client()
    client.force_login(person(role, cast.ekimae), backend="django.contrib.auth.backends.ModelBackend")
    for entry in care_urls:
        codes = [NOWHERE] * len(entry.pattern.converters)
        path = reverse(entry.name, args=codes)
        for method in (client.get, client.post):
            assert method(f"{path}?hub=yagi").status_code == 404, entry.name
            for here in (method(f"{path}?hub=ekimae"), method(path)):
                if role not in TABLE[Action.CARE_FOR_CHILDREN]:
                    assert here.status_code == (403 if role in STAFF_ROLES else 404), entry.name
                else:
                    assert here.status_code in ((404, 405) if codes else (200, 405)), entry.name


@pytest.mark.parametrize("role", Role)
def test_booking_moving_and_cancelling_for_others_asks_for_the_right(
    role: Role, cast: SimpleNamespace
) -> None:
    actor, may = person(role, cast.ekimae), role in TABLE[Action.BOOK_FOR_OTHERS]
    wish = make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    if may:
        code = services.book_visit(actor=actor, request=wish).visit.code
        services.move_visit(actor=actor, code=code, request=wish.at(make.period(13, 15)))
        services.cancel_visit(actor=actor, code=code)
        assert Visit.objects.get().status == "cancelled"
        return
    with pytest.raises(DomainError) as refused:
        services.book_visit(actor=actor, request=wish)
    assert refused.value.status in (403, 404)
    assert Visit.objects.count() == 0
    code = services.book_visit(actor=cast.misaki, request=wish).visit.code
    for call in (
        lambda: services.move_visit(actor=actor, code=code, request=wish.at(make.period(13, 15))),
        lambda: services.extend(actor=actor, code=code, ends_at=make.at(13)),
        lambda: services.cancel_visit(actor=actor, code=code),
    ):
        with pytest.raises(DomainError) as refused:
            call()
        assert refused.value.status == 404
    visit = Visit.objects.get()
    assert (visit.status, visit.starts_at, visit.ends_at) == ("booked", make.at(9, 30), make.at(12, 30))


@pytest.mark.parametrize("role", Role)
def test_staff_of_the_other_hub_book_for_nobody_here(role: Role, cast: SimpleNamespace) -> None:
    actor = person(role, cast.yagi)
    with pytest.raises(DomainError) as refused:
        services.book_visit(actor=actor, request=make.request_for(cast.misaki, cast.ekimae))

    assert refused.value.status in (403, 404)
    assert Visit.objects.count() == 0
