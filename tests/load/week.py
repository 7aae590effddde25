"""How long a usual week takes: 13 weeks x 5 days x 3 children in one request, and the longest lock in it.

    python -m tests.load.week

Runs on SQLite in a folder of its own, and on PostgreSQL where TEST_POSTGRES_URL is set (`scripts/pg_cluster.py --durable`).
Prints one line per database for docs/week.md; nothing is asserted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

CHILDREN = (4, 1, 2)


def measure() -> dict[str, Any]:
    """One hub and one family; preview, confirm, change and cancel by the API. Seconds, and milliseconds of a lock."""
    from django.core.management import call_command
    from django.test import Client

    from hub.childcare import capacity
    from hub.core import clock, db
    from hub.members.tokens import new_token
    from hub.spaces.models import Hub
    from tests import factories as make

    call_command("migrate", verbosity=0)
    hub = make.make_hub("ekimae", seats=24)
    Hub.objects.update(horizon_days=100)
    hub = Hub.objects.get()
    room = make.make_room(hub, carers=6, places=30, horizon=False)
    db.run_write(lambda: capacity.rebuild(room, capacity.horizon_days(hub)))
    member = make.make_member("計測 する人", "week@demo.example", hub=hub)
    household = make.make_household(member)
    children = [make.make_child(household, hub, age, name=f"こ{age}") for age in CHILDREN]
    first = clock.today(hub.tz) + timedelta(days=1)
    body = {
        "hub": "ekimae", "first": first.isoformat(), "last": (first + timedelta(days=90)).isoformat(),
        "lines": [
            {"weekday": day, "starts": "09:30", "ends": "12:30", "children": [child.code for child in children]}
            for day in range(5)
        ],
    }  # fmt: skip
    client = Client(headers={"Authorization": f"Bearer {new_token(member, 'week')[1]}"})
    held: list[float] = []
    plain = db.write_transaction

    @contextmanager
    def timed() -> Iterator[None]:
        with plain():
            began = time.perf_counter()
            yield
            held.append(time.perf_counter() - began)

    db.write_transaction = timed

    def ask(method: str, path: str, **more: Any) -> tuple[float, Any]:
        began = time.perf_counter()
        answer = client.generic(
            method, f"/api/v1{path}", content_type="application/json", secure=True, **more
        )
        took = time.perf_counter() - began
        assert answer.status_code in (200, 201), answer.content[:300]
        return took, answer.json()

    text = json.dumps(body)
    ask("POST", "/series/preview", data=text)  # caches
    preview, _seen = ask("POST", "/series/preview", data=text)
    held.clear()
    confirm, made = ask("POST", "/series", data=text)
    longest, transactions = max(held), len(held)
    cancel, after = ask("DELETE", f"/series/{made['code']}")
    return {
        "booked": Counter(one["state"] for one in made["dates"])["booked"],
        "preview_s": round(preview, 2),
        "confirm_s": round(confirm, 2),
        "transactions": transactions,
        "longest_lock_ms": round(longest * 1000, 1),
        "cancel_s": round(cancel, 2),
        "cancelled": Counter(one["state"] for one in after["dates"])["cancelled"],
    }


def main() -> None:
    """Each database in a process of its own, in a folder that goes away."""
    urls = {"SQLite": "", "PostgreSQL": os.environ.get("TEST_POSTGRES_URL", "")}
    for name, url in urls.items():
        if name == "PostgreSQL" and not url:
            continue
        with tempfile.TemporaryDirectory(prefix="hidamari-week-") as folder:
            environment = {**os.environ, "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "hub.settings"}
            environment |= {"HIDAMARI_WEEK": "1", "DATABASE_URL": url}
            environment |= {"ALLOWED_HOSTS": "testserver,localhost"}
            if not url:
                del environment["DATABASE_URL"]
            done = subprocess.run(
                [sys.executable, "-m", "tests.load.week"], env=environment, capture_output=True, text=True
            )
            print(name, done.stdout.strip().splitlines()[-1:] or done.stderr[-2000:])  # noqa: T201


if __name__ == "__main__":
    if os.environ.get("HIDAMARI_WEEK"):
        import django

        django.setup()
        print(json.dumps(measure()))  # noqa: T201
    else:
        main()
