"""The worker is killed by SIGKILL again and again while notices go out: nothing is lost, what comes twice has one id.

A few kills in the gate; `make soak` kills 100 times while 1,000 notices go out (figures in docs/notices.md).
"""

import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project
from django.db import connection

from hub.core.db import run_write
from hub.members.models import Member
from hub.notices import services
from hub.notices.enums import DeliveryState
from hub.notices.models import Delivery, Notice
from hub.spaces.enums import Role
from tests import factories as make

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[2]
SOAK = os.environ.get("HIDAMARI_SOAK") == "1"
END = "-" * 79  # what Django's file backend writes below each mail


@pytest.fixture
def carer(transactional_db: None) -> Member:
    return make.make_member("保育 さん", "carer@demo.example", hub=make.make_hub(), role=Role.CARER)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The data folder of the workers: their mails are files in it."""
    yield tmp_path
    connection.close()


def tell(carer: Member, count: int) -> None:
    """Notices that may leave at any hour, each with its task, in one transaction."""
    data, told = {"member": carer.code, "hub": "ekimae", "role": "carer"}, Notice.objects.count()

    def work() -> None:
        for n in range(count):
            services.tell(carer, "role", event=f"kill/{told + n}", data=data, own=True)

    run_write(work)
    connection.close()


def address() -> str:
    """The test's own database, as the workers are told it."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


@contextmanager
def worker(folder: Path, step: str = "") -> Iterator["subprocess.Popen[str]"]:
    """A worker that has begun. Whatever is left of it at the end is killed, by its id."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("EMAIL_URL", "HUB_NOW", "REDIS_URL")
    }
    env = kept | {
        "DATABASE_URL": address(),
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "hub.settings",
        "SECRET_KEY": project.SECRET_KEY,
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "tests.notices.carrier", *([step] if step else [])]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() in ("ready", "")
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def mails(folder: Path) -> Counter[str]:
    """Whole mails by their Message-ID. One that was cut off in the middle of writing does not count."""
    found: Counter[str] = Counter()
    for path in (folder / "mail").glob("*.log"):
        body = path.read_text()
        if END in body:
            found.update(re.findall(r"^Message-ID: (\S+)", body, re.MULTILINE | re.IGNORECASE))
    return found


def count_files(folder: Path) -> int:
    return sum(1 for _ in os.scandir(folder / "mail")) if (folder / "mail").exists() else 0


def finish(folder: Path) -> None:
    """A last worker that nobody kills."""
    with worker(folder) as last:
        assert last.wait(timeout=120) == 0


def check(folder: Path, count: int) -> int:
    """Every notice arrived, each under its own id; returns how many copies came besides."""
    found = mails(folder)
    wanted = {f"<{code.lower()}@hidamari>" for code in Notice.objects.values_list("code", flat=True)}
    assert len(wanted) == count
    assert wanted - set(found) == set(), "lost"
    assert set(found) == wanted
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.SENT}
    return found.total() - count


@pytest.mark.parametrize(("step", "copies"), [("leased", 0), ("carried", 1)])
def test_killed_at_a_step_it_is_carried_by_the_next_worker(
    carer: Member, folder: Path, step: str, copies: int
) -> None:
    tell(carer, 1)
    with worker(folder, step) as process:
        assert process.wait(timeout=60) == -9
    assert mails(folder).total() == copies
    assert Delivery.objects.get().state == DeliveryState.WAITING
    finish(folder)
    assert check(folder, 1) == copies


def test_written_down_before_it_was_carried_it_would_be_lost(carer: Member, folder: Path) -> None:
    """The harm: the other order says "sent" of a mail that nobody ever got."""
    tell(carer, 1)
    with worker(folder, "careless") as process:
        assert process.wait(timeout=60) == -9
    finish(folder)
    assert Delivery.objects.get().state == DeliveryState.SENT
    assert mails(folder) == Counter()


@pytest.mark.soak
def test_killed_again_and_again_nothing_is_lost(carer: Member, folder: Path) -> None:
    chance = random.Random(None if SOAK else 4)
    notices, kills = (1000, 100) if SOAK else (60, 5)
    tell(carer, notices)
    killed = 0
    for _ in range(3 * kills):
        if killed == kills:
            break
        before = count_files(folder)
        few = chance.randint(1, max(1, 2 * (notices - before) // (kills - killed) - 2))
        with worker(folder) as process:
            end = time.monotonic() + 30
            while count_files(folder) < before + few and process.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            time.sleep(chance.random() * 0.03)  # anywhere between two steps
            alive = process.poll() is None
            process.kill()
        connection.close()
        killed += alive
        if not alive:  # it was faster than the kill: there must be something left to be killed over
            tell(carer, 20)
            notices += 20
    assert killed == kills, "the notices must last for the kills"
    finish(folder)
    copies = check(folder, notices)
    sys.stdout.write(
        f"{notices} notices, {killed} kills: 0 lost, {copies} copies, all under the id of the first\n"
    )
