"""Giving on the seat of somebody who did not come: when, by whom, and what it leaves behind."""

from decimal import Decimal

import pytest
from django.core import mail

from hub.booking import no_show, services
from hub.childcare.models import CarePlace, Carer, ChildClaim, Custody
from hub.core import tasks
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.spaces import arrivals
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Seat, Visit, VisitClaim
from tests import factories as make

LATE = make.at(9, 40)


@pytest.fixture
def visit(cast, now) -> Visit:
    """Misaki's, from 9:00 to 12:00 on A1 with Yui; it is 9:40 of that day and nobody came."""
    seat = Seat.objects.get(hub=cast.ekimae, label="A1")
    wish = make.request_for(cast.misaki, cast.ekimae, make.period(9, 12), seat=seat, children=[cast.yui])
    booked = services.book_visit(actor=cast.misaki, request=wish).visit
    now.move_to(LATE)
    return booked


def refusal(actor, visit) -> str:
    with pytest.raises(DomainError) as refused:
        no_show.release(actor=actor, code=visit.code)
    return refused.value.code


def test_release_frees_seat_and_places(cast, visit):
    released = no_show.release(actor=cast.door, code=visit.code)

    assert released.status == VisitStatus.RELEASED
    assert (VisitClaim.objects.count(), ChildClaim.objects.count()) == (0, 0)
    assert list(CarePlace.objects.values_list("status", flat=True)) == ["cancelled"]


def test_seat_can_be_booked_again_at_once(cast, visit):
    no_show.release(actor=cast.door, code=visit.code)
    wish = make.request_for(cast.kenta, cast.ekimae, make.period(9.75, 12), seat=visit.seat)

    assert services.book_visit(actor=cast.door, request=wish).visit.seat == visit.seat


def test_release_tells_the_person_that_nobody_came(cast, visit):
    no_show.release(actor=cast.door, code=visit.code)
    tasks.run_pending()

    assert [message.subject for message in mail.outbox] == ["席を ほかの人に ゆずりました | ひだまり"]
    assert "始まりから 20分 お待ちしました" in str(mail.outbox[0].body)


def test_release_again_is_harmless(cast, visit):
    first = no_show.release(actor=cast.door, code=visit.code)
    second = no_show.release(actor=cast.manager, code=visit.code)

    assert (second.status, second.sequence) == (VisitStatus.RELEASED, first.sequence)


def test_release_tells_open_pages_once_each(cast, visit, monkeypatch):
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr("hub.core.live.broadcast", lambda group, kind, data=None: sent.append((group, kind)))
    no_show.release(actor=cast.door, code=visit.code)

    assert sent == [("hub.ekimae", "availability"), ("care.ekimae", "care")]


@pytest.mark.parametrize(("minutes", "code"), [(0, "too_soon"), (19, "too_soon"), (20, ""), (179, "")])
def test_seat_is_kept_for_twenty_minutes(cast, visit, now, minutes, code):
    now.move_to(make.at(9))
    now.shift(minutes * 60)
    if code:
        assert refusal(cast.door, visit) == code
    else:
        assert no_show.release(actor=cast.door, code=visit.code).status == VisitStatus.RELEASED


def test_release_after_the_end_is_refused(cast, visit, now):
    now.move_to(make.at(12))

    assert refusal(cast.door, visit) == "in_past"


def test_release_of_somebody_who_came_is_refused(cast, visit):
    run_write(lambda: arrivals.arrive(visit, LATE))

    assert refusal(cast.door, visit) == "has_arrived"
    assert VisitClaim.objects.count() == 12


def test_release_of_somebody_who_went_out_is_refused(cast, visit):
    run_write(lambda: (arrivals.arrive(visit, LATE), arrivals.leave(visit, LATE)))

    assert refusal(cast.door, visit) == "has_arrived"


def test_release_while_a_child_is_with_the_carers_is_refused(cast, visit):
    """The mother was let in without a scan and has given her child already."""
    place = CarePlace.objects.get()
    Custody.objects.create(
        place=place, child=cast.yui, room=cast.room, age_class=1, received_at=LATE,
        received_by=Carer.objects.first(), recorded_by=cast.carer, brought_by=cast.misaki, temperature=Decimal("36.5"),
    )  # fmt: skip

    assert refusal(cast.door, visit) == "child_received"
    assert ChildClaim.objects.count() == 12


def test_release_of_a_cancelled_visit_is_refused(cast, visit):
    services.cancel_visit(actor=cast.misaki, code=visit.code)

    assert refusal(cast.door, visit) == "not_live"


@pytest.mark.parametrize("who", ["misaki", "kenta", "stranger", "carer", "director", "town", "yagi_manager"])
def test_release_by_somebody_without_the_right_finds_nothing(cast, visit, who):
    assert refusal(getattr(cast, who), visit) == "visit_unknown"
    assert Visit.objects.get().status == VisitStatus.BOOKED
