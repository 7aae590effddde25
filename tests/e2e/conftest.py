"""The real thing: `manage.py serve` on a copy of the demo, and Chromium in front of it.

The demo is loaded once per run (all workers share it) and copied for each module, so that modules do not see each
other's bookings. Inside a module tests keep apart by day and by person. The demo's clock starts at `NOW`.
"""

import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests import plugin

ROOT = Path(__file__).resolve().parent.parent.parent
#: Monday 9:40 in Tokyo: the hub is open, and Wednesday's and Friday's lunch is full for classes 1 and 2.
NOW = datetime(2026, 12, 7, 9, 40, tzinfo=ZoneInfo("Asia/Tokyo"))
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 12, n) for n in range(7, 12))
NEXT_MONDAY, NEXT_THURSDAY = date(2026, 12, 14), date(2026, 12, 17)
THIRD_MONDAY = date(2026, 12, 21)
PHONE = {"width": 390, "height": 844}
NOT_OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "DEBUG",
    "SITE_URL",
    "ALLOWED_HOSTS",
    "FIELD_KEYS",
    "PASS_KEYS",
    "PUSH_KEYS",
    "HTTPS",
    "STAFF_MFA_REQUIRED",
)
START_WITHIN = 60
#: What Chromium says when somebody goes on while the page's socket is still opening.
LEFT_WHILE_CONNECTING = "WebSocket is closed before the connection is established."
#: Chromium writes a console error for every answer from 400 on; these are answers of ours.
ANSWERS = re.compile(
    r"Failed to load resource: the server responded with a status of (403|404|409|410|422|429)"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def manage(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start a management command of a demo that lives in ``folder``; its output goes into a file there."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    env = kept | {
        "DATA_DIR": str(folder),
        "HIDAMARI_DEMO": "1",
        "HUB_NOW": NOW.isoformat(),
        "DJANGO_SETTINGS_MODULE": "hub.settings",
        "LOG_LEVEL": "WARNING",
        **environment,
    }
    with (folder / f"{arguments[0]}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, stdout=log, stderr=log
        )


def finish(process: subprocess.Popen[bytes]) -> None:
    code = process.wait(timeout=180)
    assert code == 0, f"{process.args!r} ended with {code}"


@pytest.fixture(scope="session")
def demo_folder() -> Path:
    """A data folder with the demo loaded and the static files collected; made by the first worker that asks."""
    base = Path(os.environ["HIDAMARI_TEST_DATA"]) / "e2e"
    base.mkdir(parents=True, exist_ok=True)
    folder = base / "demo"
    with (base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / "ready").exists():
            folder.mkdir()
            finish(manage(folder, "migrate", "--verbosity", "0"))
            static = manage(folder, "collectstatic", "--no-input", "--verbosity", "0", "--ignore", "redoc*")
            finish(manage(folder, "load_demo"))
            finish(static)
            (base / "ready").touch()
    return folder


@dataclass
class Site:
    """A running demo: its address, its data folder, and the mails it sent."""

    url: str
    folder: Path

    def mails(self, address: str) -> list[EmailMessage]:
        """Mails to ``address``, the oldest first."""
        paths = (self.folder / "mail").glob("*.log")
        found: list[EmailMessage] = []
        for path in sorted(paths, key=lambda one: one.stat().st_mtime_ns):
            for chunk in re.split(rb"^-{79}\r?\n?", path.read_bytes(), flags=re.MULTILINE):
                if chunk.strip():
                    mail = message_from_bytes(chunk, _class=EmailMessage, policy=policy.default)
                    if address in str(mail["To"]):
                        found.append(mail)
        return found

    def code_for(self, address: str) -> str:
        """The six digits of the newest mail to ``address``; waits for it."""

        def read() -> str:
            for mail in reversed(self.mails(address)):
                match = re.search(r"^\s*(\d{6})\s*$", text_of(mail), re.MULTILINE)
                if match:
                    return match[1]
            return ""

        return until(read)


T = TypeVar("T")


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body else ""


def until(ask: Callable[[], T], seconds: float = 15) -> T:
    """Ask again until the answer is true-ish, and return it."""
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_copy(demo_folder: Path, folder: Path) -> Path:
    """Copy the loaded demo into ``folder``."""
    for name in ("hidamari.sqlite3", "keys"):
        source = demo_folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / "static").symlink_to(demo_folder / "static")
    return folder


@contextmanager
def served(folder: Path, *options: str, **environment: str) -> Iterator[Site]:
    """Serve the demo in ``folder`` on a free port until the end of the block."""
    port = free_port()
    process = manage(folder, "serve", "--port", str(port), *options, **environment)
    url = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        assert process.poll() is None, (folder / "serve.log").read_text()
        try:
            with urllib.request.urlopen(f"{url}/health/", timeout=5):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    try:
        until(is_up, START_WITHIN)
        yield Site(url, folder)
    finally:
        process.terminate()
        process.wait(timeout=20)
    log = (folder / "serve.log").read_text().splitlines()
    # Refusals are warnings. An error is a page that broke, FAILED a task that did.
    assert [line for line in log if line.startswith("ERROR") or "state=FAILED" in line] == []


@pytest.fixture(scope="module")
def site(
    demo_folder: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Site]:
    """A demo of the module's own, served with its worker and its sockets. `SITE_SETTINGS` there changes its settings."""
    environment = getattr(request.module, "SITE_SETTINGS", {})
    with served(own_copy(demo_folder, tmp_path_factory.mktemp("site")), **environment) as site:
        yield site


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Stopped after each module: its loop must not meet the async tests of another one in the same worker."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=plugin.chromium(), args=arguments)
    yield browser
    browser.close()


@dataclass
class Person:
    """Somebody at a browser of her own. `trouble` collects what must not happen; asked at the end of each test."""

    site: Site
    context: BrowserContext
    page: Page
    who: str = ""
    trouble: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.site.url + path)
        return self.page

    def post(self, path: str, **data: Any) -> Any:
        """A call of the API as this person; returns (status, JSON)."""
        answer = self.context.request.post(self.site.url + path, data=data, headers=self._headers())
        return answer.status, answer.json()

    def get(self, path: str) -> Any:
        answer = self.context.request.get(self.site.url + path)
        assert answer.ok, answer.text()
        return answer.json()

    def delete(self, path: str) -> int:
        return self.context.request.delete(self.site.url + path, headers=self._headers()).status

    def _headers(self) -> dict[str, str]:
        cookies = {cookie["name"]: cookie["value"] for cookie in self.context.cookies()}
        return {"X-CSRFToken": cookies["csrftoken"], "Referer": self.site.url}

    def sign_in(self, who: str) -> None:
        """As the one-tap form of the demo does, for anybody of the cast and the sixty members."""
        request = self.context.request
        request.get(f"{self.site.url}/accounts/login/")
        cookies = {cookie["name"]: cookie["value"] for cookie in self.context.cookies()}
        answer = request.post(
            f"{self.site.url}/demo/sign-in/",
            form={"who": who, "csrfmiddlewaretoken": cookies["csrftoken"]},
            headers={"Referer": self.site.url},
        )
        assert answer.ok, answer.text()
        self.who = who


MakePerson = Callable[..., Person]


def new_person(browser: Browser, site: Site, who: str, **options: Any) -> Person:
    """Somebody with a browser of her own, signed in as ``who`` unless that is empty."""
    chosen = {
        "viewport": PHONE,
        "locale": "ja-JP",
        "has_touch": True,
        "reduced_motion": "reduce",
        **options,
    }
    context = browser.new_context(**chosen)
    context.set_default_timeout(15_000)
    person = Person(site, context, context.new_page())
    watch(person)
    if who:
        person.sign_in(who)
    return person


@pytest.fixture
def make_person(browser: Browser, site: Site) -> Iterator[MakePerson]:
    """``make_person("misaki")`` opens a phone on which Misaki is signed in; options go to the browser's context."""
    made: list[Person] = []

    def make(who: str = "", **options: Any) -> Person:
        made.append(new_person(browser, site, who, **options))
        return made[-1]

    yield make
    trouble = [line for person in made for line in person.trouble]
    for person in made:
        person.context.close()
    assert trouble == []


@pytest.fixture(scope="module")
def _readers(browser: Browser) -> Iterator[dict[tuple[str, ...], Person]]:
    kept: dict[tuple[str, ...], Person] = {}
    yield kept
    for person in kept.values():
        person.context.close()


@pytest.fixture
def reader(browser: Browser, site: Site, _readers: dict[tuple[str, ...], Person]) -> Iterator[MakePerson]:
    """``reader("misaki")`` is the same phone for every test of the module: for tests that look at page after page.

    Who is not signed in gets a new one each time, because a form half filled in is remembered in her session.
    """
    asked: list[Person] = []

    def find(who: str = "", **options: Any) -> Person:
        key = (who, *(f"{name}={value}" for name, value in sorted(options.items())))
        person = _readers.get(key) or new_person(browser, site, who, **options)
        if who:
            _readers[key] = person
        asked.append(person)
        return person

    yield find
    trouble = [line for person in asked for line in person.trouble]
    for person in asked:
        person.trouble.clear()
        if not person.who:
            person.context.close()
    assert trouble == []


def watch(person: Person) -> None:
    """Collect errors on the console, violations of the CSP, and requests to another host."""

    def said(message: Any) -> None:
        if message.type in ("error", "warning") and not (
            ANSWERS.match(message.text) or message.text.endswith(LEFT_WHILE_CONNECTING)
        ):
            person.trouble.append(f"console: {message.text} ({person.page.url})")

    def asked(request: Any) -> None:
        if not request.url.startswith((person.site.url, "data:", "blob:")):
            person.trouble.append(f"another host: {request.url}")

    person.context.on("console", said)
    person.context.on("weberror", lambda error: person.trouble.append(f"script: {error.error}"))
    person.context.on("request", asked)
    # A violation is an error on the console too, but only for what the page itself does.
    person.context.expose_function("hidamariCsp", lambda what: person.trouble.append(f"CSP: {what}"))
    person.context.add_init_script(
        "addEventListener('securitypolicyviolation', e => hidamariCsp(e.violatedDirective + ' ' + e.blockedURI))"
    )
