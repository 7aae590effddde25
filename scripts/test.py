"""Run the suite: once on SQLite with everything, once on PostgreSQL with what depends on the database.

Arguments go to pytest. PostgreSQL is TEST_POSTGRES_URL, or a private cluster where the server is installed. What could
not run is named (tests/plugin.py); with CI set, or HIDAMARI_CI=1, that is a failure.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts import pg_cluster  # noqa: E402  (started as a file, so the path comes first)
from tests import plugin  # noqa: E402

NO_TESTS = 5  # pytest's exit code when a selection is empty
# What a person may have set for the demo must not reach the tests.
FOREIGN = ("DATABASE_URL", "REDIS_URL", "HUB_NOW", "HIDAMARI_DEMO", "DEBUG", "SECRET_KEY", "ALLOWED_HOSTS")


def run_pytest(title: str, arguments: list[str], **environment: str) -> int:
    """One call of pytest; returns its exit code."""
    print(f"\n== {title} ==", flush=True)
    env = {name: value for name, value in os.environ.items() if name not in FOREIGN} | environment
    began = time.monotonic()
    # A file stays on one worker, since its tests share a served demo, and they begin in the order of tests/plugin.py; the
    # parts of a soak are one file on both cores.
    spread = "worksteal" if env.get("HIDAMARI_SOAK") == "1" else "loadfile"
    code = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "--dist", spread, "--no-loadscope-reorder", *arguments],
        cwd=ROOT,
        env=env,
    ).returncode
    print(f"== {title}: {time.monotonic() - began:.0f} s ==", flush=True)
    return code


def main() -> int:
    """Both runs; red if either is."""
    signal.signal(signal.SIGTERM, pg_cluster.leave)
    arguments = sys.argv[1:]
    given = os.environ.get("TEST_POSTGRES_URL")
    with_postgres = bool(given) or pg_cluster.find_binaries() is not None
    codes = [run_pytest("SQLite", arguments, HIDAMARI_TWO_RUNS="1" if with_postgres else "0")]
    if given:
        codes.append(run_pytest("PostgreSQL", arguments, HIDAMARI_TWO_RUNS="1", DATABASE_URL=given))
    elif with_postgres:
        with pg_cluster.cluster() as url:
            codes.append(run_pytest("PostgreSQL", arguments, HIDAMARI_TWO_RUNS="1", DATABASE_URL=url))
    elif plugin.IN_CI:
        print(f"CI is set, and {plugin.NO_POSTGRES}", file=sys.stderr)
        codes.append(1)
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    # An empty selection is fine on one database (a test may be for the other), not on both.
    return failed[0] if failed else (NO_TESTS if set(codes) == {NO_TESTS} else 0)


if __name__ == "__main__":
    sys.exit(main())
