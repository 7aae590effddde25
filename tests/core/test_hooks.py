"""Named events become task rows of the same transaction (I9)."""

import pytest
from django_tasks_db.models import DBTaskResult

from hub.core import hooks, tasks
from hub.core.db import run_write
from hub.core.errors import DomainError

pytestmark = pytest.mark.django_db
heard: list[dict[str, object]] = []


def listen(**data: object) -> None:
    heard.append(data)


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> None:
    heard.clear()
    monkeypatch.setattr(hooks, "_subscribers", {"place_freed": [f"{__name__}.listen"], "child_decided": []})


def test_event_reaches_its_subscriber_through_the_queue(listening: None) -> None:
    run_write(lambda: hooks.emit("place_freed", hub="ekimae"))
    assert (heard, DBTaskResult.objects.count()) == ([], 1)

    tasks.run_pending()

    assert heard == [{"hub": "ekimae"}]


def test_event_of_a_change_that_was_undone_is_never_told(listening: None) -> None:
    def work() -> None:
        hooks.emit("place_freed", hub="ekimae")
        raise DomainError("no", "")

    with pytest.raises(DomainError):
        run_write(work)

    assert (tasks.run_pending(), heard) == (0, [])


def test_event_without_subscribers_costs_nothing(listening: None) -> None:
    run_write(lambda: hooks.emit("child_decided", child="x"))

    assert DBTaskResult.objects.count() == 0


def test_unknown_event_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(ValueError, match="no_such"):
        hooks.emit("no_such")
    with pytest.raises(ValueError, match="no_such"):
        hooks.subscribe("no_such", f"{__name__}.listen")


def test_wrong_path_fails_at_start() -> None:
    with pytest.raises(ImportError):
        hooks.subscribe("place_freed", "hub.core.hooks.nobody")


def test_subscribing_twice_tells_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_subscribers", {"place_freed": []})
    for _ in range(2):
        hooks.subscribe("place_freed", f"{__name__}.listen")

    assert hooks._subscribers == {"place_freed": [f"{__name__}.listen"]}
