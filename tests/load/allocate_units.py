"""How long 50,000 units take from the proposal to people's offers, and how much memory: `python -m tests.load.allocate_units`.

Makes a database of its own (SQLite in a temporary folder, or DATABASE_URL's server) with one order for 40 people and one
for 200. Every step runs in a child of this process, so that its peak is its own; beside it stands what a child needs that
does nothing. Then it recounts: every unit given once, nobody over her hours.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.load.import_units import measured, say

UNITS = 50_000
PEOPLE = (40, 200)
WEEKS = 20


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="hidamari-allocate-"))
    os.environ |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "hub.settings", "LOG_LEVEL": "ERROR"}
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.db.models import Count

    call_command("migrate", verbosity=0)

    from datetime import timedelta

    from hub.core import clock
    from hub.core.db import run_write
    from hub.work import allocation, handing, orders
    from hub.work.enums import UnitState
    from hub.work.models import HandOut, Lease, OfferedHours, Order, Unit, UnitImport
    from tests import factories as make
    from tests.work import work

    def prepare(people: int) -> SimpleNamespace:
        """A hub with so many people and an accepted order of five-minute units; hours differ, so that some are bound by them."""
        hub = make.make_hub(f"measured-{people}-{os.getpid()}")
        director = make.make_member("配り さん", f"d{people}-{os.getpid()}@load.example", hub=hub)
        today = clock.today(hub.tz)
        for n in range(people):
            member = make.make_member(f"人{n}", f"w{n}-{people}-{os.getpid()}@load.example", hub=hub)
            minutes = (
                UNITS * 5 // people // WEEKS * (1, 3, 4)[n % 3] // 2
            )  # a third has half of the equal share
            OfferedHours.objects.create(member=member, hub=hub, minutes_a_week=min(minutes, 3600))
        cast = SimpleNamespace(ekimae=hub, director=director)
        client = work.make_client(cast, "測る会社")
        order = work.make_order(
            cast, client, unit_count=UNITS, minutes_per_unit=5, deadline=today + timedelta(weeks=WEEKS)
        )
        work.WorkRates.objects.filter(hub=hub).update(valid_from=today - timedelta(days=400))
        lot = order.lots.get()
        source = UnitImport.objects.create(order=order, state="done", file_name="x", is_sheet=False)

        def fill() -> None:
            for first in range(1, UNITS + 1, 5_000):
                Unit.objects.bulk_create(
                    Unit(order=order, lot=lot, number=n, source=source, row=n, content_sealed=b"x" * 400)
                    for n in range(first, first + 5_000)
                )
            Order.objects.filter(pk=order.pk).update(units_kept=UNITS)

        run_write(fill)
        terms = orders.TermsData(today, "共有", None, today + timedelta(weeks=24), "銀行ふりこみ")
        orders.accept_order(actor=director, hub=hub, code=order.code, data=terms)
        return SimpleNamespace(hub=hub, director=director, code=order.code)

    made: dict[int, SimpleNamespace] = {people: prepare(people) for people in PEOPLE}
    measured(f"{connection.vendor}: nothing", lambda: Unit.objects.count())

    def hand_out(one: SimpleNamespace) -> Any:
        found = handing.propose(hub=one.hub, order_code=one.code, lot_number=1)
        return handing.hand_out(
            actor=one.director, hub=one.hub, order_code=one.code, lot_number=1, units=found.total, cap=None,
            lines=found.lines, seen=found.digest,
        )  # fmt: skip

    for people, one in made.items():
        measured(
            f"{people} people: propose",
            lambda one=one: handing.propose(hub=one.hub, order_code=one.code, lot_number=1),
        )
        measured(f"{people} people: propose and hand out", lambda one=one: hand_out(one))
        kept = HandOut.objects.get(order__code=one.code)
        shares = {share.code: share.count for share in allocation.again(kept.inputs)}
        rooms = {row["code"]: row["hours_units"] for row in kept.inputs["people"]}
        given = dict(kept.assignments.values_list("member__code", "unit_count"))
        leases = Lease.objects.filter(assignment__hand_out=kept)
        by_person = dict(leases.values_list("assignment__member__code").annotate(n=Count("pk")).order_by())
        assert given == by_person == {code: count for code, count in shares.items() if count}
        assert (
            sum(given.values()) == leases.values("unit").distinct().count() == min(UNITS, sum(rooms.values()))
        )
        assert [code for code, count in given.items() if count > rooms[code]] == []
        assert Unit.objects.filter(order__code=one.code, state=UnitState.HELD).count() == sum(given.values())
        bound = sum(1 for code, count in given.items() if count == rooms[code])
        say(
            f"{people} people: {sum(given.values())} units, {len(given)} people, {bound} bound by their hours"
        )


if __name__ == "__main__":
    main()
