"""`make check`: everything that can be said about the code without running it. All checks run; failures are shown at the end.

`make check ARGS="ruff mypy"` runs those whose name begins so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PYTHON = str(BIN / "python")
# As in production: the deploy check looks at these settings.
PRODUCTION = {
    "HIDAMARI_DEMO": "0",
    "DEBUG": "0",
    "HTTPS": "1",
    "ALLOWED_HOSTS": "hub.example",
    "SECRET_KEY": "only-for-this-check-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
}


SHOWN = 60  # lines of a failed check; enough to start mending, little enough to find the next check


class Check(NamedTuple):
    """A name, what to run, and whether a failure fails the whole (pip-audit only reports)."""

    name: str
    command: list[str]
    gates: bool = True
    timeout: int = 600


def checks() -> list[Check]:
    """All of them, cheap ones first."""
    templates = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "templates").rglob("*.html"))
    manage = [PYTHON, "manage.py"]
    return [
        Check("ruff", [str(BIN / "ruff"), "check", "--output-format", "concise", "."]),
        Check("ruff format", [str(BIN / "ruff"), "format", "--check", "--output-format", "concise", "."]),
        Check("djade", [str(BIN / "djade"), "--target-version", "5.2", "--check", *templates]),
        Check("layers", [str(BIN / "lint-imports"), "--no-logo"]),
        Check("translations", [PYTHON, "scripts/messages.py", "check"]),
        Check("pins", [PYTHON, "scripts/pins.py", "check"]),
        Check("deploy", [*manage, "check", "--deploy", "--fail-level", "WARNING"]),
        Check("migrations made", [*manage, "makemigrations", "--check", "--dry-run"]),
        Check("migration lint", [PYTHON, "scripts/pg_cluster.py", "--optional", PYTHON, "scripts/lint_migrations.py"]),
        Check("mypy", [str(BIN / "mypy"), "hub", "scripts", "manage.py"]),
        Check("pip-audit", [str(BIN / "pip-audit"), "--progress-spinner", "off", "-r", "requirements.txt"]
              + ["--disable-pip", "--require-hashes", "--timeout", "10"], gates=False, timeout=60),
    ]  # fmt: skip


def run(check: Check, environment: dict[str, str]) -> tuple[bool, str]:
    """Run one; return whether it passed and what it said."""
    try:
        done = subprocess.run(
            check.command, cwd=ROOT, env=environment, timeout=check.timeout,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, f"no answer within {check.timeout} s"
    # pip-audit is content when it could not ask about a package at all; say so instead.
    return done.returncode == 0 and "could not be audited" not in done.stdout, done.stdout.strip()


def main() -> int:
    """Run the chosen checks, one line each; then everything the failed ones said."""
    chosen = [check for check in checks() if not sys.argv[1:] or check.name.startswith(tuple(sys.argv[1:]))]
    failed = []
    foreign = ("DATABASE_URL", "REDIS_URL", "HUB_NOW")
    with tempfile.TemporaryDirectory(prefix="hidamari-check-") as data:
        kept = {name: value for name, value in os.environ.items() if name not in foreign}
        environment = {**kept, **PRODUCTION, "DATA_DIR": data}
        for check in chosen:
            began = time.monotonic()
            passed, output = run(check, environment)
            word = "ok" if passed else "FAILED" if check.gates else "report"
            print(f"{word:>8}  {time.monotonic() - began:5.1f} s  {check.name}", flush=True)
            if not passed:
                failed.append((check, output))
    for check, output in failed:
        lines = output.splitlines()
        shown = SHOWN if check.gates else 5
        print(f"\n== {check.name} ==", *lines[:shown], sep="\n")
        if len(lines) > shown:
            print(f"... and {len(lines) - shown} lines more")
    return 1 if any(check.gates for check, _ in failed) else 0


if __name__ == "__main__":
    sys.exit(main())
