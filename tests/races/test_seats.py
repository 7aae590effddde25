"""Races for seats: the last one, two for 32, one for each, and one tap repeated 32 times."""

import threading
from functools import partial

import pytest

from hub.booking import services
from hub.core import idempotency
from hub.core.models import IdempotencyKey
from hub.spaces import claims
from hub.spaces.models import Seat, Visit, VisitClaim
from tests import factories as make
from tests.races import arena
from tests.races.arena import CONTENDERS, HARM_ROUNDS, ROUNDS, Crowd

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(transactional_db, now):  # type: ignore[no-untyped-def]
    return arena.make_world(seats=CONTENDERS)


def test_last_seat_has_one_winner(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    seat = Seat.objects.select_related("zone").get(label="A1")
    jobs = [arena.booking(m, make.request_for(m, world.hub, seat=seat)) for m in world.members]
    for _ in range(ROUNDS):
        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": 1, "seat_taken": CONTENDERS - 1}
        assert arena.left_behind() == {
            "visits": 1, "claims": 12, "places": 0, "child claims": 0, "keys": 0, "tasks": 1,
        }  # fmt: skip
        arena.nothing_wrong()
        arena.clear()


def test_two_seats_for_32_have_two_winners_and_no_false_refusal(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    talk = arena.zone(world.hub, "talk")
    jobs = [arena.booking(m, make.request_for(m, world.hub, zone=talk), key="one") for m in world.members]
    for _ in range(ROUNDS):
        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": 2, "seat_taken": CONTENDERS - 2}
        assert arena.left_behind() == {
            "visits": 2, "claims": 24, "places": 0, "child claims": 0, "keys": 2, "tasks": 2,
        }  # fmt: skip
        assert set(Visit.objects.values_list("seat__label", flat=True)) == {"B1", "B2"}
        arena.nothing_wrong()
        arena.clear()


def test_any_seat_with_a_seat_for_everybody_refuses_nobody(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    quiet = arena.zone(world.hub, "quiet")
    jobs = [arena.booking(m, make.request_for(m, world.hub, zone=quiet)) for m in world.members]
    for _ in range(max(1, ROUNDS // 4)):
        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": CONTENDERS}
        assert Visit.objects.values("seat").distinct().count() == CONTENDERS
        arena.nothing_wrong()
        arena.clear()


def test_one_key_posted_32_times_books_once_and_answers_all_alike(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    misaki, child = world.members[0], world.children[0]
    request = make.request_for(misaki, world.hub, children=[child])
    jobs = [arena.booking(misaki, request, key="one tap") for _ in range(CONTENDERS)]
    for _ in range(ROUNDS):
        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": CONTENDERS}
        assert {outcome.value for outcome in outcomes} == {Visit.objects.get().code}
        assert arena.left_behind() == {
            "visits": 1, "claims": 12, "places": 1, "child claims": 12, "keys": 1, "tasks": 1,
        }  # fmt: skip
        arena.nothing_wrong()
        arena.clear()


def test_one_member_cannot_be_in_two_places(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    misaki = world.members[0]
    jobs = [arena.booking(misaki, make.request_for(misaki, world.hub)) for _ in range(CONTENDERS)]
    for _ in range(max(1, ROUNDS // 4)):
        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": 1, "member_busy": CONTENDERS - 1}
        arena.nothing_wrong()
        arena.clear()


# --- the same races with the guard removed: they must show the harm ------------------------------------------


def test_harm_last_seat_without_the_unique_constraint(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    seat = Seat.objects.select_related("zone").get(label="A1")
    jobs = [arena.booking(m, make.request_for(m, world.hub, seat=seat)) for m in world.members]
    harmed = 0
    with arena.without(VisitClaim, "seat_once"):
        for _ in range(HARM_ROUNDS):
            people.race(jobs)
            harmed += arena.double_seats() > 0
            arena.clear()

    assert harmed == HARM_ROUNDS


def test_harm_a_look_before_begin_does_not_replace_the_constraint(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    """The habit we did not take: look whether it is free, then insert. The look is made before BEGIN on both databases."""
    seat = Seat.objects.select_related("zone").get(label="A1")
    looked = threading.Barrier(CONTENDERS)

    def look_then_book(member):  # type: ignore[no-untyped-def]
        request = make.request_for(member, world.hub, seat=seat)
        if claims.taken_seats([seat], request.period):
            raise claims.SeatTaken(seat.label)
        looked.wait(
            arena.PATIENCE
        )  # everybody has looked before anybody writes: the worst moment, not a rare one
        return services.book_visit(actor=member, request=request).visit.code

    jobs = [partial(look_then_book, member) for member in world.members]
    with arena.without(VisitClaim, "seat_once"):
        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": CONTENDERS}
        assert arena.double_seats() == 12

    outcomes = people.race(jobs)  # with the constraint the same look does no harm
    assert arena.codes(outcomes) == {"ok": 1, "seat_taken": CONTENDERS - 1}
    arena.nothing_wrong()


def test_harm_one_key_without_the_key_table(world, people: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """The key looked up before BEGIN and without its UNIQUE: one tap becomes many visits once the member may be in many
    places, and with that guard still there 31 answers lie ("another booking of yours is in the way")."""
    misaki = world.members[0]
    request = make.request_for(misaki, world.hub)

    def look_up_only(actor: int, key: str, request_hash: str) -> object:
        return None  # what every contender saw before BEGIN

    def keep(actor: int, key: str, answer: object) -> None:
        now = Visit.objects.get(code=answer["visit"]).created_at  # type: ignore[index]
        IdempotencyKey.objects.create(actor=actor, key=key, request_hash="", answer=answer, created_at=now)

    monkeypatch.setattr(idempotency, "claim", look_up_only)
    monkeypatch.setattr(idempotency, "store", keep)
    jobs = [arena.booking(misaki, request, key="one tap") for _ in range(CONTENDERS)]
    with arena.without(IdempotencyKey, "idempotency_once"):
        outcomes = people.race(jobs)
        assert arena.codes(outcomes) == {"ok": 1, "member_busy": CONTENDERS - 1}
        arena.clear()

        with arena.without(VisitClaim, "member_once"):
            people.race(jobs)
            visits = Visit.objects.count()

    assert visits > 1
