"""One cast for all tests, at one frozen moment: Monday 7 December 2026, 9:40 in Tokyo."""

from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace

import pytest
import time_machine
from django.apps import apps
from django.test import Client
from django.utils import translation

from hub.childcare.models import CareRule
from hub.spaces.enums import Role
from tests import factories as make


@pytest.fixture(autouse=True)
def _plain(settings, tmp_path):  # type: ignore[no-untyped-def]
    """No shift of the clock, cheap passwords, mails in memory, plain http, keys in a folder of the test."""
    from datetime import timedelta

    settings.CLOCK_OFFSET = timedelta(0)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.SECURE_SSL_REDIRECT = False
    settings.ALLOW_HTTP = True
    settings.STAFF_MFA_REQUIRED = False  # tests of the second factor switch it on
    settings.FIELD_KEYS = str(tmp_path / "keys" / "fields.json")
    settings.PASS_KEYS = str(tmp_path / "keys" / "passes.json")
    settings.PUSH_KEYS = str(tmp_path / "keys" / "push.json")
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    yield
    translation.deactivate()  # a request for /en/ leaves its language on the thread


@pytest.fixture(autouse=True)
def _law(request: pytest.FixtureRequest) -> None:
    """The dated law is there in every test with a database: the flush after one that commits empties it too."""
    names = set(request.fixturenames)
    if not names & {"db", "transactional_db"} and request.node.get_closest_marker("django_db") is None:
        return
    request.getfixturevalue("_django_db_helper")
    if not CareRule.objects.exists():
        import_module("hub.childcare.migrations.0003_care_rules").enter(apps, None)
        import_module("hub.work.migrations.0004_money_stays").law(apps, None)


@pytest.fixture
def now() -> Iterator[time_machine.Traveller]:
    """The machine's clock stands at `factories.NOW`; ``now.shift(...)`` and ``now.move_to(...)`` move it."""
    with time_machine.travel(make.NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def cast(db: None, now: time_machine.Traveller) -> SimpleNamespace:
    """Two hubs, Misaki with Haru (4) and Yui (1), Kenta beside her, the staff, and a stranger of the other hub."""
    ekimae = make.make_hub("ekimae", seats=4)
    yagi = make.make_hub("yagi", seats=2, name="八木ハブ")
    room = make.make_room(ekimae, carers=2)
    misaki = make.make_member("山田 みさき", "misaki@demo.example", hub=ekimae)
    kenta = make.make_member("山田 けんた", "kenta@demo.example", hub=ekimae)
    stranger = make.make_member("遠い 人", "stranger@demo.example", hub=yagi)
    household = make.make_household(misaki, kenta)
    return SimpleNamespace(
        ekimae=ekimae,
        yagi=yagi,
        room=room,
        misaki=misaki,
        kenta=kenta,
        stranger=stranger,
        household=household,
        haru=make.make_child(household, ekimae, 4, name="はる"),
        yui=make.make_child(household, ekimae, 1, name="ゆい"),
        door=make.make_member("入口 さん", "door@demo.example", hub=ekimae, role=Role.DOOR),
        carer=make.make_member("保育 さん", "carer@demo.example", hub=ekimae, role=Role.CARER),
        plaza=make.make_member("世話 さん", "plaza@demo.example", hub=ekimae, role=Role.COMMUNITY),
        director=make.make_member("配り さん", "director@demo.example", hub=ekimae, role=Role.DIRECTOR),
        manager=make.make_member("責任 さん", "manager@demo.example", hub=ekimae, role=Role.MANAGER),
        yagi_manager=make.make_member("八木 さん", "yagi@demo.example", hub=yagi, role=Role.MANAGER),
        town=make.make_member("町 さん", "town@demo.example", hub=ekimae, role=Role.OFFICER),
    )


@pytest.fixture
def as_(client: Client):  # type: ignore[no-untyped-def]
    """``as_(cast.misaki)`` signs the test client in as that person and returns it."""

    def sign_in(member) -> Client:  # type: ignore[no-untyped-def]
        client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
