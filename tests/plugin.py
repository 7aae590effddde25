"""What every run of the suite needs before Django starts: a folder of its own, and an honest word about what is missing.

`make test` calls pytest twice, on SQLite with everything and on PostgreSQL with what depends on the database
(`SECOND_RUN`, and tests marked `both_databases` or `postgres`). What cannot run, because Chromium, PostgreSQL
or Redis is not on the machine, is skipped and named at the end; in CI (`CI` or `HIDAMARI_CI` is set) any skip is a failure.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections import Counter, defaultdict

import pytest

SECOND_RUN = ("tests/races/", "tests/booking/", "tests/childcare/", "tests/spaces/")
IN_CI = any(os.environ.get(name, "").lower() in ("1", "true", "yes") for name in ("CI", "HIDAMARI_CI"))
NO_CHROMIUM = "Chromium was not found (apt-get install chromium, or set CHROMIUM)"
NO_REDIS = "Redis was not found (apt-get install redis-server)"
NO_PDF = "Pango was not found (apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-cjk)"
NO_POSTGRES = "PostgreSQL was not found (apt-get install postgresql, or set TEST_POSTGRES_URL)"

if "HIDAMARI_TEST_DATA" not in os.environ:
    # Never the demo's own folder. xdist's workers inherit the variable, so the whole run shares one.
    os.environ["HIDAMARI_TEST_DATA"] = os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="hidamari-test-")
    atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)


def chromium() -> str | None:
    """Path of the browser: CHROMIUM, or the first of the usual names on PATH."""
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if name and (path := shutil.which(name))), None)


def redis_server() -> str | None:
    """Path of Redis's server."""
    return shutil.which("redis-server")


def writes_pdf() -> bool:
    """Whether WeasyPrint is here and finds Pango."""
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


def on_postgres() -> bool:
    """Whether this run's database is PostgreSQL."""
    return os.environ.get("DATABASE_URL", "").startswith("postgres")


def is_of_pages(nodeid: str) -> bool:
    """What a page says does not depend on the database; the services below it are tested on both."""
    return nodeid.partition("::")[0].endswith("pages.py")


def in_second_run(nodeid: str, keywords: object) -> bool:
    """Whether a test belongs to the PostgreSQL run. `keywords` is anything that holds the names of its markers."""
    markers: list[str] = list(keywords)  # type: ignore[call-overload]
    return "postgres" in markers or (
        "browser" not in markers
        and "sqlite" not in markers
        and ("both_databases" in markers or (nodeid.startswith(SECOND_RUN) and not is_of_pages(nodeid)))
    )


#: About how many seconds a test with this marker takes; another takes far less than one.
SECONDS = {"soak": 150.0, "race": 5.0, "browser": 4.0}


def _longest_first(items: list[pytest.Item]) -> None:
    """Order files so that the longest begin first: a worker that begins one last would leave the other without work."""
    expected: defaultdict[str, float] = defaultdict(float)
    for item in items:
        own = [seconds for marker, seconds in SECONDS.items() if marker in item.keywords]
        expected[item.nodeid.partition("::")[0]] += max(own, default=0.2)
    items.sort(key=lambda item: -expected[item.nodeid.partition("::")[0]])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to each of the two runs what is its own, the longest files first."""
    two_runs = os.environ.get("HIDAMARI_TWO_RUNS") == "1"
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        if on_postgres():
            other = "sqlite" in item.keywords or (two_runs and not in_second_run(item.nodeid, item.keywords))
        else:
            other = two_runs and "postgres" in item.keywords
        (left if other else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept
    _longest_first(items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run; in CI that is a failure."""
    missing = None
    if "browser" in item.keywords and chromium() is None:
        missing = NO_CHROMIUM
    elif "postgres" in item.keywords and not on_postgres():
        missing = NO_POSTGRES
    elif "redis" in item.keywords and redis_server() is None:
        missing = NO_REDIS
    elif "pdf" in item.keywords and not writes_pdf():
        missing = NO_PDF
    if missing and IN_CI:
        pytest.fail(missing, pytrace=False)
    elif missing:
        pytest.skip(missing)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what did not run on PostgreSQL. Skipped tests are named by pytest itself (-ra --no-fold-skipped)."""
    if on_postgres() or os.environ.get("HIDAMARI_TWO_RUNS") != "0":
        return
    once = Counter(
        report.nodeid.partition("::")[0]
        for report in terminalreporter.stats.get("passed", [])
        if report.when == "call" and in_second_run(report.nodeid, report.keywords)
    )
    if once:
        terminalreporter.section(f"On SQLite only, because {NO_POSTGRES}")
        for name, count in sorted(once.items()):
            terminalreporter.line(f"{name}: {count} tests")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything runs: a skip of any kind turns the result red."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if IN_CI and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        reporter.write_line("CI is set, and tests were skipped: that is a failure", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
