"""Races commit for real, so each test is followed by a flush, and the law that a migration entered is put back."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db.backends.signals import connection_created

from hub.childcare.models import CareRule
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
def _law(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A flush empties the table of dated law too; whoever comes next needs it."""
    enter = import_module("hub.childcare.migrations.0003_care_rules").enter
    with django_db_blocker.unblock():
        if not CareRule.objects.exists():
            enter(apps, None)
    connection_created.connect(_hasten)
    yield
    connection_created.disconnect(_hasten)
    with django_db_blocker.unblock():
        if not CareRule.objects.exists():
            enter(apps, None)


@pytest.fixture
def people() -> Iterator[Crowd]:
    """32 contenders. They go home before the database is flushed, because this fixture is asked for last."""
    with crowd() as everybody:
        yield everybody
