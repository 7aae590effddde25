"""How many statements, and how long, the board and a unit's page take with 100 and with 50,000 units: `python -m tests.load.work_pages`.

Makes a database of its own (SQLite in a temporary folder, or DATABASE_URL's server). Asks each page once to warm up, then
counts its SELECT, INSERT, UPDATE and DELETE, then takes the median of eleven more.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

SIZES = (100, 50_000)
TIMES = 11


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="hidamari-pages-"))
    os.environ |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "hub.settings", "LOG_LEVEL": "ERROR"}
    os.environ["HIDAMARI_DEMO"] = "1"  # plain http
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    call_command("migrate", verbosity=0)
    call_command("collectstatic", "--no-input", "--ignore", "redoc*", verbosity=0)

    from datetime import timedelta

    from hub.core import clock
    from hub.core.db import run_write
    from hub.spaces.enums import Role
    from hub.work import doing, handing, orders
    from hub.work.material import Material, pack
    from hub.work.models import Order, Unit, UnitImport
    from tests import factories as make
    from tests.load.import_units import say
    from tests.work import work

    def prepare(size: int) -> SimpleNamespace:
        """An accepted order of so many units, ten of them in the hands of one worker, three sent in."""
        hub = make.make_hub(f"pages-{size}")
        director = make.make_member("配り さん", f"d{size}@load.example", hub=hub, role=Role.DIRECTOR)
        worker = make.make_member("働く 人", f"w{size}@load.example", hub=hub)
        cast, today = SimpleNamespace(ekimae=hub, director=director), clock.today(hub.tz)
        order = work.make_order(
            cast, work.make_client(cast, "測る会社"), unit_count=size, deadline=today + timedelta(weeks=20)
        )
        work.WorkRates.objects.filter(hub=hub).update(valid_from=today - timedelta(days=400))
        lot, source = order.lots.get(), UnitImport.objects.create(
            order=order, state="done", file_name="x", is_sheet=False
        )  # fmt: skip

        def fill() -> None:
            for first in range(1, size + 1, 5_000):
                units = []
                for n in range(first, min(first + 5_000, size + 1)):
                    unit = Unit(order=order, lot=lot, number=n, source=source, row=n)
                    unit.content = pack(Material(f"A-{n}", f"しごと{n}", ""))
                    units.append(unit)
                Unit.objects.bulk_create(units)
            Order.objects.filter(pk=order.pk).update(units_kept=size)

        run_write(fill)
        terms = orders.TermsData(today, "共有", None, today + timedelta(weeks=24), "銀行ふりこみ")
        orders.accept_order(actor=director, hub=hub, code=order.code, data=terms)
        made = handing.invite(
            actor=director, hub=hub, order_code=order.code, lot_number=1, lines={worker.code: 10}
        )
        taken = made.assignments.get()
        handing.answer(member=worker, code=taken.code, yes=True)
        mine = list(Unit.objects.filter(lease__assignment=taken).order_by("number"))
        sent = [doing.send_in(member=worker, unit_code=unit.code, text="しました") for unit in mine[:3]]
        return SimpleNamespace(
            director=director, worker=worker, pages={
                "board of an order": (director, reverse("desk_hand", args=[hub.slug, order.code])),
                "sharing out, before yes": (director, reverse("desk_hand_share", args=[hub.slug, order.code]) + "?lot=1"),
                "an order": (director, reverse("desk_order", args=[hub.slug, order.code])),
                "review: what waits": (director, reverse("desk_review", args=[hub.slug])),
                "review: one": (director, reverse("desk_review_one", args=[hub.slug, sent[0].code])),
                "しごと": (worker, "/jobs/"),
                "an assignment": (worker, f"/jobs/assignments/{taken.code}/"),
                "a unit": (worker, f"/jobs/units/{mine[5].code}/"),
            },
        )  # fmt: skip

    for size in SIZES:
        world = prepare(size)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        for name, (who, path) in world.pages.items():
            client = Client(SERVER_NAME="localhost")
            client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.status_code)
            with CaptureQueriesContext(connection) as caught:
                client.get(path)
            verbs = [query["sql"].split(None, 1)[0].upper() for query in caught.captured_queries]
            count = sum(verb in ("SELECT", "INSERT", "UPDATE", "DELETE") for verb in verbs)
            took = []
            for _turn in range(TIMES):
                began = time.perf_counter()
                client.get(path)
                took.append(time.perf_counter() - began)
            say(
                f"{connection.vendor}, {size} units, {name}: {count} queries, {statistics.median(took) * 1000:.0f} ms"
            )


if __name__ == "__main__":
    main()
