"""A child is ill: what is freed, what stays, who hears of it, and that nothing of it counts."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django_tasks_db.models import DBTaskResult

from hub import invariants
from hub.booking import services, sick, waiting
from hub.booking.models import WaitChild, WaitEntry
from hub.booking.sick import Seat
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace, ChildClaim, SickLeave
from hub.core import hooks, tasks
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.quarters import Period
from hub.notices.models import Notice
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Visit, VisitClaim
from tests import factories as make
from tests.childcare import care

TOMORROW = make.TOMORROW


def book(
    cast: Any, member: Any, children: list[Any], day: date = TOMORROW, hours: tuple[int, int] = (10, 12)
) -> Visit:
    when = Period(make.at(hours[0], 0, day), make.at(hours[1], 0, day))
    wish = make.request_for(member, cast.ekimae, when, children=children)
    return services.book_visit(actor=member, request=wish).visit


def places(visit: Visit) -> dict[str, str]:
    return {
        row.child.name: row.status for row in CarePlace.objects.filter(visit=visit).select_related("child")
    }


def report(cast: Any, seat: Seat = Seat.CANCEL, **options: Any) -> sick.Report:
    wanted = {"actor": cast.misaki, "child": cast.haru, "first": TOMORROW, "last": TOMORROW} | options
    return sick.report(seat=seat, **wanted)


@pytest.mark.parametrize("seat", [Seat.HOME, Seat.CANCEL])
def test_her_visit_ends_with_every_place_and_is_not_late(cast: Any, now: Any, seat: Seat) -> None:
    visit = book(cast, cast.misaki, [cast.haru, cast.yui])
    now.move_to(make.at(7, 30, TOMORROW))  # long after the deadline of the day before
    report(cast, seat)
    visit.refresh_from_db()
    assert (visit.status, visit.is_late_change) == (VisitStatus.CANCELLED, False)
    assert places(visit) == {"はる": PlaceStatus.CANCELLED, "ゆい": PlaceStatus.CANCELLED}
    assert (VisitClaim.objects.count(), ChildClaim.objects.count(), invariants.differences()) == (0, 0, [])


def test_seat_that_is_kept_stays_with_the_other_child(cast: Any) -> None:
    visit = book(cast, cast.misaki, [cast.haru, cast.yui])
    report(cast, Seat.KEEP)
    visit.refresh_from_db()
    assert (visit.status, places(visit)) == (
        VisitStatus.BOOKED,
        {"はる": PlaceStatus.CANCELLED, "ゆい": PlaceStatus.BOOKED},
    )
    assert (VisitClaim.objects.count(), invariants.differences()) == (8, [])


def test_other_guardian_keeps_his_seat_whatever_she_says_of_hers(cast: Any) -> None:
    his = book(cast, cast.kenta, [cast.haru])
    report(cast, Seat.CANCEL)
    his.refresh_from_db()
    assert (his.status, places(his)) == (VisitStatus.BOOKED, {"はる": PlaceStatus.CANCELLED})


def test_range_takes_the_days_inside_and_no_other(cast: Any) -> None:
    days = [TOMORROW + timedelta(days=n) for n in range(3)]
    visits = [book(cast, cast.misaki, [cast.haru], day) for day in days]
    report(cast, Seat.KEEP, last=days[1])
    assert [places(visit)["はる"] for visit in visits] == [
        PlaceStatus.CANCELLED, PlaceStatus.CANCELLED, PlaceStatus.BOOKED,
    ]  # fmt: skip


def test_child_who_is_in_the_room_is_not_given_away(cast: Any, now: Any) -> None:
    here = care.morning(cast, now)
    care.receive(here, cast.haru)
    done = report(cast, Seat.CANCEL, first=make.TODAY, last=make.TODAY)
    here.visit.refresh_from_db()
    assert ([row.code for row in done.inside], done.freed, done.ended) == ([here.visit.code], [], [])
    assert (here.visit.status, places(here.visit)) == (
        VisitStatus.BOOKED,
        {"はる": PlaceStatus.BOOKED, "ゆい": PlaceStatus.BOOKED},
    )


def test_visit_that_runs_keeps_its_seat_and_frees_what_is_left(cast: Any, now: Any) -> None:
    visit = book(cast, cast.misaki, [cast.haru], make.TODAY, (10, 12))
    now.move_to(make.at(10, 20, make.TODAY))
    Visit.objects.filter(pk=visit.pk).update(arrived_at=make.at(10, 5, make.TODAY), status=VisitStatus.IN)
    report(cast, Seat.CANCEL, first=make.TODAY, last=make.TODAY)
    visit.refresh_from_db()
    assert (visit.status, VisitClaim.objects.count(), invariants.differences()) == (VisitStatus.IN, 8, [])


def test_second_tap_and_same_key_say_it_once(cast: Any) -> None:
    book(cast, cast.misaki, [cast.haru])
    first = report(cast, key="k1")
    again = report(cast, key="k1")
    assert [row.code for row in again.ended] == [row.code for row in first.ended]
    assert len(again.ended) == 1
    report(cast)  # another tab, without the key
    assert SickLeave.objects.count() == 1


def test_said_again_it_adds_days_and_never_takes_any(cast: Any) -> None:
    report(cast)
    report(cast, last=TOMORROW + timedelta(days=2))
    report(cast)
    assert SickLeave.objects.get().last_on == TOMORROW + timedelta(days=2)


def test_hook_names_days_and_visits(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(hooks._subscribers, "child_sick", ["hub.tick.run"])
    visit = book(cast, cast.misaki, [cast.haru])
    DBTaskResult.objects.all().delete()
    report(cast, Seat.HOME)
    data = [
        row.args_kwargs["args"][1]
        for row in DBTaskResult.objects.all()
        if row.args_kwargs["args"][0] == "hub.tick.run"
    ]
    assert data == [
        {
            "child": cast.haru.code, "member": cast.misaki.code, "first": TOMORROW.isoformat(),
            "last": TOMORROW.isoformat(), "seat": "home", "visits": [visit.code],
        }
    ]  # fmt: skip


def test_no_message_speaks_of_illness(cast: Any) -> None:
    book(cast, cast.misaki, [cast.haru])
    tasks.run_pending()
    report(cast, Seat.CANCEL)
    tasks.run_pending()
    text = "".join(f"{one.subject} {one.body}" for one in mail.outbox)
    assert "予約を やめました" in text
    assert [word for word in ("病", "熱", "sick", "ill ") if word in text] == []


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [(-1, 0, "in_past"), (2, 1, "not_forward"), (0, 14, "too_long")],
)
def test_days_that_make_no_sense_are_refused_and_change_nothing(
    cast: Any, first: int, last: int, code: str
) -> None:
    visit = book(cast, cast.misaki, [cast.haru])
    with pytest.raises(DomainError) as refusal:
        report(cast, first=make.TODAY + timedelta(days=first), last=make.TODAY + timedelta(days=last))
    assert (refusal.value.code, refusal.value.status) == (code, 422)
    assert (places(visit), SickLeave.objects.count()) == ({"はる": PlaceStatus.BOOKED}, 0)


@pytest.mark.parametrize("who", ["stranger", "manager", "carer"])
def test_nobody_but_her_guardians_says_so(cast: Any, who: str) -> None:
    visit = book(cast, cast.misaki, [cast.haru])
    with pytest.raises(DomainError) as refusal:
        report(cast, actor=getattr(cast, who))
    assert (refusal.value.code, refusal.value.status) == ("child_unknown", 404)
    assert (places(visit), SickLeave.objects.count()) == ({"はる": PlaceStatus.BOOKED}, 0)


def wish_to_wait(cast: Any, children: list[Any]) -> WaitEntry:
    entry = WaitEntry.objects.create(
        member=cast.misaki, hub=cast.ekimae, day=TOMORROW, window_starts=make.at(14), window_ends=make.at(16),
        minutes=120, latest_start=make.at(14),
    )  # fmt: skip
    WaitChild.objects.bulk_create(WaitChild(entry=entry, child=child) for child in children)
    return entry


@pytest.mark.parametrize("seat", list(Seat))
def test_offer_with_the_ill_child_is_declined_whole(cast: Any, seat: Seat) -> None:
    """Somebody else waits for it; and she is not told that the hub took it back."""
    wish = make.request_for(cast.misaki, cast.ekimae, make.period(14, 16), children=[cast.haru, cast.yui])
    entry = wish_to_wait(cast, [cast.haru, cast.yui])
    offer = run_write(lambda: waiting.make_offer(entry, wish))
    report(cast, seat)
    offer.refresh_from_db()
    entry.refresh_from_db()
    assert (offer.state, entry.state) == ("declined", "declined")
    assert (VisitClaim.objects.count(), ChildClaim.objects.count(), invariants.differences()) == (0, 0, [])
    assert list(Notice.objects.filter(topic="offer").values_list("event", flat=True)) == [
        f"offer/{offer.code}"
    ]


def test_nothing_is_offered_for_a_child_who_is_ill(cast: Any) -> None:
    with_her = wish_to_wait(cast, [cast.haru])
    without = wish_to_wait(SimpleNamespace(**{**vars(cast), "misaki": cast.kenta}), [cast.yui])
    report(cast)
    with_her.refresh_from_db()
    without.refresh_from_db()
    assert (with_her.state, without.state) == ("left", "waiting")


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [(0, 0, "sick_leave_once"), (1, 0, "sick_leave_forward")],
)
def test_database_refuses_a_second_leave_and_one_that_ends_before_it_begins(
    cast: Any, first: int, last: int, name: str
) -> None:
    report(cast)
    with pytest.raises(IntegrityError, match=f"{name}|sick.*first_on"), transaction.atomic():
        SickLeave.objects.create(
            child=cast.haru, reported_by=cast.misaki, first_on=TOMORROW + timedelta(days=first),
            last_on=TOMORROW + timedelta(days=last),
        )  # fmt: skip


# ---------------------------------------------------------------- pages


def post(client: Any, cast: Any, **fields: str) -> Any:
    data = {
        "c": cast.haru.code,
        "from": TOMORROW.isoformat(),
        "to": TOMORROW.isoformat(),
        "seat": "cancel",
        "key": "p1",
    }
    return client.post("/sick/", data | fields)


def test_page_has_one_form_and_what_became_of_it(as_: Any, cast: Any) -> None:
    visit = book(cast, cast.misaki, [cast.haru])
    client = as_(cast.misaki)
    page = client.get("/sick/")
    assert "12月8日（火）" in page.content.decode()
    answer = post(client, cast)
    leave = SickLeave.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/sick/{leave.code}/")
    done = client.get(answer.headers["Location"]).content.decode()
    assert "席も 預かりも 空けました" in done
    assert f"/visits/{visit.code}/" in done


def test_page_without_a_child_says_which(as_: Any, cast: Any) -> None:
    answer = post(as_(cast.misaki), cast, c="")
    assert (answer.status_code, "どの お子さんかを えらんでください" in answer.content.decode()) == (
        422,
        True,
    )
    assert SickLeave.objects.count() == 0


def test_page_of_a_past_day_says_so(as_: Any, cast: Any) -> None:
    answer = post(as_(cast.misaki), cast, **{"from": "2026-12-01"})
    assert (answer.status_code, "これからの日を" in answer.content.decode()) == (422, True)


def test_page_with_nonsense_is_read_as_today(as_: Any, cast: Any) -> None:
    assert as_(cast.misaki).get("/sick/?c=x&from=99&to=").status_code == 200


def test_stranger_sees_no_leave_and_no_child(as_: Any, cast: Any) -> None:
    report(cast)
    client = as_(cast.stranger)
    assert client.get(f"/sick/{SickLeave.objects.get().code}/").status_code == 404
    assert "預けられる お子さんが まだ いません" in client.get("/sick/").content.decode()
    assert post(client, cast).status_code == 422
    assert SickLeave.objects.count() == 1


def test_second_guardian_sees_the_leave(as_: Any, cast: Any) -> None:
    report(cast)
    page = as_(cast.kenta).get(f"/sick/{SickLeave.objects.get().code}/")
    assert "はるさんの お休みを" in page.content.decode()


@pytest.mark.parametrize("n", [1, 3])
def test_page_of_what_became_of_it_asks_the_same_for_three_days(
    as_: Any, cast: Any, n: int, django_assert_num_queries: Any
) -> None:
    for day in range(n):
        book(cast, cast.misaki, [cast.haru], TOMORROW + timedelta(days=day))
    leave = report(cast, last=TOMORROW + timedelta(days=2)).leave
    client = as_(cast.misaki)
    client.get(f"/sick/{leave.code}/")
    with django_assert_num_queries(6):
        page = client.get(f"/sick/{leave.code}/")
    assert page.content.decode().count("席も 預かりも 空けました") == n


@pytest.mark.parametrize("n", [1, 3])
def test_page_asks_once_per_child_however_many_days(
    as_: Any, cast: Any, n: int, django_assert_num_queries: Any
) -> None:
    for day in range(n):
        book(cast, cast.misaki, [cast.haru], TOMORROW + timedelta(days=day))
    client = as_(cast.misaki)
    client.get("/sick/")
    with django_assert_num_queries(5):
        client.get("/sick/")


def test_board_shows_who_stays_at_home(as_: Any, cast: Any) -> None:
    book(cast, cast.misaki, [cast.haru], make.TODAY, (10, 12))
    report(cast, first=make.TODAY, last=make.TODAY)
    page = as_(cast.carer).get("/care/").content.decode()
    assert "病気で お休み" in page
    assert page.count("はるさん") == 1
