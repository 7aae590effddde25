"""What real programs make of a feed: vdirsyncer fetches it, khal shows it. An update and a cancellation arrive as such."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections

from hub.booking import feeds, services
from tests import factories as make

BIN = Path(sys.executable).parent
SYNC = """
[general]
status_path = "{folder}/status/"
[pair hidamari]
a = "remote"
b = "local"
collections = null
conflict_resolution = "a wins"
[storage remote]
type = "http"
url = "{url}"
[storage local]
type = "filesystem"
path = "{folder}/calendar/"
fileext = ".ics"
"""
SHOW = """
[calendars]
[[hidamari]]
path = {folder}/calendar
readonly = True
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = Asia/Tokyo
default_timezone = Asia/Tokyo
[sqlite]
path = {folder}/khal.db
"""


class Programs:
    """vdirsyncer and khal with a folder of their own, both told nothing but the address."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        (folder / "calendar").mkdir()
        (folder / "sync").write_text(SYNC.format(folder=folder, url=url))
        (folder / "show").write_text(SHOW.format(folder=folder))
        self._run("vdirsyncer", "-c", str(folder / "sync"), "discover")

    def _run(self, program: str, *arguments: str) -> str:
        home = {"HOME": str(self.folder), "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
        done = subprocess.run(
            [str(BIN / program), *arguments], env=home, capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def see(self) -> list[str]:
        """Fetch, and list the three days from tomorrow on, a line an event."""
        self._run("vdirsyncer", "-c", str(self.folder / "sync"), "sync")
        shown = self._run(
            "khal", "-c", str(self.folder / "show"), "list", "--format", "{start} {end-time} {cancelled}{title}",
            "--day-format", "", "2026-12-08", "3d",
        )  # fmt: skip
        return [line for line in shown.splitlines() if line.strip()]


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the address is a secret."""


@pytest.fixture
def address(transactional_db: None) -> Iterator[str]:
    """The site over plain HTTP, in a thread of the test. pytest-django's own server was made before `_plain` spoke."""

    def close_after(environ: Any, start: Any) -> Any:
        try:
            return [b"".join(site(environ, start))]
        finally:
            connections.close_all()

    site = get_wsgi_application()
    with make_server("127.0.0.1", 0, close_after, handler_class=_Silent) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite  # what a program reads does not depend on the database
def test_vdirsyncer_and_khal_see_booking_change_and_cancellation(
    cast: Any, address: str, tmp_path: Path
) -> None:
    def wish(start: float, end: float, **more: Any) -> Any:
        return make.request_for(cast.misaki, cast.ekimae, make.period(start, end), **more)

    first = services.book_visit(actor=cast.misaki, request=wish(9.5, 12.5, children=[cast.haru])).visit
    services.book_visit(actor=cast.misaki, request=wish(13, 15))
    _feed, secret = feeds.new_feed(cast.misaki, "家", with_details=True)
    programs = Programs(tmp_path, f"{address}/calendar/{secret}.ics")

    title = "駅前ハブに 行く"
    assert programs.see() == [f"2026-12-08 09:30 12:30 {title}", f"2026-12-08 13:00 15:00 {title}"]

    services.move_visit(actor=cast.misaki, code=first.code, request=wish(10, 11.25))
    assert programs.see() == [f"2026-12-08 10:00 11:15 {title}", f"2026-12-08 13:00 15:00 {title}"]
    assert len(list((tmp_path / "calendar").iterdir())) == 2  # the same event, not a second one

    services.cancel_visit(actor=cast.misaki, code=first.code)
    assert programs.see() == [f"2026-12-08 10:00 11:15 CANCELLED {title}", f"2026-12-08 13:00 15:00 {title}"]
