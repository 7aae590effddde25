"""How long 50,000 units take from the file to the database, and how much memory: `python -m tests.load.import_units`.

Makes a database of its own (SQLite in a temporary folder, or DATABASE_URL's server), one order, and a file with 500 bad
rows, once as CSV and once as XLSX. Every step runs in a child of this process, so that its peak is its own; beside it
stands what a child needs that does nothing.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

ROWS, BAD = 50_000, 500
TEXT = (
    "見本商店街の店を一つ、二百字ほどで紹介してください。駅からの道、席の数、子どもと入れるかどうかを書きます。"
    * 3
)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def measured(name: str, work: Callable[[], object]) -> None:
    """Run ``work`` in a child and print its seconds and the peak of its memory."""
    from django.db import connections

    connections.close_all()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            work()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            say(f"{name:34} {time.monotonic() - began:6.1f} s  peak {peak:6.0f} MB")
        except BaseException as crash:
            say(f"{name}: {crash!r}")
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def rows() -> list[tuple[str, str]]:
    return [(f"A-{n:05}", "" if n % (ROWS // BAD) == 7 else f"{n}件目。{TEXT}") for n in range(ROWS)]


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="hidamari-import-"))
    os.environ |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "hub.settings", "LOG_LEVEL": "ERROR"}
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)

    from hub.spaces.models import Hub
    from hub.work import imports
    from hub.work.models import Unit, UnitImport
    from tests import factories as make
    from tests.work import work

    hub = Hub.objects.filter(slug="measured").first() or make.make_hub("measured")
    cast = SimpleNamespace(ekimae=hub, director=None)
    files = {"CSV": ("units.csv", folder / "units.csv"), "XLSX": ("units.xlsx", folder / "units.xlsx")}

    def write() -> None:
        files["CSV"][1].write_bytes(work.csv_of(rows()))
        files["XLSX"][1].write_bytes(work.excel_of(rows()))

    measured("(writing the files)", write)
    measured(f"{connection.vendor}: nothing", lambda: Unit.objects.count())

    def upload(kind: str) -> None:
        name, path = files[kind]
        order = work.make_order(cast, unit_count=ROWS, title=kind)
        with path.open("rb") as file:
            imports.upload(
                actor=None, hub=hub, order_code=order.code, name=name, size=path.stat().st_size,
                pieces=lambda: iter(lambda: file.read(65_536), b""),
            )  # fmt: skip

    def keep(code: str) -> None:
        imports.keep(hub=hub, code=code)
        while UnitImport.objects.get(code=code).state == "keeping":
            imports.keep_rows(code)

    for kind, (_name, path) in files.items():
        measured(f"{kind}, {path.stat().st_size / 1e6:.1f} MB: upload", lambda kind=kind: upload(kind))
        code = UnitImport.objects.latest("pk").code
        measured(f"{kind}: read and check", lambda code=code: imports.check_file(code))
        measured(f"{kind}: keep", lambda code=code: keep(code))
        done = UnitImport.objects.get(code=code)
        say(f"{kind}: {done.state}, {done.rows_kept} kept, {done.rows_bad} bad, {done.errors.count()} named")
        assert (done.state, done.rows_kept, done.errors.count()) == ("done", ROWS - BAD, BAD)


if __name__ == "__main__":
    main()
