"""Why not, in a sentence that names the limit; and what else would fit, each of it really bookable."""

from datetime import date, timedelta

import pytest
from django.db import transaction
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.booking import quotes, roster, services
from hub.booking.quotes import Kind
from hub.booking.requests import ChildWish, SeatMode
from hub.childcare import capacity
from hub.childcare.models import Carer, CareRoom, RoomQuarter
from hub.core import clock
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.spaces.facts import touch
from hub.spaces.models import Closure, Hub, Seat, Visit
from tests import factories as make
from tests import oracle

pytestmark = pytest.mark.django_db


def crowd(cast, count: int, age_class: int = 1, period=None) -> None:  # type: ignore[no-untyped-def]
    """``count`` children of other people are booked in, at most six in a booking."""
    for first in range(0, count, 6):
        parent = make.make_member("ほかの 人", hub=cast.ekimae)
        household = make.make_household(parent)
        kids = [
            make.make_child(household, cast.ekimae, age_class, name=f"子{n}")
            for n in range(min(6, count - first))
        ]
        request = make.request_for(parent, cast.ekimae, period, mode=SeatMode.NONE, children=kids)
        services.book_visit(actor=parent, request=request)


def change_room(cast, **values: int) -> None:  # type: ignore[no-untyped-def]
    CareRoom.objects.filter(pk=cast.room.pk).update(**values)
    cast.room.refresh_from_db()
    touch(cast.ekimae)
    run_write(lambda: capacity.rebuild(cast.room, [make.TOMORROW]))


def blocker(cast, request):  # type: ignore[no-untyped-def]
    """The one blocker of a quote, in Japanese, and the same refusal from booking."""
    with translation.override("ja"):
        quote = quotes.quote(actor=request.member, request=request)
    [found] = quote.blockers
    with pytest.raises(DomainError) as refusal:
        services.book_visit(actor=request.member, request=request)
    assert (refusal.value.code, refusal.value.status) == (found.code, found.status)
    return found


def test_quote_of_what_fits_says_so_and_changes_nothing(cast) -> None:  # type: ignore[no-untyped-def]
    quote = quotes.quote(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui])
    )

    assert (quote.ok, quote.blockers, quote.alternatives) == (True, (), ())
    assert Visit.objects.count() == 0


# --- the limit that binds, in a sentence ---------------------------------------------------------------------


def test_staff_binds(cast) -> None:  # type: ignore[no-untyped-def]
    change_room(cast, places=20)
    crowd(cast, 12)

    found = blocker(cast, make.request_for(cast.misaki, cast.ekimae, children=[cast.yui]))

    assert (found.code, found.title) == ("care_full", "ゆいさんの 預かりが いっぱいです")
    assert found.why == (
        "1・2さいは 保育者が 1人 足りません。9:30 – 12:30 は 子ども 13人に 保育者 3人が きまりで、いるのは 2人です。"
    )


def test_qualified_binds(cast) -> None:  # type: ignore[no-untyped-def]
    """Half of the administrative number must be qualified: with two babies more it is three, so two, and one is there."""
    RoomQuarter.objects.filter(room=cast.room).update(
        staff=4, qualified=1, places=20, share_num=1, share_den=2
    )
    crowd(cast, 12)
    babies = [make.make_child(cast.household, cast.ekimae, 0, name=name) for name in ("あお", "そら")]

    found = blocker(cast, make.request_for(cast.misaki, cast.ekimae, children=babies))

    assert (found.code, found.title) == ("care_full", "そらさんの 預かりが いっぱいです")
    assert found.why == "9:30 – 12:30 は 保育士が 1人 足りません。きまりでは 2人 いります。"


def test_places_bind(cast) -> None:  # type: ignore[no-untyped-def]
    change_room(cast, places=3)
    crowd(cast, 3)

    found = blocker(cast, make.request_for(cast.misaki, cast.ekimae, children=[cast.yui]))

    assert (found.code, "定員 3人まで" in found.why, "9:30 – 12:30" in found.why) == ("care_full", True, True)


@pytest.mark.parametrize(
    ("column", "who", "age_class"), [("area_infant_cm2", "yui", 1), ("area_toddler_cm2", "haru", 4)]
)
def test_floor_binds(cast, column: str, who: str, age_class: int) -> None:  # type: ignore[no-untyped-def]
    change_room(cast, **{column: 2 * 16_500})
    crowd(cast, 2, age_class)
    child = getattr(cast, who)

    found = blocker(cast, make.request_for(cast.misaki, cast.ekimae, children=[child]))

    assert (found.code, "へやの 広さで 2人まで" in found.why) == ("care_full", True)
    assert found.title == f"{child.name}さんの 預かりが いっぱいです"


def test_shortfall_binds(cast) -> None:  # type: ignore[no-untyped-def]
    crowd(cast, 4)
    carer = Carer.objects.order_by("pk").first()
    assert carer is not None
    roster.set_absent(hub=cast.ekimae, carer=carer.code, day=make.TOMORROW, confirm=True)

    found = blocker(cast, make.request_for(cast.misaki, cast.ekimae, children=[cast.yui]))

    assert (found.code, "保育者が 足りなくなりました" in found.why) == ("care_full", True)


def test_room_closed_binds_only_the_children(cast) -> None:  # type: ignore[no-untyped-def]
    RoomQuarter.objects.filter(room=cast.room).delete()

    found = blocker(cast, make.request_for(cast.misaki, cast.ekimae, children=[cast.yui]))

    assert (found.code, found.title) == ("care_full", "その時間は こどものへやが お休みです")
    assert quotes.quote(actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae)).ok


def test_no_room_for_that_class(cast) -> None:  # type: ignore[no-untyped-def]
    change_room(cast, youngest=3)

    found = blocker(cast, make.request_for(cast.misaki, cast.ekimae, children=[cast.yui]))

    assert (found.code, found.title) == ("care_full", "ゆいさんを 預かる へやが ありません")
    assert "1・2さいクラスは このハブでは 預かっていません" in found.why


def test_hub_without_care_has_no_room(cast) -> None:  # type: ignore[no-untyped-def]
    found = blocker(cast, make.request_for(cast.misaki, cast.yagi, children=[cast.yui]))

    assert (found.code, found.title) == ("care_full", "ゆいさんを 預かる へやが ありません")


def test_seat_taken_names_the_seat(cast) -> None:  # type: ignore[no-untyped-def]
    seat = Seat.objects.select_related("zone").get(hub=cast.ekimae, label="A1")
    services.book_visit(actor=cast.kenta, request=make.request_for(cast.kenta, cast.ekimae, seat=seat))

    found = blocker(cast, make.request_for(cast.misaki, cast.ekimae, seat=seat))

    assert (found.code, found.title) == ("seat_taken", "席 A1 は その時間 うまっています")


def test_every_blocker_is_named_at_once(cast) -> None:  # type: ignore[no-untyped-def]
    change_room(cast, places=1)
    crowd(cast, 1)
    seat = Seat.objects.select_related("zone").get(hub=cast.ekimae, label="A1")
    services.book_visit(actor=cast.kenta, request=make.request_for(cast.kenta, cast.ekimae, seat=seat))

    quote = quotes.quote(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, seat=seat, children=[cast.yui])
    )

    assert [found.code for found in quote.blockers] == ["care_full", "seat_taken"]


@pytest.mark.parametrize("who", ["misaki", "kenta"])
def test_quote_of_a_move_leaves_out_the_visit_itself(cast, who: str) -> None:  # type: ignore[no-untyped-def]
    member = getattr(cast, who)
    change_room(cast, places=1)
    request = make.request_for(member, cast.ekimae, children=[cast.yui])
    visit = services.book_visit(actor=member, request=request).visit
    later = request.at(make.period(10, 13))

    assert quotes.quote(actor=member, request=later, visit=visit).ok
    assert {b.code for b in quotes.quote(actor=member, request=later).blockers} == {
        "member_busy", "child_busy",
    }  # fmt: skip
    services.move_visit(actor=member, code=visit.code, request=later)
    assert oracle.differences() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [({"day": date(2026, 12, 5)}, "in_past"), ({"day": date(2026, 12, 12)}, "hub_closed"),
     ({"day": date(2027, 3, 1)}, "not_open_yet")],
)  # fmt: skip
def test_refusals_of_time_come_with_a_sentence(cast, change, code: str) -> None:  # type: ignore[no-untyped-def]
    request = make.request_for(cast.misaki, cast.ekimae, make.period(9, 12, **change))

    found = blocker(cast, request)

    assert (found.code, found.title.endswith("。")) == (code, True)


def test_refusal_in_english_has_no_japanese_sentence_missing(cast) -> None:  # type: ignore[no-untyped-def]
    crowd(cast, 12)
    with translation.override("en"):
        [found] = quotes.quote(
            actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
        ).blockers

    assert found.code == "care_full"
    assert found.why


def test_another_s_child_gets_no_alternatives(cast) -> None:  # type: ignore[no-untyped-def]
    theirs = make.make_child(make.make_household(cast.stranger), cast.ekimae, 1)

    quote = quotes.quote(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[theirs])
    )

    assert ([b.code for b in quote.blockers], quote.alternatives) == (["child_unknown"], ())


# --- alternatives --------------------------------------------------------------------------------------------


def book_each(quote, *, move: Visit | None = None) -> None:  # type: ignore[no-untyped-def]
    """Each offer is open, to come, within the horizon, and bookable as it stands."""
    for offer in quote.alternatives:
        request = offer.request
        hub, now = Hub.objects.get(pk=request.hub.pk), clock.now()
        assert request.period.ends_at > request.period.starts_at >= now - timedelta(minutes=15)
        assert request.period.ends_at.astimezone(hub.tz).date() <= clock.today(hub.tz) + timedelta(
            days=hub.horizon_days
        )
        savepoint = transaction.savepoint()
        if move is None:
            services.book_visit(actor=request.member, request=request)
        else:
            services.move_visit(actor=request.member, code=move.code, request=request)
        assert oracle.differences() == []
        transaction.savepoint_rollback(savepoint)


def test_alternatives_are_ranked_same_day_shorter_other_day(cast) -> None:  # type: ignore[no-untyped-def]
    """The room is full from 11 to 12: same length later that day, then shorter before it, then the next day."""
    crowd(cast, 12, period=make.period(11, 12))
    request = make.request_for(cast.misaki, cast.ekimae, make.period(9, 12), children=[cast.yui])

    quote = quotes.quote(actor=cast.misaki, request=request)

    found = [(a.kind, a.request.period) for a in quote.alternatives]
    assert found == [
        (Kind.SAME_DAY, make.period(8, 11)),
        (Kind.SHORTER, make.period(9, 11)),
        (Kind.OTHER_DAY, make.period(9, 12, make.TOMORROW + timedelta(days=1))),
    ]
    book_each(quote)


def test_full_day_offers_the_next_open_days(cast) -> None:  # type: ignore[no-untyped-def]
    """Tomorrow is Tuesday; Wednesday is closed for a reason of the hub, so Thursday, Friday and Monday are offered."""
    wednesday = make.TOMORROW + timedelta(days=1)
    Closure.objects.create(hub=cast.ekimae, starts_on=wednesday, ends_on=wednesday, reason="停電")
    touch(cast.ekimae)
    crowd(cast, 12, period=make.period(8, 18))

    quote = quotes.quote(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    )

    assert [(a.kind, a.request.period) for a in quote.alternatives] == [
        (Kind.OTHER_DAY, make.period(9.5, 12.5, date(2026, 12, day))) for day in (10, 11, 14)
    ]
    book_each(quote)


def test_other_hub_is_offered_last(cast) -> None:  # type: ignore[no-untyped-def]
    """At 駅前 every seat is gone to the horizon; 八木 has one at the same time."""
    Seat.objects.filter(hub=cast.ekimae).update(is_active=False)
    touch(cast.ekimae)

    quote = quotes.quote(actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae))

    assert [(a.kind, a.request.hub, a.request.period) for a in quote.alternatives] == [
        (Kind.OTHER_HUB, cast.yagi, make.period(9.5, 12.5)),
    ]  # fmt: skip
    book_each(quote)


def test_closed_other_hub_is_not_offered(cast) -> None:  # type: ignore[no-untyped-def]
    Seat.objects.filter(hub=cast.ekimae).update(is_active=False)
    touch(cast.ekimae)
    Closure.objects.create(hub=cast.yagi, starts_on=make.TOMORROW, ends_on=make.TOMORROW, reason="停電")
    touch(cast.yagi)

    assert (
        quotes.quote(actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae)).alternatives == ()
    )


def test_past_hour_of_today_is_answered_with_the_rest_of_today(cast) -> None:  # type: ignore[no-untyped-def]
    request = make.request_for(cast.misaki, cast.ekimae, make.period(8, 10, make.TODAY), children=[cast.yui])

    quote = quotes.quote(actor=cast.misaki, request=request)

    assert [b.code for b in quote.blockers] == ["in_past"]
    assert quote.alternatives[0].kind == Kind.SAME_DAY
    assert quote.alternatives[0].request.period == make.period(9.5, 11.5, make.TODAY)  # it is 9:40
    book_each(quote)


def test_day_beyond_the_horizon_offers_no_day_beyond_it(cast) -> None:  # type: ignore[no-untyped-def]
    period = make.period(9, 12, make.TODAY + timedelta(days=50))

    quote = quotes.quote(actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, period))

    assert [b.code for b in quote.blockers] == ["not_open_yet"]
    assert [(a.kind, a.request.period.starts_at.day) for a in quote.alternatives] == [
        (Kind.OTHER_DAY, 18), (Kind.OTHER_DAY, 15), (Kind.OTHER_DAY, 14),
    ]  # fmt: skip
    book_each(quote)


def test_part_of_the_time_stays_inside_each_alternative(cast) -> None:  # type: ignore[no-untyped-def]
    crowd(cast, 12, period=make.period(11, 12))
    part = ChildWish(cast.yui, make.period(11, 12))

    quote = quotes.quote(
        actor=cast.misaki,
        request=make.request_for(cast.misaki, cast.ekimae, make.period(9, 12), children=[part]),
    )

    assert quote.alternatives
    for offer in quote.alternatives:
        [want] = offer.request.children
        assert want.period is None or offer.request.period.contains(want.period)
    book_each(quote)


def test_alternatives_of_a_move_can_be_moved_to(cast) -> None:  # type: ignore[no-untyped-def]
    request = make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    visit = services.book_visit(actor=cast.misaki, request=request).visit
    crowd(cast, 12, period=make.period(13, 15))

    quote = quotes.quote(actor=cast.misaki, request=request.at(make.period(13, 16)), visit=visit)

    assert [b.code for b in quote.blockers] == ["care_full"]
    assert quote.alternatives
    book_each(quote, move=visit)


@settings(
    max_examples=40, derandomize=True, database=None, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    start=st.integers(28, 76), length=st.integers(1, 40), day=st.integers(-1, 46), kids=st.sets(st.sampled_from(["haru", "yui"])),
    part=st.integers(0, 8), seats=st.integers(0, 4), others=st.integers(0, 12), their_start=st.integers(32, 64),
    mode=st.sampled_from(list(SeatMode)), minutes=st.integers(-100, 500), other_hub=st.booleans(),
)  # fmt: skip
def test_whatever_is_offered_can_be_booked(  # type: ignore[no-untyped-def]
    cast, now, start, length, day, kids, part, seats, others, their_start, mode, minutes, other_hub
) -> None:
    """Any question, any fullness, any hour of the day: an offer is a promise, and a quote without blockers too."""
    now.move_to(make.NOW)
    savepoint = transaction.savepoint()
    try:
        on = make.TODAY + timedelta(days=day)
        busy = make.period(their_start / 4, their_start / 4 + 2)
        if others:
            crowd(cast, others, period=busy)
        taken = list(Seat.objects.filter(hub=cast.ekimae).select_related("zone").order_by("pk"))
        for n, seat in enumerate(taken[:seats]):
            holder = make.make_member(f"席 {n}", hub=cast.ekimae)
            services.book_visit(actor=holder, request=make.request_for(holder, cast.ekimae, busy, seat=seat))
        now.move_to(make.NOW + timedelta(minutes=minutes))
        begin = make.at(0, day=on) + timedelta(minutes=15 * start)
        period = make.Period(begin, begin + timedelta(minutes=15 * length))
        piece = make.Period(begin, begin + timedelta(minutes=15 * min(part, length))) if part else None
        wishes = [ChildWish(getattr(cast, name), piece) for name in sorted(kids)]
        hub = cast.yagi if other_hub else cast.ekimae
        seat = Seat.objects.filter(hub=hub).select_related("zone").order_by("pk")[0]
        request = make.request_for(
            cast.misaki, hub, period, mode=mode, children=wishes,
            seat=seat if mode == SeatMode.SEAT else None, zone=seat.zone if mode == SeatMode.ZONE else None,
        )  # fmt: skip

        quote = quotes.quote(actor=cast.misaki, request=request)

        assert len(quote.alternatives) <= 3
        book_each(quote)
        try:
            services.book_visit(actor=cast.misaki, request=request)
            code = None
        except DomainError as refusal:
            code = refusal.code
        assert (code is None) == quote.ok
        assert code is None or code in {found.code for found in quote.blockers}
    finally:
        transaction.savepoint_rollback(savepoint)
