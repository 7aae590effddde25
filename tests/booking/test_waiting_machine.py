"""The machine of `test_state_machine.py` around a waiting list: everything begins full, and three people wait.

A file of its own, so that the two machines run on both processors.
"""

import pytest
import time_machine
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from hub.booking import services
from hub.booking.models import Offer
from hub.core.db import run_write
from hub.spaces.enums import VisitStatus
from hub.spaces.facts import touch
from hub.spaces.models import Seat, Visit
from tests import factories as make
from tests.booking.test_state_machine import (
    RUNS,
    SOAK,
    Machine,
    make_small_world,
    run_machine,
)

#: Those that the runs around a waiting list must have met.
LINE_DOORS = {
    "ok", "fits_now", "waited", "offered", "accepted", "declined", "expired", "released"
}  # fmt: skip


class Line(Machine):
    """The same machine where everything begins full: two seats, both held, and three who wait for them."""

    @initialize(
        kids=st.sampled_from([[], [1], [0, 2]]),
        spare=st.sampled_from([0, 4]),
        order=st.permutations([0, 1, 2]),
        missed=st.sampled_from([False, False, False, True]),
    )
    def day_has_begun_to_fill(self, kids: list[int], spare: int, order: list[int], missed: bool) -> None:  # type: ignore[override]
        Seat.objects.exclude(label__in=("A1", "A2"), hub=self.world.hub).update(is_active=False)
        run_write(lambda: touch(self.hub_now()))
        self.book_plainly(day=1, hour=10, who=0, kids=[], seat=2)
        self.book_plainly(day=1, hour=10, who=2, kids=[3], seat=3)
        for who in order:
            self.wait_plainly(
                hour=9 if who == 1 else 12, who=who, kids=kids if who == 1 else [], seat=5, spare=spare
            )
        self.wait_plainly(hour=10, who=1, kids=kids, seat=5, spare=spare)
        if missed:  # a short run seldom lets the day come to pass
            self.nobody_comes(hour=10)

    @precondition(lambda self: Offer.objects.filter(state="open").exists())
    @rule(pick=st.integers(0, 9))
    def accept(self, pick: int) -> None:
        self.answer(pick=pick, yes=True)

    @precondition(lambda self: Offer.objects.filter(state="open").exists())
    @rule(pick=st.integers(0, 9))
    def decline(self, pick: int) -> None:
        self.answer(pick=pick, yes=False)

    @rule(hour=st.sampled_from([10, 12]))
    def nobody_comes(self, hour: int) -> None:
        """Tomorrow, 25 minutes after the hour: who is late is asked, and eleven minutes later it goes on."""
        for minutes in (25, 36):
            later = make.at(hour, minutes)
            if later > self.now:
                self.now = later
                self.traveller.move_to(later)
                self.tick()

    @rule(pick=st.integers(0, 9))
    def free_a_booking(self, pick: int) -> None:
        rows = list(Visit.objects.filter(status=VisitStatus.BOOKED, arrived_at=None).order_by("pk"))
        if rows:
            visit = rows[pick % len(rows)]
            self.attempt(lambda: services.cancel_visit(actor=visit.member, code=visit.code))


@pytest.mark.soak
@pytest.mark.django_db
@pytest.mark.parametrize("part", range(4 if SOAK else 1))
def test_any_order_of_changes_around_a_waiting_list(now: time_machine.Traveller, part: int) -> None:
    Line.world, Line.traveller = make_small_world(), now
    # The gate's part is small: the machine of test_state_machine.py waits, offers and closes too, 300 times.
    runs = max(1, RUNS // (2 if SOAK else 4))
    seen = run_machine(Line, runs)

    if runs >= 75 and not SOAK:
        assert LINE_DOORS - seen == set()
