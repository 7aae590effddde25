"""The site as an app: manifest, service worker, the page without a net, and what signing out leaves behind."""

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import get_template

from hub.booking import services
from hub.spaces.models import Hub
from tests import factories as make

MOST = 4 * 1024  # bytes of the service worker as it is written (ux.md 10 says 3, without push)


def files_of(worker: str) -> list[str]:
    found = re.search(r"FILES = (\[.*?\]);", worker)
    assert found is not None
    return [str(one) for one in json.loads(found[1])]


@pytest.mark.parametrize(("prefix", "lang", "name"), [("", "ja", "予約する"), ("/en", "en", "Book")])
def test_manifest_installs_in_the_language_of_its_address(
    client: Any, db: None, prefix: str, lang: str, name: str
) -> None:
    answer = client.get(f"{prefix}/manifest.webmanifest")
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/manifest+json"
    assert (body["id"], body["scope"], body["display"], body["lang"]) == ("/", "/", "standalone", lang)
    assert (body["start_url"], body["name"]) == (f"{prefix}/", settings.PRODUCT_NAME)
    assert [one["url"] for one in body["shortcuts"]] == [f"{prefix}/pass/", f"{prefix}/book/"]
    assert body["shortcuts"][1]["name"] == name
    assert {(one["sizes"], one["purpose"]) for one in body["icons"]} == {
        (size, purpose) for size in ("192x192", "512x512") for purpose in ("any", "maskable")
    }


@pytest.mark.parametrize("size", [192, 512])
def test_icons_are_small_pngs_of_their_size(size: int) -> None:
    path = finders.find(f"img/app-{size}.png")
    assert isinstance(path, str)
    data = Path(path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (size, size)
    assert len(data) < 10_000


def test_worker_is_small_and_never_cached(client: Any, cast: Any) -> None:
    answer = client.get("/sw.js")
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Service-Worker-Allowed"] == "/"
    assert len(Path(get_template("app/sw.js").origin.name).read_bytes()) <= MOST


def test_worker_precaches_files_that_exist_and_both_offline_pages(client: Any, cast: Any) -> None:
    files = files_of(client.get("/sw.js").content.decode())
    assert files[-2:] == ["/offline/", "/en/offline/"]
    for path in files[:-2]:
        assert finders.find(path.removeprefix(settings.STATIC_URL)) is not None, path


def test_worker_changes_with_a_hubs_telephone_number_only(client: Any, cast: Any) -> None:
    before = client.get("/sw.js").content
    assert client.get("/sw.js").content == before
    Hub.objects.filter(slug="yagi").update(phone="0000-11-1111")
    assert client.get("/sw.js").content != before


def test_worker_is_the_same_for_everybody(client: Any, as_: Any, cast: Any) -> None:
    anonymous = client.get("/sw.js").content
    assert as_(cast.misaki).get("/sw.js").content == anonymous


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/", True), ("/en/", True), ("/pass/", True), ("/en/pass/", True), ("/pass/ABCDEFGHJK/", True), ("/care/", False),
        ("/door/", False), ("/desk/ekimae/", False), ("/me/", False), ("/me/children/", False), ("/visits/", False),
        ("/en/me/", False), ("/passport/", False), ("/enx/", False), ("/now/", False), ("/api/v1/visits", False),
    ],
)  # fmt: skip
def test_worker_keeps_the_pass_and_today_alone(client: Any, cast: Any, path: str, kept: bool) -> None:
    found = re.search(r"const kept = path => /(.*)/\.test", client.get("/sw.js").content.decode())
    assert found is not None
    assert bool(re.search(found[1].replace(r"\/", "/"), path)) is kept


def test_pages_that_may_be_kept_say_so_and_no_other(as_: Any, cast: Any) -> None:
    services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, make.period(10, 12, make.TODAY))
    )
    client = as_(cast.misaki)
    paths = ("/", "/pass/", "/me/", "/book/", "/visits/", "/me/children/", "/now/", "/offline/")
    assert [path for path in paths if "X-Keep" in client.get(path).headers] == ["/", "/pass/"]


def test_offline_page_has_the_telephone_numbers_of_the_hubs_and_nobodys_name(as_: Any, cast: Any) -> None:
    Hub.objects.filter(slug="yagi").update(phone="0000-11-1111")
    body = as_(cast.misaki).get("/offline/").content.decode()
    assert 'href="tel:0000000000"' in body
    assert 'href="tel:0000111111"' in body
    assert "みさき" not in body


def test_signing_out_empties_the_browsers_cache(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    assert "Clear-Site-Data" not in client.get("/").headers
    assert client.post("/sign-out/").headers["Clear-Site-Data"] == '"cache"'
    assert "X-Who" not in client.get("/").headers


def test_somebody_who_was_not_in_has_nothing_to_clear(client: Any, cast: Any) -> None:
    assert "Clear-Site-Data" not in client.post("/sign-out/").headers


def test_pages_know_whether_somebody_is_signed_in(client: Any, as_: Any, cast: Any) -> None:
    assert "pwa.js" in client.get("/").content.decode()
    assert "data-member" not in client.get("/").content.decode()
    assert "data-member" in as_(cast.misaki).get("/").content.decode()


def test_csp_allows_worker_and_manifest_of_our_own(client: Any, cast: Any) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "worker-src 'self'" in policy
    assert "manifest-src 'self'" in policy


@pytest.mark.parametrize("path", ["/sw.js", "/manifest.webmanifest", "/offline/", "/app/", "/now/"])
def test_shell_is_only_read(as_: Any, cast: Any, path: str) -> None:
    assert as_(cast.misaki).post(path).status_code == 405


def test_new_member_without_a_name_gets_the_worker_not_the_welcome(as_: Any, db: None) -> None:
    client = as_(make.make_member("", "new@example.org"))
    assert client.get("/").headers["Location"] == "/welcome/"
    assert [client.get(path).status_code for path in ("/sw.js", "/offline/", "/manifest.webmanifest")] == [
        200
    ] * 3


@pytest.mark.parametrize(("bookings", "offered"), [(1, False), (2, True)])
def test_home_screen_is_offered_after_the_second_booking(
    as_: Any, cast: Any, bookings: int, offered: bool
) -> None:
    for n in range(bookings):
        services.book_visit(
            actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, make.period(9 + n, 10 + n))
        )
    assert ('href="/app/"' in as_(cast.misaki).get("/me/").content.decode()) is offered
