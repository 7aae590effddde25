"""`make bench`: how fast the real server books and reads, beside a call that does nothing, on both databases.

    python -m tests.load.bench [--quick] [--sqlite | --postgres] [--no-worker] [--write]

Starts `manage.py serve` on a free port of 127.0.0.1 with a data folder of its own, and measures over HTTP with
keep-alive and a bearer token: the median time at one client, requests per second at sixteen. Each booking is a seat
and one child for three hours and none can be refused. `--write` renews the table in docs/performance.md.
PostgreSQL is measured where TEST_POSTGRES_URL is set (`make bench` starts a private cluster).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "performance.md"
MARKS = ("<!-- bench: begin -->", "<!-- bench: end -->")
CLIENTS = 16
GOALS = {"availability": (2.0, 6), "booking": (5.0, 20), "scan": (2.5, 10)}  # times the no-op, queries


REFUSED_SCANS = (
    "from hub.checkin.models import Scan; print(Scan.objects.exclude(result='ok', reason='booked').count())"
)


@dataclass
class Size:
    """How many requests: warm-up, at one client (per kind), at sixteen clients (no-op, availability, booking, scan)."""

    warm: int = 60
    single: int = 400
    many: tuple[int, int, int, int] = (6000, 4000, 1600, 1600)


QUICK = Size(20, 80, (800, 600, 240, 240))


class Connection:
    """HTTP/1.1 over one kept connection: as little work as possible, since the client shares the machine."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send, and read one answer: status and body."""
        self._socket.sendall(request)
        data = self._socket.recv(65536)
        while b"\r\n\r\n" not in data:
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the server closed the connection")
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the server closed the connection")
            body += more
        return int(head[9:12]), body

    def close(self) -> None:
        self._socket.close()


def get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def post(path: str, token: str, body: dict[str, Any]) -> bytes:
    payload = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


@dataclass
class Result:
    """One kind of call: median in milliseconds at one client, requests per second at sixteen."""

    times: list[float] = field(default_factory=list)
    per_second: float = 0.0
    slow: float = 0.0  # 99th percentile at sixteen clients, ms
    queries: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.times) * 1000


def timed(connection: Connection, request: bytes, expected: int) -> float:
    began = time.perf_counter()
    status, body = connection.ask(request)
    took = time.perf_counter() - began
    if status != expected:
        raise RuntimeError(f"the server answered {status}: {body[:300]!r}")
    return took


def many(port: int, requests: Sequence[bytes], expected: int) -> tuple[float, float]:
    """All ``requests`` by sixteen clients; returns requests per second and the 99th percentile in seconds."""
    waiting = iter(requests)
    lock = threading.Lock()
    times: list[float] = []
    errors: list[BaseException] = []

    def client() -> None:
        connection = Connection(port)
        mine: list[float] = []
        try:
            while True:
                with lock:
                    request = next(waiting, None)
                if request is None:
                    return
                mine.append(timed(connection, request, expected))
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()
            with lock:
                times.extend(mine)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if errors:
        raise errors[0]
    return len(times) / took, sorted(times)[int(len(times) * 0.99)]


def measure(port: int, data: dict[str, Any], size: Size) -> dict[str, Result]:
    """The kinds in turn, so that a slow moment of the machine falls on all of them."""
    jobs = iter(data["jobs"])

    def booking() -> bytes:
        job = next(jobs)
        return post("/api/v1/visits", job["token"], job["body"])

    arrivals = iter(data["arrivals"])

    def scan() -> bytes:
        """Each of somebody else whose visit runs: every answer is どうぞ (`refused_scans`)."""
        return post("/api/v1/checkin/scans", data["door"], next(arrivals))

    turn = iter(range(10**9))
    days = data["days"]
    kinds: dict[str, tuple[Callable[[], bytes], int]] = {
        "ping": (lambda: get("/api/v1/ping", data["token"]), 200),
        "availability": (
            lambda: get(
                f"/api/v1/hubs/bench/availability?date={days[next(turn) % len(days)]}", data["token"]
            ),
            200,
        ),
        "booking": (booking, 201),
        "scan": (scan, 200),
    }
    found = {name: Result(queries=data["queries"][name]) for name in kinds}
    connection = Connection(port)
    for make, expected in kinds.values():
        for _ in range(size.warm):
            timed(connection, make(), expected)
    for _ in range(size.single // 20):
        for name, (make, expected) in kinds.items():
            found[name].times += [timed(connection, make(), expected) for _ in range(20)]
    connection.close()
    for (name, (make, expected)), count in zip(kinds.items(), size.many, strict=True):
        requests = [make() for _ in range(count)]
        found[name].per_second, found[name].slow = many(port, requests, expected)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def serving(env: dict[str, str], *, worker: bool) -> Iterator[int]:
    """The real server in its own process."""
    port = free_port()
    command = [
        sys.executable,
        "manage.py",
        "serve",
        "--port",
        str(port),
        *([] if worker else ["--no-worker"]),
    ]
    log = Path(env["DATA_DIR"]) / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if server.poll() is not None:
                    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}") from None
                time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """A database of the bench's own in the server of ``url``."""
    import psycopg

    base, _, query = url.partition("?")
    name = "hidamari_bench"
    server = f"{base.rsplit('/', 1)[0]}/postgres" + (f"?{query}" if query else "")
    with psycopg.connect(server.replace("postgres://", "postgresql://", 1), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def run(url: str, size: Size, *, worker: bool) -> dict[str, Result]:
    """Load, serve, measure, recount."""
    folder = Path(tempfile.mkdtemp(prefix="hidamari-bench-"))
    env = {
        k: v for k, v in os.environ.items() if k not in ("HUB_NOW", "REDIS_URL", "EMAIL_URL", "DATABASE_URL")
    }
    env |= {"DATA_DIR": str(folder), "HIDAMARI_DEMO": "1", "LOG_LEVEL": "WARNING"}
    if url:
        env["DATABASE_URL"] = url

    def call(*arguments: str) -> str:
        done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
        return done.stdout

    try:
        call("manage.py", "migrate", "--verbosity", "0")
        data = json.loads(call("-m", "tests.load.dataset"))
        with serving(env, worker=worker) as port:
            found = measure(port, data, size)
        refused = call("manage.py", "shell", "--no-imports", "-c", REFUSED_SCANS).strip()
        if refused != "0":
            raise RuntimeError(f"{refused} scans of the bench did not open the door")
        recount = call("manage.py", "check_invariants").strip()
        if recount != "0 differences":
            raise RuntimeError(f"after the bench: {recount[-500:]}")
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def table(results: dict[str, dict[str, Result]]) -> str:
    """Markdown."""
    names = {
        "ping": "no-op",
        "availability": "availability of a day",
        "booking": "booking: seat, one child, 3 h",
        "scan": "scan of a pass at the door",
    }
    lines = [
        "| Database | Call | Queries | Median, 1 client | x no-op | per s, 16 clients | x no-op | p99, 16 clients |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for database, found in results.items():
        nothing = found["ping"]
        for name, result in found.items():
            lines.append(
                f"| {database} | {names[name]} | {result.queries} | {result.median:.1f} ms "
                f"| {result.median / nothing.median:.1f} | {result.per_second:.0f} "
                f"| {nothing.per_second / result.per_second:.1f} | {result.slow * 1000:.0f} ms |"
            )
    return "\n".join(lines)


def missed(results: dict[str, dict[str, Result]]) -> list[str]:
    """Goals that were not met."""
    out = []
    for database, found in results.items():
        for name, (times, queries) in GOALS.items():
            ratio = found[name].median / found["ping"].median
            if ratio > times:
                out.append(f"{database}: {name} takes {ratio:.1f} times the no-op, the goal is {times:g}")
            if found[name].queries > queries:
                out.append(f"{database}: {name} asks {found[name].queries} queries, the goal is {queries}")
    return out


def write(text: str) -> None:
    """Renew the measured part of docs/performance.md."""
    page = PAGE.read_text()
    before, _, rest = page.partition(MARKS[0])
    _old, _, after = rest.partition(MARKS[1])
    when = time.strftime("%Y-%m-%d")
    machine = f"{os.cpu_count()} cores shared with the client, Python {platform.python_version()}, {platform.system()}"
    PAGE.write_text(f"{before}{MARKS[0]}\nMeasured {when}: {machine}.\n\n{text}\n{MARKS[1]}{after}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer requests, rougher figures")
    parser.add_argument("--sqlite", action="store_true", help="SQLite only")
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL only")
    parser.add_argument(
        "--no-worker", action="store_true", help="mails are sent by another process, as in production"
    )
    parser.add_argument("--write", action="store_true", help="renew the table in docs/performance.md")
    chosen = parser.parse_args()
    size = QUICK if chosen.quick else Size()
    given = os.environ.get("TEST_POSTGRES_URL", "")
    results: dict[str, dict[str, Result]] = {}
    if not chosen.postgres:
        results["SQLite"] = run("", size, worker=not chosen.no_worker)
    if not chosen.sqlite:
        if given:
            with own_database(given) as url:
                results["PostgreSQL"] = run(url, size, worker=not chosen.no_worker)
        else:
            sys.stderr.write("PostgreSQL was not measured: TEST_POSTGRES_URL is not set\n")
    text = table(results)
    sys.stdout.write(text + "\n")
    for line in missed(results):
        sys.stdout.write(f"missed: {line}\n")
    if chosen.write:
        write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
