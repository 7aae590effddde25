"""きょうのハブ: how each visit stands, what the numbers count, how blocks lie on the board, and the days beside today."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.booking import services
from hub.booking.requests import SeatMode
from hub.checkin.models import Presence
from hub.childcare.enums import ChildStatus
from hub.desk.board import State, board_of
from hub.members.models import Member
from hub.spaces.enums import Role, VisitStatus
from hub.spaces.facts import touch
from hub.spaces.models import Closure, Membership, Seat, Visit
from tests import factories as make

DAY = "/desk/ekimae/"
FRAGMENT = {"HX-Request": "true"}


def at(hour, day=make.TODAY):
    return make.at(int(hour), round(hour % 1 * 60), day)


CAME = {"status": VisitStatus.IN, "arrived_at": at(9)}


def header(cast, start, end, *, seat="A1", day=make.TODAY, member=None, **fields):
    """A visit without claims, at any hour: what the board shows does not hang on claims."""
    fields = {"created_at": make.NOW - timedelta(days=1)} | fields
    return Visit.objects.create(
        member=member or make.make_member(f"人{Visit.objects.count()}"), hub=cast.ekimae, booked_by=cast.manager,
        seat=Seat.objects.filter(hub=cast.ekimae, label=seat).first(), starts_at=at(start, day), ends_at=at(end, day),
        **fields,
    )  # fmt: skip


def board(cast, *, now=make.NOW, day=make.TODAY):
    return board_of(cast.ekimae, day, now, "ja")


def state(cast, start, end, **fields):
    header(cast, start, end, **fields)
    return board(cast).blocks[0].state


def numbers(answer):
    return [(one.label, one.value, one.note) for one in answer.context["numbers"]]


# ---------------------------------------------------------------- how a visit stands at 9:40


@pytest.mark.parametrize(
    ("hours", "fields", "expected"),
    [
        ((10, 12), {}, State.SOON),
        ((9.5, 12), {}, State.SOON),  # begun ten minutes ago: still within the grace
        ((9.25, 12), {}, State.LATE),
        ((8, 9.5), {}, State.MISSED),
        ((9, 12), CAME, State.HERE),
        ((9, 12), CAME | {"left_at": at(9.5)}, State.OUT),
        ((8, 9.5), CAME | {"left_at": at(9.5)}, State.LEFT),
        ((8, 9.5), CAME, State.HERE),  # her time is over, and nobody saw her go
        ((8, 9.5), CAME | {"status": VisitStatus.DONE}, State.LEFT),
        ((8, 9.5), {"status": VisitStatus.DONE}, State.OVER),
        ((9, 12), {"status": VisitStatus.NO_SHOW}, State.MISSED),
        ((9, 12), {"status": VisitStatus.RELEASED}, State.MISSED),
    ],
)
def test_state_of_a_visit(cast, hours, fields, expected):
    assert state(cast, *hours, **fields) == expected


def test_grace_ends_after_twenty_minutes(cast):
    header(cast, 9, 12)
    just, past = at(9) + timedelta(minutes=19), at(9) + timedelta(minutes=20)

    assert [board(cast, now=now).blocks[0].state for now in (just, past)] == [State.SOON, State.LATE]


@pytest.mark.parametrize("status", [VisitStatus.CANCELLED, VisitStatus.CANCELLED_BY_HUB])
def test_cancelled_visits_are_not_on_the_board(cast, status):
    header(cast, 9, 12, status=status)

    assert board(cast).blocks == []


# ---------------------------------------------------------------- where blocks lie


def test_block_lies_in_quarters_from_the_left_edge(cast):
    header(cast, 9.25, 12)
    found = board(cast)

    assert (found.starts, found.hours) == (at(8), 10)
    assert (found.blocks[0].at, found.blocks[0].wide) == (5, 11)


def test_visit_outside_the_opening_hours_widens_the_board(cast):
    header(cast, 7.5, 9)
    header(cast, 17, 18.5)

    assert (board(cast).starts, board(cast).hours) == (at(7), 12)


def test_every_seat_has_a_lane_and_visits_without_one_have_their_own(cast):
    header(cast, 9, 12, seat="")
    groups = board(cast).groups

    assert [[lane.label for lane in group.lanes] for group in groups] == [
        ["A1", "A2", "A3", "A4"], ["B1", "B2"], ["席なし"],
    ]  # fmt: skip


def test_seat_out_of_use_shows_only_where_somebody_holds_it(cast):
    Seat.objects.filter(hub=cast.ekimae, label="A4").update(is_active=False)
    touch(cast.ekimae)
    header(cast, 9, 12, seat="A4")

    assert [lane.label for lane in board(cast).groups[-1].lanes] == ["A4"]
    assert board(cast, day=make.TOMORROW).groups[-1].name == "話せる席"


def test_blocks_that_would_cover_each_other_lie_below_each_other(cast):
    header(cast, 9, 12, status=VisitStatus.RELEASED)
    header(cast, 9.75, 12)
    header(cast, 12, 13)
    lane = board(cast).groups[0].lanes[0]

    assert [[(block.starts, block.ends) for block in line] for line in lane.lines] == [
        [(at(9), at(12)), (at(12), at(13))], [(at(9.75), at(12))],
    ]  # fmt: skip


def test_short_visits_in_a_row_leave_each_other_room_to_be_tapped(cast):
    header(cast, 10, 10.25)
    header(cast, 10.25, 11)

    assert [len(line) for line in board(cast).groups[0].lanes[0].lines] == [1, 1]


def test_now_is_in_percent_of_the_width(cast):
    assert board(cast, now=at(9.5)).now_at == "15.00%"
    assert board(cast, now=at(19)).now_at == ""


# ---------------------------------------------------------------- the numbers


def test_use_per_half_hour_counts_each_seat_once_and_nothing_that_was_given_back(cast):
    header(cast, 9, 10)
    header(cast, 9.75, 11, seat="A2")
    header(cast, 9, 11, seat="A3", status=VisitStatus.RELEASED)
    header(cast, 9, 11, seat="")
    found = board(cast)

    assert [half.seats for half in found.halves][2:7] == [1, 2, 1, 1, 0]
    assert (found.strips[0].most, found.strips[0].of) == (2, 6)
    assert found.strips[0].bars[3] == ("3.04", "67", "33")


def test_children_count_by_their_own_hours(cast):
    wish = make.request_for(
        cast.misaki, cast.ekimae, make.period(10, 12, make.TODAY), children=[cast.haru, cast.yui]
    )
    services.book_visit(actor=cast.misaki, request=wish)
    found = board(cast)

    assert [half.children for half in found.halves][3:9] == [0, 2, 2, 2, 2, 0]
    assert (found.strips[1].most, found.strips[1].of) == (2, 12)
    assert found.blocks[0].children == 2


def test_five_numbers_of_today(cast, as_):
    header(cast, 9, 12, **CAME)
    header(cast, 9, 12, seat="A2")
    header(cast, 13, 14, seat="A3")
    Presence.objects.create(
        hub=cast.ekimae, member=cast.misaki, kind="worker", entered_at=at(9), entered_by=cast.door
    )

    assert numbers(as_(cast.manager).get(DAY)) == [
        ("席の 使われ方", "33", "いま 2 / 6席"),
        ("来た人", "1", "予約 3人"),
        ("まだ 来ていない", "1", "20分 すぎました"),
        ("預かる 子ども", "0", "定員 12人・保育者 2人"),
        ("中にいる人", "1", "大人 1人・子ども 0人"),
    ]


def test_five_numbers_of_a_past_day(cast, as_):
    day = make.TODAY - timedelta(days=3)
    header(
        cast, 9, 14, day=day, status=VisitStatus.DONE, arrived_at=at(9, day), left_at=at(13, day)
    )  # 5 of 60 seat hours
    header(cast, 9, 12, day=day, seat="A2", status=VisitStatus.NO_SHOW)
    header(cast, 9, 12, day=day, seat="A3", status=VisitStatus.DONE)

    assert numbers(as_(cast.manager).get(DAY, {"d": day.isoformat()})) == [
        ("席の 使われ方", "18", "多い時 3 / 6席"),
        ("来た人", "1", "予約 3人"),
        ("来なかった人", "1", "予約 3人"),
        ("子ども", "0", "多い時・定員 12人"),
        ("記録の ない人", "1", "入口の 記録が ありません"),
    ]


def test_five_numbers_of_a_day_to_come(cast, as_):
    wish = make.request_for(cast.misaki, cast.ekimae, children=[cast.yui], mode=SeatMode.NONE)
    services.book_visit(actor=cast.misaki, request=wish)

    assert numbers(as_(cast.manager).get(DAY, {"d": make.TOMORROW.isoformat()})) == [
        ("席の 使われ方", "0", "多い時 0 / 6席"),
        ("予約", "1", "これから 来る人"),
        ("子どもと 来る人", "1", "予約 1人"),
        ("子ども", "1", "多い時・定員 12人"),
        ("席なしで 来る人", "1", "予約 1人"),
    ]


# ---------------------------------------------------------------- the page


def test_every_block_leads_to_its_visit_and_says_how_it_stands(cast, as_):
    visit = header(cast, 9, 12, member=cast.misaki)
    body = as_(cast.manager).get(DAY).content.decode()

    assert f'class="bk late q-4 s-12" id="b-{visit.code}" href="/visits/{visit.code}/"' in body
    assert "まだ 来ていない 9:00から 12:00まで" in body


def test_table_shows_the_same_visits(cast, as_):
    visits = [header(cast, 9, 12), header(cast, 10, 12, seat="A2")]
    answer = as_(cast.manager).get(DAY, {"view": "table"})
    body = answer.content.decode()

    assert all(f'href="/visits/{visit.code}/"' in body for visit in visits)
    assert body.count("<caption>") == 2
    assert 'class="tl ' not in body


def test_page_names_nobodys_child_and_no_allergy(cast, as_):
    cast.yui.name, cast.yui.allergy = "ひみつゆい", "ひみつのたまご"
    cast.yui.save()
    wish = make.request_for(cast.misaki, cast.ekimae, make.period(10, 12, make.TODAY), children=[cast.yui])
    services.book_visit(actor=cast.misaki, request=wish)
    for view in ("", "table"):
        assert "ひみつ" not in as_(cast.manager).get(DAY, {"view": view}).content.decode()


def test_who_has_not_come_stands_beside_with_telephone_and_a_way_to_free_the_seat(cast, as_):
    Member.objects.filter(pk=cast.misaki.pk).update(phone="09000000001")
    visit = header(cast, 9, 12, member=cast.misaki)
    body = as_(cast.manager).get(DAY).content.decode()

    assert 'href="tel:09000000001"' in body
    assert f'href="/desk/ekimae/visits/{visit.code}/release/"' in body


def test_carer_sees_who_is_late_but_no_way_to_free_the_seat(cast, as_):
    header(cast, 9, 12, member=cast.misaki)
    body = as_(cast.carer).get(DAY).content.decode()

    assert "山田 みさき" in body
    assert "/release/" not in body


def test_fragment_is_the_board_with_numbers_and_those_who_are_late(cast, as_):
    header(cast, 9, 12)
    answer = as_(cast.manager).get(DAY, headers=FRAGMENT)
    body = answer.content.decode()

    assert body.strip().startswith('<div class="tl hrs-10" id="board">')
    assert body.count('hx-swap-oob="true"') == 2
    assert "<html" not in body
    assert "HX-Request" in answer["Vary"]


def test_back_gets_the_whole_page(cast, as_):
    headers = FRAGMENT | {"HX-History-Restore-Request": "true"}

    assert "<html" in as_(cast.manager).get(DAY, headers=headers).content.decode()


def test_past_day_does_not_ask_for_news(cast, as_):
    client = as_(cast.manager)
    past = client.get(DAY, {"d": "2026-12-04"}).content.decode()

    assert ("data-live" in past, "hx-trigger" in past) == (False, False)
    assert 'data-live="day.ekimae hub.ekimae"' in client.get(DAY).content.decode()


def test_closed_day_says_why_and_when_it_opens_again(cast, as_):
    Closure.objects.create(
        hub=cast.ekimae, starts_on=make.TOMORROW, ends_on=make.TOMORROW, reason="床の 工事"
    )
    touch(cast.ekimae)
    answer = as_(cast.manager).get(DAY, {"d": make.TOMORROW.isoformat()})

    assert answer.context["next_open"] == make.TOMORROW + timedelta(days=1)
    assert "床の 工事" in answer.content.decode()


def test_closed_day_with_somebody_still_booked_shows_the_board(cast, as_):
    Closure.objects.create(hub=cast.ekimae, starts_on=make.TODAY, ends_on=make.TODAY, reason="工事")
    touch(cast.ekimae)
    visit = header(cast, 9, 12, **CAME)

    assert f'id="b-{visit.code}"' in as_(cast.manager).get(DAY).content.decode()


def test_empty_day_says_so_and_still_shows_the_seats(cast, as_):
    body = as_(cast.manager).get(DAY).content.decode()

    assert "この日の 予約は まだ ありません。" in body
    assert "A4" in body


@pytest.mark.parametrize("day", ["", "tomorrow", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_day_that_makes_no_sense_is_today(cast, as_, day):
    answer = as_(cast.manager).get(DAY, {"d": day})

    assert (answer.status_code, answer.context["board"].day) == (200, make.TODAY)


def test_children_waiting_for_a_check_are_named_to_those_who_decide(cast, as_):
    make.make_child(cast.household, cast.ekimae, 2, status=ChildStatus.PENDING)

    assert as_(cast.manager).get(DAY).context["pending"] == 1
    assert as_(cast.door).get(DAY).context["pending"] == 0


def test_staff_of_two_hubs_can_go_from_one_day_to_the_other(cast, as_):
    Membership.objects.create(member=cast.manager, hub=cast.yagi, role=Role.DOOR)

    assert as_(cast.manager).get(DAY).context["hubs"] == [cast.ekimae, cast.yagi]
    assert as_(cast.door).get(DAY).context["hubs"] == []


def test_page_asks_the_same_number_of_questions_for_one_and_for_three(cast, as_):
    client, counts = as_(cast.manager), []
    for more in (1, 2):
        for _n in range(more):
            member = make.make_member(f"親{Visit.objects.count()}", hub=cast.ekimae)
            child = make.make_child(make.make_household(member), cast.ekimae, 4)
            wish = make.request_for(member, cast.ekimae, make.period(9.75, 12, make.TODAY), children=[child])
            visit = services.book_visit(actor=member, request=wish).visit
            Presence.objects.create(
                hub=cast.ekimae, member=member, visit=visit, kind="worker", entered_at=make.NOW, entered_by=cast.door
            )  # fmt: skip
        client.get(DAY)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(DAY).status_code == 200
        counts.append(len(caught))

    assert counts[0] == counts[1]
    assert counts[1] <= 14


# ---------------------------------------------------------------- 席を 空ける


@pytest.fixture
def late(cast):
    return header(cast, 9, 12, member=cast.misaki)


def release(visit):
    return f"{DAY}visits/{visit.code}/release/"


def test_release_asks_first_and_changes_nothing(cast, late, as_):
    body = as_(cast.door).get(release(late)).content.decode()
    late.refresh_from_db()

    assert "この予約を 空けますか" in body
    assert late.status == VisitStatus.BOOKED


def test_release_leads_back_to_the_day_and_says_so(cast, late, as_):
    client = as_(cast.door)
    answer = client.post(release(late))
    late.refresh_from_db()

    assert (answer.status_code, answer["Location"]) == (303, DAY)
    assert late.status == VisitStatus.RELEASED
    assert "山田 みさきさんの 予約を 空けました。" in client.get(DAY).content.decode()


def test_second_tap_gets_the_same_answer(cast, late, as_):
    client = as_(cast.door)

    assert [client.post(release(late)).status_code for _tap in range(2)] == [303, 303]


def test_release_of_somebody_who_came_meanwhile_says_so(cast, late, as_):
    Visit.objects.filter(pk=late.pk).update(**CAME)
    answer = as_(cast.door).post(release(late))

    assert answer.status_code == 409
    assert "この人は もう 来ています。" in answer.content.decode()


def test_release_of_a_visit_of_the_other_hub_is_not_found(cast, late, as_):
    assert as_(cast.yagi_manager).post(f"/desk/yagi/visits/{late.code}/release/").status_code == 404


def test_walk_in_search_offers_a_seat_from_now(cast, as_):
    body = as_(cast.door).get(f"{DAY}book/", {"q": "みさき", "now": "1"}).content.decode()

    assert "src=walk_in" in body
    assert "いまから 予約する" in body
