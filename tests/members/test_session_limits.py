"""How long a sign-in lasts (design 8): a worker's own phone 90 days, staff 12 hours, a shared device 15 idle minutes."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from hub.core import sessions
from hub.members.models import Member
from hub.spaces import people
from hub.spaces.enums import Role

Cast = SimpleNamespace
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LOGIN = "/accounts/login/?next="


def goes(client: Client, path: str = "/me/", **headers: str) -> str:
    """Where a page leads: nowhere (it is shown), or the place it sends to."""
    answer = client.get(path, headers=headers)
    return "" if answer.status_code == 200 else str(answer.headers["Location"])


@pytest.fixture
def demo(settings: Any, cast: Cast) -> Cast:
    settings.HIDAMARI_DEMO = True
    Member.objects.update(is_demo=True)
    return cast


def sign_in(client: Client, who: str) -> None:
    client.post("/demo/sign-in/", {"who": who})
    client.get("/after-sign-in/")


# ---------------------------------------------------------------- staff


def test_worker_stays_signed_in_for_ninety_days(client: Client, demo: Cast, now: Any) -> None:
    sign_in(client, "misaki")
    for _ in range(8):
        now.shift(11 * 24 * HOUR)
        assert goes(client) == ""
    now.shift(3 * 24 * HOUR)

    assert goes(client) == f"{LOGIN}/me/"


def test_staff_signs_in_anew_after_twelve_hours(client: Client, demo: Cast, now: Any) -> None:
    sign_in(client, "manager")
    now.shift(12 * HOUR - MINUTE)
    assert goes(client, "/desk/ekimae/") == ""
    now.shift(MINUTE)

    assert goes(client, "/desk/ekimae/") == f"{LOGIN}/desk/ekimae/"


def test_worker_made_staff_while_signed_in_is_asked_after_twelve_hours(
    client: Client, demo: Cast, now: Any
) -> None:
    sign_in(client, "misaki")
    now.shift(5 * HOUR)
    people.grant(actor=demo.manager, hub=demo.ekimae, member=demo.misaki, role=Role.MANAGER)
    assert goes(client, "/desk/ekimae/") == ""
    now.shift(7 * HOUR - MINUTE)
    assert goes(client, "/desk/ekimae/") == ""
    now.shift(MINUTE)

    assert goes(client, "/desk/ekimae/") == f"{LOGIN}/desk/ekimae/"
    page = client.get("/accounts/login/").content.decode()
    assert page.count("スタッフは 12時間ごとに 入りなおします。もう一度 入ってください。") == 1
    sign_in(client, "misaki")
    assert goes(client, "/desk/ekimae/") == ""


def test_worker_made_staff_days_later_is_asked_at_once(client: Client, demo: Cast, now: Any) -> None:
    sign_in(client, "misaki")
    now.shift(3 * 24 * HOUR)
    assert goes(client) == ""
    people.grant(actor=demo.manager, hub=demo.ekimae, member=demo.misaki, role=Role.DOOR)

    assert goes(client) == f"{LOGIN}/me/"


def test_api_of_an_old_staff_session_is_closed_too(client: Client, demo: Cast, now: Any) -> None:
    sign_in(client, "misaki")
    assert client.get("/api/v1/visits").status_code == 200
    now.shift(12 * HOUR)
    people.grant(actor=demo.manager, hub=demo.ekimae, member=demo.misaki, role=Role.DOOR)

    assert client.get("/api/v1/visits").status_code == 401


def test_using_pages_does_not_make_the_sign_in_younger(client: Client, demo: Cast, now: Any) -> None:
    sign_in(client, "misaki")
    people.grant(actor=demo.manager, hub=demo.ekimae, member=demo.misaki, role=Role.MANAGER)
    for _ in range(11):
        now.shift(HOUR)
        client.post("/me/account/", {"name": "山田 みさき", "kana": "やまだ みさき", "language": "ja"})
    now.shift(HOUR)

    assert goes(client) == f"{LOGIN}/me/"


def test_session_from_before_the_time_was_kept_counts_from_the_last_sign_in(
    as_: Any, cast: Cast, now: Any
) -> None:
    client = as_(cast.manager)  # without the key in its session
    assert sessions.SIGNED_IN_AT not in client.session
    now.shift(12 * HOUR - MINUTE)
    assert goes(client, "/desk/ekimae/") == ""
    now.shift(MINUTE)

    assert goes(client, "/desk/ekimae/") == f"{LOGIN}/desk/ekimae/"


# ---------------------------------------------------------------- shared devices


@pytest.fixture
def tablet(client: Client, demo: Cast) -> Client:
    """The children's board: a carer signed in and said that many people use it."""
    sign_in(client, "carer")
    answer = client.post("/me/shared-device/", {"shared": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/me/")
    return client


def test_shared_device_signs_out_after_fifteen_idle_minutes(tablet: Client, now: Any) -> None:
    now.shift(14 * MINUTE)
    assert goes(tablet) == ""
    now.shift(14 * MINUTE)
    assert goes(tablet) == ""
    now.shift(15 * MINUTE)

    assert goes(tablet) == f"{LOGIN}/me/"


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/me/", {"X-Live": "1"}), ("/me/", {"X-Live": "1", "HX-Request": "true"}), ("/me/?auto=1", {})],
)
def test_page_that_refreshes_itself_keeps_nobody_signed_in(
    tablet: Client, now: Any, path: str, headers: dict[str, str]
) -> None:
    for _ in range(14):
        now.shift(MINUTE)
        assert goes(tablet, path, **headers) == ""
    now.shift(MINUTE)

    assert goes(tablet) == f"{LOGIN}/me/"


def test_shared_device_ends_after_twelve_hours_whatever_is_done(tablet: Client, now: Any) -> None:
    for _ in range(71):
        now.shift(10 * MINUTE)
        assert goes(tablet) == ""
    now.shift(10 * MINUTE)

    assert goes(tablet) == f"{LOGIN}/me/"


def test_device_stays_shared_for_whoever_comes_next(tablet: Client, now: Any) -> None:
    tablet.post("/sign-out/")
    sign_in(tablet, "misaki")
    assert goes(tablet) == ""
    now.shift(15 * MINUTE)

    assert goes(tablet) == f"{LOGIN}/me/"


@pytest.mark.parametrize(("who", "lasts"), [("misaki", 90 * 24 * HOUR), ("carer", 12 * HOUR)])
def test_own_device_again_lasts_as_before(client: Client, demo: Cast, who: str, lasts: timedelta) -> None:
    sign_in(client, who)
    client.post("/me/shared-device/", {"shared": "1"})
    client.get("/me/")
    client.post("/me/shared-device/", {"shared": "0"})
    client.get("/me/")

    assert timedelta(seconds=client.session.get_expiry_age()) == lasts


def test_page_about_me_says_whether_the_device_is_shared(client: Client, demo: Cast) -> None:
    sign_in(client, "misaki")
    assert "みんなで 使う 端末に する" in client.get("/me/").content.decode()
    client.post("/me/shared-device/", {"shared": "1"})

    assert "じぶんの 端末に もどす" in client.get("/me/").content.decode()


def test_mark_of_the_device_is_for_the_server_only(tablet: Client) -> None:
    cookie = tablet.cookies[sessions.SHARED_COOKIE]

    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("1", True, "Lax")


def test_shared_device_is_a_post_of_somebody_signed_in(client: Client, cast: Cast, as_: Any) -> None:
    assert client.post("/me/shared-device/").headers["Location"] == f"{LOGIN}/me/shared-device/"
    assert as_(cast.misaki).get("/me/shared-device/").status_code == 405


def test_idle_requests_do_not_write_the_session_each_time(tablet: Client, now: Any) -> None:
    now.shift(MINUTE)
    goes(tablet)
    before = tablet.session["_session_expiry"]
    now.shift(timedelta(seconds=20))
    goes(tablet)

    assert tablet.session["_session_expiry"] == before


# ---------------------------------------------------------------- what a page sees


def test_fragment_of_a_session_that_ended_leads_to_the_page_after_signing_in(
    client: Client, db: None
) -> None:
    answer = client.get(
        "/me/",
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/desk/ekimae/?d=2026-12-07"},
    )

    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/accounts/login/?next=%2Fdesk%2Fekimae%2F%3Fd%3D2026-12-07"


def test_fragment_asked_for_from_another_site_leads_to_the_first_page(client: Client, db: None) -> None:
    answer = client.get("/me/", headers={"HX-Request": "true", "HX-Current-URL": "http://evil.example/desk/"})

    assert answer.headers["HX-Redirect"] == "/accounts/login/?next=%2F"
