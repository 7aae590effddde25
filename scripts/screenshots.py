"""`make screenshots`: the pictures of the README and the docs, taken from a fresh demo by Chromium.

Starts the demo on a free port with a data folder of its own, signs in as people of the cast, and writes
docs/screenshots/<name>-<light|dark>.png: phone pages at 390 x 844 (light ones twice as sharp), manager's at 1280 x 800,
the carers' at 1024 x 768.
A page that fails is named at the end and makes the exit status 1; the others are still taken.
`screenshots.py today book` takes only pages whose name begins so.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "screenshots"
PHONE, DESK, TABLET = (390, 844), (1280, 800), (1024, 768)
NOW = "2026-12-07T09:40:00+09:00"  # a Monday: every run shows the same day
QUIET_DAY = "2026-12-10"
FULL_DAY = "2026-12-09"  # a Wednesday: lunch is full for one- and two-year-olds
WAIT = 8000


class Shot(NamedTuple):
    """A picture: its name, who looks (empty: nobody signed in), and how to get there."""

    name: str
    who: str
    go: Callable[[Page], None]
    size: tuple[int, int] = PHONE
    dark: bool = False


def visit(path: str) -> Callable[[Page], None]:
    """Open a page; anything but 200 is a failure."""

    def go(page: Page) -> None:
        response = page.goto(path)
        if response is None or response.status != 200:
            raise RuntimeError(f"{path} answered {response.status if response else 'nothing'}")

    return go


def children(page: Page) -> str:
    """The children that the booking page offers, as a part of an address."""
    visit("/book/")(page)
    codes = page.locator("input[name=c]").evaluate_all("boxes => boxes.map(box => box.value)")
    return "".join(f"&c={code}" for code in codes)


def booking(step: str, day: str, start: str, end: str) -> Callable[[Page], None]:
    """A step of booking with both children, at a time of one's own."""
    return lambda page: visit(f"{step}?hub=ekimae&d={day}&p=own&from={start}&to={end}{children(page)}")(page)


def refused(page: Page) -> None:
    """Scrolled so that the refusal with its reason and the first offers share the picture."""
    booking("/book/", FULL_DAY, "11:30", "14:00")(page)
    page.locator("#avail").evaluate("card => window.scrollTo(0, card.offsetTop - 12)")


def first_visit(page: Page) -> str:
    visit("/visits/")(page)
    links = page.locator("a[href*='/visits/']").evaluate_all(
        "links => links.map(a => a.getAttribute('href'))"
    )
    for link in links:
        if re.fullmatch(r"/visits/[0-9A-Z]{8,}/", str(link)):
            return str(link)
    raise RuntimeError("no visit on /visits/")


def let_in(page: Page) -> None:
    """The door's answer to somebody who is expected now, found by her name."""
    visit("/door/search/?q=みさき")(page)
    page.locator("form[action*='/door/scan/'] button").first.click()
    page.locator("#door-answer").wait_for()


def one_child(page: Page) -> None:
    """The sheet of a child who is to come."""
    visit("/care/")(page)
    page.locator(".coming a").first.click()
    page.wait_for_load_state()


def detail(page: Page) -> None:
    visit(first_visit(page))(page)


def done(page: Page) -> None:
    visit(first_visit(page) + "done/")(page)


SHOTS = [
    Shot("front", "", visit("/"), dark=True),
    Shot("sign-in", "", visit("/accounts/login/")),
    Shot("today", "misaki", visit("/"), dark=True),
    Shot("book", "misaki", booking("/book/", QUIET_DAY, "09:30", "12:30"), dark=True),
    # Refused, with the reason and what else would fit.
    Shot("book-full", "misaki", refused, dark=True),
    Shot("seats", "misaki", booking("/book/seat/", QUIET_DAY, "09:30", "12:30")),
    Shot("done", "misaki", done),
    Shot("visits", "misaki", visit("/visits/")),
    Shot("visit", "misaki", detail),
    Shot("children", "misaki", visit("/me/children/")),
    Shot("me", "misaki", visit("/me/")),
    Shot("inbox", "", visit("/demo/inbox/")),
    Shot("pass", "misaki", visit("/pass/"), dark=True),
    Shot("sick", "misaki", visit("/sick/")),
    Shot("calendars", "misaki", visit("/me/calendar/")),
    Shot("door", "door", visit("/door/")),
    Shot("door-in", "door", let_in, dark=True),
    Shot("care", "carer", visit("/care/"), size=TABLET, dark=True),
    Shot("care-child", "carer", one_child, size=TABLET),
    Shot("desk", "manager", visit("/desk/ekimae/"), size=DESK, dark=True),
    Shot("desk-table", "manager", visit("/desk/ekimae/?view=table"), size=DESK),
    Shot("desk-inside", "manager", visit("/desk/ekimae/inside/"), size=DESK),
    Shot("desk-roster", "manager", visit("/desk/ekimae/roster/"), size=DESK),
    Shot("desk-approvals", "manager", visit("/desk/ekimae/children/"), size=DESK),
    Shot("desk-hours", "manager", visit("/desk/ekimae/hours/"), size=DESK),
    Shot("desk-closures", "manager", visit("/desk/ekimae/closures/"), size=DESK),
    Shot("desk-storm", "manager", visit("/desk/ekimae/storm/")),
    Shot("desk-orders", "director", visit("/desk/ekimae/work/"), size=DESK),
    Shot("desk-people", "manager", visit("/desk/ekimae/people/"), size=DESK),
]


def chromium() -> str:
    """The system's browser. Raises SystemExit with the one command where there is none."""
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        sys.exit("Chromium was not found. Type: apt-get install chromium fonts-noto-cjk")
    return found


@contextmanager
def demo() -> Iterator[str]:
    """A fresh demo server; yields its address."""
    folder = Path(tempfile.mkdtemp(prefix="hidamari-pictures-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        k: v
        for k, v in os.environ.items()
        if k not in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    }
    env |= {"DATA_DIR": str(folder), "HIDAMARI_DEMO": "1", "HUB_NOW": NOW, "LOG_LEVEL": "ERROR"}
    server: subprocess.Popen[bytes] | None = None
    try:
        for arguments in (
            ("migrate", "--verbosity", "0"),
            ("collectstatic", "--no-input", "--verbosity", "0"),
            ("load_demo", "--verbosity", "0"),
        ):
            subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, check=True)
        command = [sys.executable, "manage.py", "serve", "--port", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, env=env)
        address = f"http://localhost:{port}"
        for _ in range(150):
            try:
                urllib.request.urlopen(f"{address}/health/", timeout=2).close()  # noqa: S310  our own server
                break
            except OSError:
                if server.poll() is not None:
                    sys.exit("the server did not start")
                time.sleep(0.2)
        yield address
    finally:
        if server is not None:
            server.terminate()
            server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def smaller(png: bytes) -> bytes:
    """The same picture, packed as tightly as zlib can (PNG: length, type, data and CRC-32 per chunk)."""
    chunks: list[tuple[bytes, bytes]] = []
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    pixels = zlib.compress(zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT")), 9)
    head = [chunk for chunk in chunks if chunk[0] == b"IHDR"]
    out = png[:8]
    for kind, data in [*head, (b"IDAT", pixels), (b"IEND", b"")]:
        out += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return min(out, png, key=len)


def sign_in(page: Page, who: str) -> None:
    """By the demo's own button, as a visitor does."""
    page.goto("/accounts/login/")
    page.locator(f"button[name=who][value={who}]").click()
    page.wait_for_load_state()
    if "/accounts/" in page.url:
        raise RuntimeError(f"{who} could not sign in")


def take(browser: Browser, address: str, shots: list[Shot], scheme: str) -> list[str]:
    """All pictures of one colour scheme; returns what failed."""
    failed: list[str] = []
    groups: dict[tuple[str, tuple[int, int]], list[Shot]] = {}
    for shot in shots:
        groups.setdefault((shot.who, shot.size), []).append(shot)
    for (who, size), group in groups.items():
        width, height = size
        context = browser.new_context(
            base_url=address, viewport={"width": width, "height": height}, locale="ja-JP", timezone_id="Asia/Tokyo",
            device_scale_factor=2 if scheme == "light" and size == PHONE else 1, color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(WAIT)
        page = context.new_page()
        try:
            if who:
                sign_in(page, who)
        except Exception as error:
            failed += [f"{shot.name} ({scheme}): sign-in as {who}: {error}".splitlines()[0] for shot in group]
            context.close()
            continue
        for shot in group:
            try:
                shot.go(page)
                page.wait_for_timeout(250)  # fonts and the first live answer
                picture = OUT / f"{shot.name}-{scheme}.png"
                page.screenshot(path=picture)
                picture.write_bytes(smaller(picture.read_bytes()))
            except Exception as error:
                failed.append(f"{shot.name} ({scheme}): {error}".splitlines()[0])
        context.close()
    return failed


def main() -> int:
    """Take them all, or those whose name begins with an argument."""
    wanted = tuple(sys.argv[1:])
    shots = [shot for shot in SHOTS if not wanted or shot.name.startswith(wanted)]
    OUT.mkdir(parents=True, exist_ok=True)
    executable = chromium()
    failed: list[str] = []
    with demo() as address, sync_playwright() as driver:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(
            executable_path=executable, args=[*sandbox, "--force-color-profile=srgb"]
        )
        for scheme in ("light", "dark"):
            failed += take(browser, address, [s for s in shots if scheme == "light" or s.dark], scheme)
        browser.close()
    size = sum(path.stat().st_size for path in OUT.glob("*.png"))
    print(f"  {len(list(OUT.glob('*.png')))} pictures in docs/screenshots, {size / 1e6:.1f} MB in the folder")
    for line in failed:
        print(f"  failed: {line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
