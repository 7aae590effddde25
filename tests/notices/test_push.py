"""Web Push: sealed for one browser, signed, sent nowhere else; what becomes of it when the service says no or nothing."""

import json
import socket
import stat
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail

from hub.core import tasks
from hub.core.db import run_write
from hub.leaving import erase_member
from hub.notices import delivery, devices, push, services, topics, vapid
from hub.notices.enums import Channel, DeliveryState, Kind
from hub.notices.models import Choice, Delivery, Notice, PushSubscription
from hub.notices.topics import Message
from tests import factories as make
from tests.notices.browser import Browser, Service, claims_of, service, text

pytestmark = pytest.mark.both_databases
FCM = "https://fcm.googleapis.com/fcm/send/abc"


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A topic of the test that says what stands here."""
    said = {"title": "空きました", "text": "12月8日（火） 9:30", "path": "/visits/"}
    topic = topics.Topic("test", Kind.CHANGE, lambda data: Message(**said))
    monkeypatch.setitem(topics._topics, "test", topic)
    return said


@pytest.fixture
def there(settings: Any) -> Any:
    with service() as running:
        settings.PUSH_TEST_ORIGINS = [running.url]
        yield running


@pytest.fixture
def browser(cast: Any, there: Service) -> Browser:
    """Misaki's phone."""
    made = Browser()
    subscribed(cast.misaki, made, f"{there.url}/send/phone?x=1")
    return made


def subscribed(member: Any, browser: Browser, endpoint: str = FCM) -> PushSubscription:
    return devices.subscribe(member, endpoint=endpoint, key=vapid.public_key(), **browser.keys())


def tell(member: Any, event: str = "e1", **options: bool) -> Notice:
    notice = run_write(lambda: services.tell(member, "test", event=event, data={}, **options))
    assert notice is not None
    return notice


def pushes() -> list[tuple[str, str]]:
    rows = Delivery.objects.filter(channel=Channel.PUSH).order_by("pk")
    return [(row.state, row.error) for row in rows]


# ---------------------------------------------------------------- what arrives


def test_message_arrives_sealed_signed_and_in_the_declarative_format(
    cast: Any, words: Any, there: Service, browser: Browser
) -> None:
    notice = tell(cast.misaki)
    tasks.run_pending()

    [(path, head, body)] = there.got
    assert path == "/send/phone?x=1"
    assert browser.read(body) == {
        "web_push": 8030,
        "notification": {
            "title": "空きました", "body": "12月8日（火） 9:30", "navigate": "http://localhost:8000/visits/", "lang": "ja",
            "dir": "ltr", "tag": notice.code,
        },
    }  # fmt: skip
    assert "空きました".encode() not in body
    names = ("content-encoding", "topic", "urgency", "ttl")
    until_nine = int((make.at(21, 0, make.TODAY) - make.NOW).total_seconds())
    assert [head[name] for name in names] == ["aes128gcm", notice.code, "normal", str(until_nine)]
    claims = claims_of(head["authorization"], vapid.public_key())
    assert (claims["aud"], claims["sub"]) == (there.url, "mailto:hidamari@localhost")
    assert 0 < claims["exp"] - make.NOW.timestamp() <= 24 * 3600
    assert pushes() == [(DeliveryState.SENT, "")]
    assert PushSubscription.objects.get().last_ok_at == make.NOW


def test_urgent_message_says_so_and_lives_for_a_day(
    cast: Any, words: Any, there: Service, browser: Browser, now: Any
) -> None:
    now.move_to(make.at(22, 30, make.TODAY))
    tell(cast.misaki, urgent=True)
    tasks.run_pending()
    head = there.got[0][1]
    assert (head["urgency"], head["ttl"]) == ("high", "86400")


def test_subject_of_a_real_site_is_its_address(settings: Any) -> None:
    settings.SITE_URL = "https://hub.example"
    assert vapid.contact() == "https://hub.example"


def test_longest_message_stays_below_what_services_take(cast: Any, words: Any) -> None:
    words |= {"title": "𠮷" * 300, "text": '"𠮷' * 300, "path": "/" + "x" * 199}
    notice = tell(cast.misaki)
    assert len(push.payload(notice, Message(**words))) <= push.MOST


def test_every_device_gets_it(cast: Any, words: Any, there: Service, browser: Browser) -> None:
    tablet = Browser()
    subscribed(cast.misaki, tablet, f"{there.url}/send/tablet")
    tell(cast.misaki)
    tasks.run_pending()
    bodies = {path: body for path, _head, body in there.got}
    assert tablet.read(bodies["/send/tablet"]) == browser.read(bodies["/send/phone?x=1"])
    assert pushes() == [(DeliveryState.SENT, "")]


def test_night_is_quiet_on_the_phone_too(
    cast: Any, words: Any, there: Service, browser: Browser, now: Any
) -> None:
    now.move_to(make.at(22, 30, make.TODAY))
    tell(cast.misaki)
    tasks.run_pending()
    assert there.got == []
    now.move_to(make.at(7, 0))
    delivery.hand_on_due()
    tasks.run_pending()
    assert len(there.got) == 1


@pytest.mark.parametrize(
    ("by_push", "urgent", "rings"), [(True, False, 1), (False, False, 0), (False, True, 1)]
)
def test_phone_rings_as_she_chose(
    cast: Any, words: Any, there: Service, browser: Browser, by_push: bool, urgent: bool, rings: int
) -> None:
    Choice.objects.create(member=cast.misaki, kind=Kind.CHANGE, by_push=by_push)
    tell(cast.misaki, urgent=urgent)
    tasks.run_pending()
    assert len(there.got) == rings


def test_what_she_did_herself_comes_by_mail_and_does_not_ring(
    cast: Any, words: Any, there: Service, browser: Browser
) -> None:
    tell(cast.misaki, own=True)
    tasks.run_pending()
    assert (there.got, len(mail.outbox)) == ([], 1)


def test_member_without_a_device_has_no_delivery_to_one(cast: Any, words: Any) -> None:
    tell(cast.misaki)
    assert pushes() == []


# ---------------------------------------------------------------- when the service says no, or nothing


@pytest.mark.parametrize("status", [404, 410])
def test_dead_endpoint_is_forgotten(
    cast: Any, words: Any, there: Service, browser: Browser, status: int
) -> None:
    there.answers = [status]
    tell(cast.misaki)
    tasks.run_pending()
    assert (PushSubscription.objects.count(), pushes()) == (0, [(DeliveryState.DROPPED, "")])


def test_dead_endpoint_does_not_keep_the_others_from_it(
    cast: Any, words: Any, there: Service, browser: Browser
) -> None:
    subscribed(cast.misaki, Browser(), f"{there.url}/send/tablet")  # the newest is asked first
    there.answers = [410, 201]
    tell(cast.misaki)
    tasks.run_pending()
    assert [row.endpoint for row in PushSubscription.objects.all()] == [f"{there.url}/send/phone?x=1"]
    assert pushes() == [(DeliveryState.SENT, "")]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_broken_service_is_tried_again_and_what_comes_twice_is_one(
    cast: Any, words: Any, there: Service, browser: Browser, now: Any, status: int
) -> None:
    subscribed(cast.misaki, Browser(), f"{there.url}/send/tablet")
    there.answers = [status, 201]
    notice = tell(cast.misaki)
    tasks.run_pending()
    assert pushes() == [(DeliveryState.WAITING, f"127.0.0.1 {status}")]

    now.shift(timedelta(minutes=5))
    delivery.hand_on_due()
    tasks.run_pending()

    assert pushes() == [(DeliveryState.SENT, "")]
    assert [path for path, _head, _body in there.got] == ["/send/tablet", "/send/phone?x=1"] * 2
    assert {head["topic"] for _path, head, _body in there.got} == {notice.code}
    assert PushSubscription.objects.count() == 2


def test_service_that_never_answers_is_left_after_the_time(
    cast: Any, words: Any, there: Service, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert push.TIMEOUT == 5
    monkeypatch.setattr(push, "TIMEOUT", 0.2)
    there.answers = [0]
    tell(cast.misaki)
    tasks.run_pending()
    assert pushes() == [(DeliveryState.WAITING, "127.0.0.1 TimeoutError")]


def test_service_that_is_away_is_tried_again(cast: Any, words: Any, settings: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{probe.getsockname()[1]}"
    settings.PUSH_TEST_ORIGINS = [origin]
    subscribed(cast.misaki, Browser(), f"{origin}/x")
    tell(cast.misaki)
    tasks.run_pending()
    assert pushes() == [(DeliveryState.WAITING, "127.0.0.1 ConnectionRefusedError")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(
    cast: Any, words: Any, there: Service, browser: Browser, status: int
) -> None:
    with service() as elsewhere:
        there.answers, there.location = [status], f"{elsewhere.url}/secret"
        tell(cast.misaki)
        tasks.run_pending()
        assert elsewhere.got == []
    assert pushes() == [(DeliveryState.WAITING, f"127.0.0.1 {status}")]


def test_mail_goes_although_the_phone_is_gone(
    cast: Any, words: Any, there: Service, browser: Browser
) -> None:
    there.answers = [500]
    tell(cast.misaki)
    tasks.run_pending()
    assert Delivery.objects.get(channel=Channel.MAIL).state == DeliveryState.SENT


# ---------------------------------------------------------------- nowhere else (T30)

FOREIGN = [
    "http://fcm.googleapis.com/x", "https://fcm.googleapis.com:8443/x", "https://fcm.googleapis.com:80/x",
    "https://user@fcm.googleapis.com/x", "https://user:pw@fcm.googleapis.com/x", "https://fcm.googleapis.com@127.0.0.1/x",
    "https://fcm.googleapis.com#@127.0.0.1/x", "https://127.0.0.1#fcm.googleapis.com", "https://fcm.googleapis.com/x#y",
    "https://fcm.googleapis.com.example.org/x", "https://xfcm.googleapis.com/x", "https://example.org/fcm.googleapis.com",
    "https://push.apple.com.example.org/x", "https://evilpush.apple.com.evil/x", "https://notpush.apple.com/x",
    "https://127.0.0.1/x", "https://localhost/x", "https://10.0.0.1/x", "https://169.254.169.254/latest/meta-data/",
    "https://192.168.0.1/x", "https://172.16.0.1/x", "https://0.0.0.0/x", "https://2130706433/x", "https://0x7f000001/x",
    "https://017700000001/x", "https://127.1/x", "https://[::1]/x", "https://[::ffff:127.0.0.1]/x", "https://[fd00::1]/x",
    "https://[fe80::1%25eth0]/x", "https://FCM.googleapis.com./x", "https://fcm.googleapis.com./x", "https://fcm。googleapis.com/x",
    "https://fcm.googleapis.com\\@127.0.0.1/x", "https:\\\\127.0.0.1/x", "https:///127.0.0.1/x", "https://fcm.googleapis.com\t/x",
    "https://fcm.googleapis.com/\r\nX: y", "https://fcm.googleapis.com/あ", "https://fcm.googleapis.com /x", " https://127.0.0.1/x",
    "file:///etc/passwd", "ftp://fcm.googleapis.com/x", "gopher://fcm.googleapis.com/x", "//fcm.googleapis.com/x", "javascript:alert(1)",
    "data:text/plain,x", "https://", "https://[", "https://fcm.googleapis.com:99999/x", "https://fcm.googleapis.com:abc/x", "",
    "fcm.googleapis.com/x", "https://metadata.google.internal/x", "https://updates.push.services.mozilla.com.evil.example/x",
    "https://notify.windows.com.example/x", "https://.push.apple.com@evil.example/x", "https://web.push.apple.com:22/x",
    "https://%66cm.googleapis.com/x", "https://fcm.googleapis.com%2eexample.org/x",
]  # fmt: skip


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Nothing may be looked up or connected to; what was tried is kept."""
    tried: list[Any] = []

    def refuse(*arguments: Any, **_: Any) -> None:
        tried.append(arguments)
        raise OSError("not in this test")

    monkeypatch.setattr(push.socket, "getaddrinfo", refuse)
    monkeypatch.setattr(push.socket, "create_connection", refuse)
    return tried


@pytest.mark.parametrize("endpoint", FOREIGN)
def test_foreign_address_is_refused_when_it_is_saved(
    as_: Any, cast: Any, endpoint: str, no_connection: list[Any]
) -> None:
    body = {"endpoint": endpoint, "key": vapid.public_key(), **Browser().keys()}
    answer = as_(cast.misaki).post("/me/notify/devices/", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "endpoint_refused")
    assert PushSubscription.objects.count() == 0


def test_foreign_address_is_refused_when_it_is_used(cast: Any, words: Any, no_connection: list[Any]) -> None:
    """The harm: a row that came past the check (an older version, a hand in the database) would be contacted."""
    for n, endpoint in enumerate(FOREIGN):
        PushSubscription.objects.create(
            member=cast.misaki, endpoint=endpoint or f"x{n}", server_key=vapid.public_key(), device="x",
            **Browser().keys(),
        )  # fmt: skip
    tell(cast.misaki)
    tasks.run_pending()
    assert no_connection == []
    assert (PushSubscription.objects.count(), pushes()) == (0, [(DeliveryState.DROPPED, "")])


@pytest.mark.parametrize(
    "endpoint",
    [
        FCM, "https://updates.push.services.mozilla.com/wpush/v2/x", "https://web.push.apple.com/x",
        "https://wns2-by3p.notify.windows.com/w/?token=x", "https://fcm.googleapis.com:443/x",
    ],
)  # fmt: skip
def test_push_services_of_the_browsers_are_taken(cast: Any, endpoint: str) -> None:
    assert subscribed(cast.misaki, Browser(), endpoint).endpoint == endpoint


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.1.1", "0.0.0.0", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"],
)  # fmt: skip
def test_known_name_that_points_into_our_network_is_not_contacted(
    cast: Any, words: Any, address: str, no_connection: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(0, 0, 0, "", ("142.250.1.1", 443)), (0, 0, 0, "", (address, 443))]
    monkeypatch.setattr(push.socket, "getaddrinfo", lambda *_, **__: found)
    subscribed(cast.misaki, Browser())
    tell(cast.misaki)
    tasks.run_pending()
    assert no_connection == []
    assert pushes() == [(DeliveryState.WAITING, "fcm.googleapis.com has an address that is not public")]


def test_connection_goes_to_the_address_that_was_looked_at(
    cast: Any, words: Any, no_connection: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [[(0, 0, 0, "", ("142.250.1.1", 443))], [(0, 0, 0, "", ("127.0.0.1", 443))]]  # rebinding
    monkeypatch.setattr(push.socket, "getaddrinfo", lambda *_, **__: answers.pop(0))
    subscribed(cast.misaki, Browser())
    tell(cast.misaki)
    tasks.run_pending()
    assert no_connection == [(("142.250.1.1", 443), 5.0)]


def test_test_origin_is_nothing_that_an_environment_can_open() -> None:
    from hub import settings as ours

    assert ours.PUSH_TEST_ORIGINS == []
    assert "PUSH_TEST_ORIGINS" not in (Path(ours.__file__).read_text().replace("PUSH_TEST_ORIGINS: list", ""))


# ---------------------------------------------------------------- subscribing


def body_of(browser: Browser, **more: str) -> dict[str, str]:
    return {"endpoint": FCM, "key": vapid.public_key(), **browser.keys(), **more}


CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Version/18.4 Mobile/15E148 Safari/604.1"


def test_device_is_added_named_and_shown(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    answer = client.post("/me/notify/devices/", body_of(Browser()), headers={"User-Agent": CHROME})
    assert (answer.status_code, answer.json()) == (200, {"device": "Android Chrome"})
    row = PushSubscription.objects.get()
    assert (row.member, row.endpoint) == (cast.misaki, FCM)
    page = client.get("/me/notify/").content.decode()
    assert "Android Chrome" in page
    assert FCM not in page
    assert "この端末で 受け取ります。" in page


@pytest.mark.parametrize(
    ("agent", "name"), [(CHROME, "Android Chrome"), (SAFARI, "iPhone Safari"), ("", "名前の ない 端末")]
)
def test_device_names(agent: str, name: str, cast: Any) -> None:
    row = devices.subscribe(
        cast.misaki, endpoint=FCM, key=vapid.public_key(), user_agent=agent, **Browser().keys()
    )
    assert row.device == name


def test_subscribing_again_renews_the_same_row(cast: Any) -> None:
    first, again = subscribed(cast.misaki, Browser()), subscribed(cast.misaki, Browser())
    assert first.pk == again.pk
    assert PushSubscription.objects.count() == 1


def test_browser_belongs_to_whoever_is_signed_in_now(cast: Any) -> None:
    subscribed(cast.misaki, Browser())
    subscribed(cast.kenta, Browser())
    assert [row.member for row in PushSubscription.objects.all()] == [cast.kenta]


@pytest.mark.parametrize(
    "keys",
    [
        {"p256dh": ""}, {"auth": ""}, {"auth": "AAAA"}, {"p256dh": text(b"\x04" + b"\1" * 64)},
        {"p256dh": text(b"\x04" * 10)}, {"p256dh": "あ"}, {"auth": "!!!!"},
    ],
)  # fmt: skip
def test_keys_that_seal_nothing_are_refused(as_: Any, cast: Any, keys: dict[str, str]) -> None:
    answer = as_(cast.misaki).post("/me/notify/devices/", body_of(Browser(), **keys))
    assert (answer.status_code, answer.json()["code"]) == (422, "endpoint_refused")


def test_browser_of_another_key_is_told_ours(as_: Any, cast: Any) -> None:
    answer = as_(cast.misaki).post("/me/notify/devices/", body_of(Browser(), key="old"))
    assert (answer.status_code, answer.json()["key"]) == (409, vapid.public_key())
    assert PushSubscription.objects.count() == 0


def test_device_of_an_older_key_is_left_without_asking_it(
    cast: Any, words: Any, there: Service, browser: Browser
) -> None:
    PushSubscription.objects.update(server_key="older")
    tell(cast.misaki)
    tasks.run_pending()
    assert (there.got, PushSubscription.objects.count()) == ([], 0)


def test_renewing_what_was_given_up_asks_to_subscribe_anew(as_: Any, cast: Any) -> None:
    client, browser = as_(cast.misaki), Browser()
    assert client.post("/me/notify/devices/", body_of(browser, renew="1")).status_code == 409
    assert client.post("/me/notify/devices/", body_of(browser)).status_code == 200
    assert client.post("/me/notify/devices/", body_of(browser, renew="1")).status_code == 200


def test_device_switched_off_elsewhere_does_not_come_back_by_itself(as_: Any, cast: Any, words: Any) -> None:
    client, browser = as_(cast.misaki), Browser()
    row = subscribed(cast.misaki, browser)
    assert client.post(f"/me/notify/devices/{row.code}/remove/").headers["Location"] == "/me/notify/"
    tell(cast.misaki)
    assert pushes() == []
    assert client.post("/me/notify/devices/", body_of(browser, renew="1")).status_code == 410
    assert client.post("/me/notify/devices/", body_of(browser)).status_code == 200
    assert devices.devices_of(cast.misaki).count() == 1


def test_browser_that_says_no_is_forgotten(as_: Any, cast: Any) -> None:
    subscribed(cast.misaki, Browser())
    assert as_(cast.kenta).post("/me/notify/devices/", {"endpoint": FCM, "off": "1"}).status_code == 200
    assert PushSubscription.objects.count() == 1
    as_(cast.misaki).post("/me/notify/devices/", {"endpoint": FCM, "off": "1"})
    assert PushSubscription.objects.count() == 0


def test_nobody_switches_off_the_device_of_another(as_: Any, cast: Any) -> None:
    row = subscribed(cast.misaki, Browser())
    assert as_(cast.kenta).post(f"/me/notify/devices/{row.code}/remove/").status_code == 404
    assert devices.devices_of(cast.misaki).count() == 1


@pytest.mark.parametrize("path", ["/me/notify/devices/", "/me/notify/devices/ABCDEFGH/remove/"])
def test_devices_are_only_posted(as_: Any, cast: Any, path: str) -> None:
    assert as_(cast.misaki).get(path).status_code == 405


def test_shared_device_takes_nobodys_notices(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    client.cookies["shared_device"] = "1"
    answer = client.post("/me/notify/devices/", body_of(Browser()))
    assert (answer.status_code, answer.json()["code"]) == (403, "shared_device")
    assert "みんなで 使う 端末では 受け取れません。" in client.get("/me/notify/").content.decode()


def test_oldest_of_too_many_devices_makes_way(cast: Any, now: Any) -> None:
    for n in range(devices.MOST + 2):
        subscribed(cast.misaki, Browser(), f"{FCM}{n}")
        now.shift(timedelta(minutes=1))
    kept = {row.endpoint for row in devices.devices_of(cast.misaki)}
    assert kept == {f"{FCM}{n}" for n in range(2, devices.MOST + 2)}


def test_renewing_by_itself_keeps_no_shared_session_alive_and_says_nothing(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    client.post("/me/notify/devices/", body_of(Browser()), headers={"X-Live": "1"})
    assert "この端末で 受け取ります。" not in client.get("/me/notify/").content.decode()


def test_page_asks_the_same_for_one_device_and_for_three(
    as_: Any, cast: Any, django_assert_num_queries: Any
) -> None:
    client = as_(cast.misaki)
    subscribed(cast.misaki, Browser())
    with django_assert_num_queries(4):  # session, person; choices, devices
        client.get("/me/notify/")
    for n in (1, 2):
        subscribed(cast.misaki, Browser(), f"{FCM}{n}")
    with django_assert_num_queries(4):
        client.get("/me/notify/")


# ---------------------------------------------------------------- the key of this installation


def test_key_is_made_once_and_read_by_its_owner_only(settings: Any) -> None:
    first = vapid.public_key()
    path = Path(settings.PUSH_KEYS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert vapid.public_key() == first
    assert [one.name for one in path.parent.iterdir()] == ["push.json"]
    assert first not in path.read_text()


def test_key_made_by_several_at_once_is_one(settings: Any) -> None:
    start, found = threading.Barrier(8), []

    def work() -> None:
        start.wait()
        found.append(vapid.public_key())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert json.loads(Path(settings.PUSH_KEYS).read_text())["private"]


def test_new_key_file_is_noticed(settings: Any, tmp_path: Path) -> None:
    before = vapid.public_key()
    settings.PUSH_KEYS = str(tmp_path / "other.json")
    assert vapid.public_key() != before


def test_leaving_takes_devices_notices_and_choices(cast: Any, words: Any) -> None:
    subscribed(cast.misaki, Browser())
    subscribed(cast.kenta, Browser(), f"{FCM}2")
    for person in (cast.misaki, cast.kenta):
        tell(person)
        Choice.objects.create(member=person, kind=Kind.CHANGE)
    erase_member(cast.misaki)
    for model in (Notice, PushSubscription, Choice):
        assert [row.member for row in model.objects.all()] == [cast.kenta]
    assert not Delivery.objects.exclude(notice__member=cast.kenta).exists()
