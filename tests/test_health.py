"""GET /health/: JSON for machines, lines for people, 503 only without a database."""

from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client

from hub import tick
from hub.core.models import Heartbeat


def test_health_after_a_tick_is_ok(cast: SimpleNamespace, client: Client) -> None:
    tick.run()
    response = client.get("/health/")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "database": "ok",
        "last_tick": "2026-12-07T00:40:00+00:00",
        "tick_failed": "",
        "queue": 0,
        "failed_tasks": 0,
        "visits_in_closed_time": 0,
    }


def test_health_without_a_tick_is_late(db: None, client: Client) -> None:
    assert client.get("/health/").json()["status"] == "late"


def test_health_after_five_minutes_without_a_tick_is_late(
    cast: SimpleNamespace, client: Client, now: time_machine.Traveller
) -> None:
    tick.run()
    now.shift(timedelta(seconds=301))
    assert client.get("/health/").json()["status"] == "late"


def test_health_names_a_step_that_failed(cast: SimpleNamespace, client: Client) -> None:
    tick.run()
    Heartbeat.objects.filter(name=tick.TICK).update(note="horizon ekimae")
    found = client.get("/health/").json()
    assert (found["status"], found["tick_failed"]) == ("late", "horizon ekimae")


def test_health_as_text_has_one_line_per_value(cast: SimpleNamespace, client: Client) -> None:
    tick.run()
    response = client.get("/health/", headers={"Accept": "text/plain"})
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().splitlines()[:3] == [
        "status: ok",
        "database: ok",
        "last_tick: 2026-12-07T00:40:00+00:00",
    ]


def test_health_without_a_database_is_503(client: Client) -> None:
    with patch("hub.health.Heartbeat.objects.filter", side_effect=OperationalError("away")):
        response = client.get("/health/")
    assert response.status_code == 503
    assert response.json()["status"] == "down"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_health_is_read_only(client: Client, method: str) -> None:
    assert getattr(client, method)("/health/").status_code == 405
