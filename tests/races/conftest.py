"""Connections of a race are made hasty; the contenders are 32 threads."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.backends.signals import connection_created

from tests.races.arena import Crowd, crowd


def _hasten(connection: Any, **_: Any) -> None:
    """What a power cut would do is not raced here; a deadlock should be found at once instead of after a second."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
        elif connection.is_usable():
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if cursor.fetchone() == (True,):
                cursor.execute("SET deadlock_timeout = '20ms'")


@pytest.fixture(autouse=True)
def _fast() -> Iterator[None]:
    connection_created.connect(_hasten)
    yield
    connection_created.disconnect(_hasten)


@pytest.fixture
def people() -> Iterator[Crowd]:
    """32 contenders. They go home before the database is flushed, because this fixture is asked for last."""
    with crowd() as everybody:
        yield everybody
