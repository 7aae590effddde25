"""A private PostgreSQL for tests and measurements: its own folder, a Unix socket only, gone afterwards.

As a module: `with cluster() as url`. As a command: `pg_cluster.py [--optional] [--durable] COMMAND...` runs COMMAND with
TEST_POSTGRES_URL set. PostgreSQL refuses root, so root runs it as the user postgres (or nobody). A cluster that
the machine may have is never touched.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

NAME = "hidamari"
# What is measured or tested here may vanish with a power cut; `--durable` keeps the server's own care.
FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


def find_binaries() -> Path | None:
    """The folder of initdb and postgres: newest of Debian's, or the one on PATH; None where there is no server."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if debian:
        return debian[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path and shutil.which("initdb") else None


def server_user() -> str | None:
    """The user to run the server as, None for the one who is already running this."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise RuntimeError("root needs a user 'postgres' or 'nobody' to run PostgreSQL")


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[str]:
    """Start a server, yield its DATABASE_URL, stop and delete it. Raises RuntimeError where it cannot start."""
    binaries, user = find_binaries(), server_user()
    if binaries is None:
        raise RuntimeError("no PostgreSQL server on this machine")
    # Socket paths are limited to about 100 characters and this one stands in a URL: short, lower case, under /tmp.
    folder = Path(tempfile.mkdtemp(prefix="hidamari-pg-", dir="/tmp"))
    if user:
        shutil.chown(folder, user)
    server: subprocess.Popen[bytes] | None = None

    def call(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(binaries / program), *arguments]
        return subprocess.run(command, cwd=folder, user=user, capture_output=True, text=True)

    try:
        done = call(
            "initdb",
            "-D",
            f"{folder}/data",
            "-U",
            NAME,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr}")
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={folder}",
            "max_connections=200",
            "timezone=UTC",
        ]
        options = [part for setting in settings + ([] if durable else FAST) for part in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            command = [str(binaries / "postgres"), "-D", f"{folder}/data", *options]
            server = subprocess.Popen(command, cwd=folder, user=user, stdout=log, stderr=log)
        for _ in range(150):
            if call("createdb", "-h", str(folder), "-U", NAME, NAME).returncode == 0:
                break
            if server.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
            time.sleep(0.2)
        else:
            raise RuntimeError("PostgreSQL did not answer within 30 seconds")
        yield f"postgres://{NAME}@/{NAME}?host={folder}"
    finally:
        if server and server.poll() is None:
            server.send_signal(signal.SIGQUIT)  # immediate: nothing in it is worth a checkpoint
            server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def leave(signum: int, _frame: FrameType | None) -> None:
    """Turn a signal into an exit, so that `finally` stops the server."""
    sys.exit(128 + signum)


def main() -> int:
    """Command line; see the top of the file."""
    command = sys.argv[1:]
    flags = set()
    while command and command[0] in ("--optional", "--durable"):
        flags.add(command.pop(0))
    signal.signal(signal.SIGTERM, leave)
    if os.environ.get("TEST_POSTGRES_URL"):
        return subprocess.run(command).returncode
    if find_binaries() is None and "--optional" in flags:
        print("  PostgreSQL was not found (apt-get install postgresql); going on without it", file=sys.stderr)
        return subprocess.run(command).returncode
    try:
        with cluster(durable="--durable" in flags) as url:
            return subprocess.run(command, env={**os.environ, "TEST_POSTGRES_URL": url}).returncode
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
