"""Giving on the seat of somebody who did not come: when, by whom, and what it leaves behind."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from hub.booking import no_show, services
from hub.booking.models import Excuse
from hub.childcare.models import CarePlace, Carer, ChildClaim, Custody
from hub.core import tasks
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.notices.models import Notice
from hub.spaces import arrivals
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Hub, Seat, Visit, VisitClaim
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

    assert sent == [
        ("hub.ekimae", "availability"), ("care.ekimae", "care"), (f"me.{cast.misaki.code}", "offer")
    ]  # fmt: skip


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


# ---------------------------------------------------------------- by itself


@pytest.fixture
def late(visit, now) -> Visit:
    """It is 9:20, twenty minutes after the start, and the tick has asked."""
    now.move_to(make.at(9, 20))
    assert no_show.ask_missing(visit.hub) == 1
    return visit


def status(visit: Visit) -> str:
    return Visit.objects.get(pk=visit.pk).status


def test_asked_once_after_the_grace(cast, visit, now):
    now.move_to(make.at(9, 19))
    assert no_show.ask_missing(cast.ekimae) == 0
    now.move_to(make.at(9, 20))

    assert [no_show.ask_missing(cast.ekimae) for _ in range(3)] == [1, 0, 0]
    assert list(Notice.objects.filter(topic="late").values_list("title", "is_urgent")) == [
        ("行けますか", True)
    ]


def test_question_names_no_child(late):
    notice = Notice.objects.get(topic="late")

    assert (
        notice.text
        == "駅前ハブの 席を 20分 とっておきました。9:30 までに 返事が ないと、つぎの人に ゆずります。"
    )


def test_without_an_answer_the_place_goes_on(cast, late, now):
    now.move_to(make.at(9, 29))
    assert no_show.release_missing(cast.ekimae) == 0
    now.move_to(make.at(9, 30))

    assert [no_show.release_missing(cast.ekimae) for _ in range(2)] == [1, 0]
    assert (status(late), VisitClaim.objects.count(), ChildClaim.objects.count()) == ("released", 0, 0)


def test_answer_keeps_it_once_for_another_grace(cast, late, now):
    now.move_to(make.at(9, 25))
    no_show.coming(actor=cast.misaki, code=late.code)
    now.move_to(make.at(9, 40))
    no_show.coming(actor=cast.misaki, code=late.code)  # again changes nothing
    assert no_show.release_missing(cast.ekimae) == 0
    assert refusal(cast.door, late) == "too_soon"
    now.move_to(make.at(9, 45))

    assert no_show.release_missing(cast.ekimae) == 1


def test_answer_after_the_release_is_refused(cast, late, now):
    now.move_to(make.at(9, 30))
    no_show.release_missing(cast.ekimae)
    with pytest.raises(DomainError) as refused:
        no_show.coming(actor=cast.misaki, code=late.code)

    assert refused.value.code == "seat_released"


def test_answer_without_a_question_is_refused(cast, visit):
    with pytest.raises(DomainError) as refused:
        no_show.coming(actor=cast.misaki, code=visit.code)

    assert refused.value.code == "not_asked"


def test_arrival_stops_it(cast, late, now):
    now.move_to(make.at(9, 30))
    run_write(lambda: arrivals.arrive(late, LATE))

    assert (no_show.release_missing(cast.ekimae), status(late)) == (0, "in")


def test_child_received_stops_it(cast, late, now):
    now.move_to(make.at(9, 30))
    Custody.objects.create(
        place=CarePlace.objects.get(), child=cast.yui, room=cast.room, age_class=1, received_at=LATE,
        received_by=Carer.objects.first(), recorded_by=cast.carer, brought_by=cast.misaki, temperature=Decimal("36.5"),
    )  # fmt: skip

    assert (no_show.release_missing(cast.ekimae), status(late)) == (0, "booked")


def test_grace_is_a_setting_of_the_hub(cast, visit, now):
    Hub.objects.filter(pk=cast.ekimae.pk).update(grace_minutes=35)
    hub = Hub.objects.get(pk=cast.ekimae.pk)
    now.move_to(make.at(9, 34))
    assert (no_show.ask_missing(hub), refusal(cast.door, visit)) == (0, "too_soon")
    now.move_to(make.at(9, 35))

    assert no_show.ask_missing(hub) == 1


def test_hub_that_reads_no_qr_releases_nobody(cast, visit, now):
    Hub.objects.filter(pk=cast.ekimae.pk).update(releases_missed=False)
    now.move_to(make.at(9, 40))

    assert no_show.ask_missing(Hub.objects.get(pk=cast.ekimae.pk)) == 0


def test_walk_in_has_the_grace_from_her_booking(cast, now):
    """Booked at 9:50 for the quarter that runs: nobody asks her at 10:06."""
    seat = Seat.objects.get(hub=cast.ekimae, label="A1")
    now.move_to(make.at(9, 50))
    wish = make.request_for(cast.misaki, cast.ekimae, make.period(9.75, 12), seat=seat)
    services.book_visit(actor=cast.misaki, request=wish)
    now.move_to(make.at(10, 6))
    assert no_show.ask_missing(cast.ekimae) == 0
    now.move_to(make.at(10, 10))

    assert no_show.ask_missing(cast.ekimae) == 1


# ---------------------------------------------------------------- what counts


@pytest.fixture
def missed(cast, late, now) -> Visit:
    now.move_to(make.at(9, 30))
    no_show.release_missing(cast.ekimae)
    return late


def test_missed_visit_counts_for_ninety_days(cast, missed, now):
    assert [one.pk for one in no_show.missed_by(cast.misaki)] == [missed.pk]
    now.move_to(make.at(9) + timedelta(days=90))

    assert no_show.missed_by(cast.misaki) == []


def test_excused_visit_never_counts(cast, missed):
    run_write(lambda: no_show.excuse(missed, by=cast.misaki))
    run_write(lambda: no_show.excuse(missed, by=cast.manager))

    assert no_show.missed_by(cast.misaki) == []


def test_manager_waives_with_a_reason(cast, missed):
    with pytest.raises(DomainError) as refused:
        no_show.waive(actor=cast.manager, hub=cast.ekimae, code=missed.code, reason=" ")
    assert refused.value.code == "reason_missing"
    no_show.waive(actor=cast.manager, hub=cast.ekimae, code=missed.code, reason="電車が 止まった")

    assert no_show.missed_by(cast.misaki) == []


@pytest.mark.parametrize("who", ["door", "misaki", "yagi_manager"])
def test_nobody_else_waives(cast, missed, who):
    with pytest.raises(DomainError) as refused:
        no_show.waive(actor=getattr(cast, who), hub=cast.ekimae, code=missed.code, reason="わけ")

    assert (refused.value.code, len(no_show.missed_by(cast.misaki))) == ("visit_unknown", 1)


def test_waiver_without_a_reason_is_refused_by_the_database(cast, missed):
    with pytest.raises(IntegrityError), transaction.atomic():
        Excuse.objects.create(visit=missed, kind="waived")
