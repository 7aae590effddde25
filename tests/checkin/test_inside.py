"""Who is inside: families, staff, visitors; which children count; the page and the call that show it."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hub.booking import services
from hub.checkin.enums import PresenceEnd, PresenceKind
from hub.checkin.models import Presence
from hub.checkin.queries import ChildAt, Contact, Family, Inside, inside_of
from hub.childcare.models import Attendance, CarePlace, Carer, Child, Custody, Handover
from hub.members.models import Member, PickupAdult
from hub.members.tokens import new_token
from hub.spaces.models import Hub, Visit
from tests import factories as make

TEN = make.at(10, day=make.TODAY)


def enter(
    hub: Hub, member: Member, *, visit: Visit | None = None, at: datetime = make.NOW, kind: str = "worker"
) -> Presence:
    return Presence.objects.create(
        hub=hub, member=member, visit=visit, kind=kind, entered_at=at, entered_by=member
    )


def go(presence: Presence, at: datetime = TEN) -> None:
    presence.left_at, presence.ended_as = at, PresenceEnd.OUT
    presence.save()


def receive(place: CarePlace, by: Member, at: datetime = make.NOW) -> Custody:
    return Custody.objects.create(
        place=place, child=place.child, room=place.room, age_class=1, received_at=at,
        received_by=Carer.objects.filter(hub=place.room.hub).first(), recorded_by=by, brought_by=place.visit.member,
        temperature=Decimal("36.6"),
    )  # fmt: skip


def hand_over(custody: Custody, by: Member, *, guardian: Member | None = None, at: datetime = TEN) -> None:
    adult = None
    if guardian is None:
        adult = PickupAdult.objects.create(
            household=custody.child.household, name="ばあば", kana="ばあば", relation="祖母", phone="0"
        )
    carer = custody.received_by
    handover = Handover.objects.create(
        custody=custody, handed_at=at, carer=carer, recorded_by=by, guardian=guardian, pickup_adult=adult,
        identified_by="known",
    )  # fmt: skip
    Custody.objects.filter(pk=custody.pk).update(closed_at=at, handover=handover)


@pytest.fixture
def visit(cast) -> Visit:
    """Misaki with Haru and Yui, today from 9:45 to 12:00."""
    wish = make.request_for(
        cast.misaki, cast.ekimae, make.period(9.75, 12, make.TODAY), children=[cast.haru, cast.yui]
    )
    return services.book_visit(actor=cast.misaki, request=wish).visit


def place_of(child: Child) -> CarePlace:
    return CarePlace.objects.select_related("child", "room__hub", "visit__member").get(child=child)


def children_in(found: Inside) -> list[tuple[str, ChildAt]]:
    return [(child.name, child.at) for family in found.families for child in family.children]


def test_nobody_is_inside_an_empty_hub(cast, visit):
    found = inside_of(cast.ekimae)

    assert (found.families, found.staff, found.visitors, found.total) == ((), (), (), 0)


def test_parent_who_came_brings_announced_children(cast, visit):
    enter(cast.ekimae, cast.misaki, visit=visit)
    found = inside_of(cast.ekimae)

    assert children_in(found) == [("はる", ChildAt.ANNOUNCED), ("ゆい", ChildAt.ANNOUNCED)]
    assert (found.adults, found.children, found.total) == (1, 2, 3)
    [adult] = found.families[0].adults
    assert (adult.name, adult.seat, adult.visit) == ("山田 みさき", visit.seat.label, visit.code)


def test_place_that_begins_much_later_announces_nobody_yet(cast):
    wish = make.request_for(cast.misaki, cast.ekimae, make.period(10.5, 12, make.TODAY), children=[cast.yui])
    booked = services.book_visit(actor=cast.misaki, request=wish).visit
    enter(cast.ekimae, cast.misaki, visit=booked)

    assert children_in(inside_of(cast.ekimae)) == []


def test_child_with_the_carers_is_in_the_room(cast, visit):
    enter(cast.ekimae, cast.misaki, visit=visit)
    receive(place_of(cast.yui), cast.carer)

    assert children_in(inside_of(cast.ekimae)) == [("はる", ChildAt.ANNOUNCED), ("ゆい", ChildAt.ROOM)]


def test_both_guardians_inside_are_one_family(cast, visit):
    enter(cast.ekimae, cast.misaki, visit=visit)
    enter(cast.ekimae, cast.kenta, at=make.NOW + timedelta(minutes=1))
    [family] = inside_of(cast.ekimae).families

    assert [adult.name for adult in family.adults] == ["山田 みさき", "山田 けんた"]
    assert len(family.children) == 2


def test_children_whose_parent_went_out_are_marked_with_whom_to_call(cast, visit):
    Member.objects.filter(pk=cast.misaki.pk).update(phone="09000000001")
    presence = enter(cast.ekimae, cast.misaki, visit=visit)
    receive(place_of(cast.haru), cast.carer)
    go(presence)
    [family] = inside_of(cast.ekimae).families

    assert family.children_alone
    assert family.call == (Contact("山田 みさき", "09000000001"), Contact("山田 けんた", ""))
    assert [child.name for child in family.children] == ["はる"]  # Yui, never received, went along


def test_children_with_one_guardian_inside_are_not_alone(cast, visit):
    presence = enter(cast.ekimae, cast.misaki, visit=visit)
    enter(cast.ekimae, cast.kenta)
    receive(place_of(cast.yui), cast.carer)
    go(presence)
    [family] = inside_of(cast.ekimae).families

    assert (family.children_alone, family.call) == (False, ())


def test_child_of_somebody_on_duty_is_not_alone(cast, visit):
    presence = enter(cast.ekimae, cast.misaki, visit=visit)
    receive(place_of(cast.yui), cast.carer)
    go(presence)
    enter(cast.ekimae, cast.kenta, kind=PresenceKind.STAFF)
    found = inside_of(cast.ekimae)

    assert [family.children_alone for family in found.families] == [False]
    assert [one.name for one in found.staff] == ["山田 けんた"]


def test_child_handed_to_a_parent_inside_counts_until_both_go(cast, visit, now):
    presence = enter(cast.ekimae, cast.misaki, visit=visit)
    custody = receive(place_of(cast.yui), cast.carer)
    hand_over(custody, cast.carer, guardian=cast.misaki)
    now.move_to(TEN + timedelta(minutes=1))
    assert dict(children_in(inside_of(cast.ekimae)))["ゆい"] == ChildAt.WITH_PARENT
    go(presence, TEN + timedelta(minutes=2))

    assert inside_of(cast.ekimae).total == 0


def test_child_fetched_by_her_grandmother_is_gone(cast, visit, now):
    enter(cast.ekimae, cast.misaki, visit=visit)
    hand_over(receive(place_of(cast.yui), cast.carer), cast.carer)
    now.move_to(TEN + timedelta(minutes=1))

    assert children_in(inside_of(cast.ekimae)) == [("はる", ChildAt.ANNOUNCED)]


def test_staff_visitors_and_carers_stand_in_groups_of_their_own(cast):
    enter(cast.ekimae, cast.manager, kind=PresenceKind.STAFF)
    Presence.objects.create(
        hub=cast.ekimae, visitor_name="町の 人", kind=PresenceKind.VISITOR, entered_at=make.NOW, entered_by=cast.door
    )  # fmt: skip
    working, resting = Carer.objects.filter(hub=cast.ekimae)[:2]
    Attendance.objects.create(carer=working, room=cast.room, kind="work", starts_at=make.NOW)
    Attendance.objects.create(carer=resting, room=cast.room, kind="break", starts_at=make.NOW)
    found = inside_of(cast.ekimae)

    assert [(one.name, one.on_break) for one in found.staff] == [
        ("責任 さん", False), (working.name, False), (resting.name, True),
    ]  # fmt: skip
    assert [one.name for one in found.visitors] == ["町の 人"]
    assert (found.families, found.adults) == ((), 4)


def test_carer_who_was_scanned_and_clocked_in_counts_once(cast):
    carer = Carer.objects.filter(hub=cast.ekimae).first()
    Carer.objects.filter(pk=carer.pk).update(member=cast.carer)
    enter(cast.ekimae, cast.carer, kind=PresenceKind.STAFF)
    Attendance.objects.create(carer=carer, room=cast.room, kind="work", starts_at=make.NOW)

    assert inside_of(cast.ekimae).adults == 1


def test_other_hub_and_those_who_left_do_not_count(cast, visit):
    go(enter(cast.ekimae, cast.misaki, visit=visit))
    enter(cast.yagi, cast.stranger)

    assert inside_of(cast.ekimae).total == 0
    assert inside_of(cast.yagi).total == 1


def fill(cast, count: int) -> None:
    for n in range(count):
        member = make.make_member(f"親{n}-{Member.objects.count()}", hub=cast.ekimae)
        child = make.make_child(make.make_household(member), cast.ekimae, 4, name=f"子{n}")
        wish = make.request_for(
            member, cast.ekimae, make.period(9.75, 12, make.TODAY), children=[child], mode="none"
        )
        booked = services.book_visit(actor=member, request=wish).visit
        enter(cast.ekimae, member, visit=booked)
        if n % 2 == 0:
            receive(place_of(child), cast.carer)
        staff = make.make_member(f"係{n}-{Member.objects.count()}")
        enter(cast.ekimae, staff, kind=PresenceKind.STAFF)


def test_five_queries_for_one_family_and_for_three(cast):
    counts = []
    for more in (1, 2):
        fill(cast, more)
        with CaptureQueriesContext(connection) as caught:
            inside_of(cast.ekimae)
        counts.append(len(caught))

    assert counts == [5, 5]


# ---------------------------------------------------------------- the page and the call

PAGE = "/desk/ekimae/inside/"
CALL = "/api/v1/checkin/inside"


def test_page_shows_totals_names_and_no_health_text(cast, visit, as_):
    cast.haru.allergy = "ひみつのたまご"
    cast.haru.save()
    Member.objects.filter(pk=cast.misaki.pk).update(phone="09000000001")
    enter(cast.ekimae, cast.misaki, visit=visit)
    answer = as_(cast.door).get(PAGE)
    body = answer.content.decode()

    assert answer.context["inside"].total == 3
    assert "090-0000-0001" in body
    assert "ひみつ" not in body


def test_page_of_an_empty_hub_says_so(cast, as_):
    assert "いま 中には だれも いません" in as_(cast.door).get(PAGE).content.decode()


def test_fragment_is_the_list_alone(cast, as_):
    answer = as_(cast.door).get(PAGE, headers={"HX-Request": "true"})

    assert answer.content.decode().strip().startswith('<div class="stack-l" id="inside">')
    assert "HX-Request" in answer["Vary"]


def test_page_asks_the_same_number_of_questions_for_one_and_for_three(cast, as_):
    client, counts = as_(cast.manager), []
    for more in (1, 2):
        fill(cast, more)
        client.get(PAGE)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(PAGE).status_code == 200
        counts.append(len(caught))

    assert counts[0] == counts[1]
    assert counts[1] <= 9


def test_call_names_adults_and_children_by_family(cast, visit, as_):
    enter(cast.ekimae, cast.misaki, visit=visit)
    enter(cast.ekimae, cast.manager, kind=PresenceKind.STAFF, at=make.NOW + timedelta(seconds=1))
    receive(place_of(cast.yui), cast.carer)
    answer = as_(cast.door).get(CALL, {"hub": "ekimae"})

    assert answer.status_code == 200
    body = answer.json()
    assert body["totals"] == {"adults": 2, "children": 2, "all": 4}
    assert [(one["name"], one["kind"], one["family"]) for one in body["adults"]] == [
        ("山田 みさき", "worker", 1), ("責任 さん", "staff", None),
    ]  # fmt: skip
    assert [(one["name"], one["at"], one["family"], one["parent_inside"]) for one in body["children"]] == [
        ("はる", "announced", 1, True), ("ゆい", "room", 1, True),
    ]  # fmt: skip
    assert body["at"] == "2026-12-07T09:40:00+09:00"


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("door", 200), ("carer", 200), ("plaza", 200), ("manager", 200), ("director", 403), ("town", 403),
        ("misaki", 404), ("stranger", 404), ("yagi_manager", 404),
    ],
)  # fmt: skip
def test_call_asks_for_the_right(cast, who, status, client):
    token = new_token(getattr(cast, who), "door")[1]
    answer = client.get(CALL, {"hub": "ekimae"}, headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == status


def test_call_by_another_method_and_without_a_hub(cast, as_):
    client = as_(cast.door)

    assert (client.post(CALL).status_code, client.get(CALL).status_code) == (405, 422)
    assert client.get(CALL, {"hub": "nowhere"}).status_code == 404


def test_family_of_a_member_without_household_is_herself(cast):
    member = make.make_member("一人 さん", hub=cast.ekimae)
    enter(cast.ekimae, member)
    [family] = inside_of(cast.ekimae).families

    assert isinstance(family, Family)
    assert ([one.name for one in family.adults], family.children) == (["一人 さん"], ())


def test_address_of_the_page(cast):
    assert reverse("desk_inside", args=["ekimae"]) == PAGE
