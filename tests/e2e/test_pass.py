"""The pass on a phone: an independent decoder reads it, it opens without a net, and signing out leaves nothing."""

import re
import struct
import zlib
from typing import Any

import pytest
import zxingcpp
from playwright.sync_api import Page, expect

from tests.e2e import pages
from tests.e2e.conftest import MakePerson, Person, Site

COPIES = """async () => {
  const found = {};
  for (const name of await caches.keys())
    found[name] = (await (await caches.open(name)).keys()).map(one => new URL(one.url).pathname);
  return found;
}"""
#: Everything that the browser keeps in its caches, as text.
TEXTS = """async () => {
  let text = '';
  for (const name of await caches.keys())
    for (const key of await (await caches.open(name)).keys()) text += await (await caches.match(key)).text();
  return text;
}"""
PAGES = "hidamari-pages"


def pixels(png: bytes) -> memoryview:
    """An 8-bit RGB or RGBA picture of Chromium as rows of grey values (the PNG filters of ISO/IEC 15948)."""
    at, data = 8, b""
    width, height, _depth, colour = struct.unpack(">IIBB", png[16:26])
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        if kind == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += size + 12
    raw, step = zlib.decompress(data), {2: 3, 6: 4}[colour]
    before, grey = bytearray(width * step), bytearray()
    for y in range(height):
        start = y * (width * step + 1)
        kind, row = raw[start], bytearray(raw[start + 1 : start + 1 + width * step])
        for x in range(len(row)):
            left, up = (row[x - step] if x >= step else 0), before[x]
            corner = before[x - step] if x >= step else 0
            if kind == 4:
                guess = left + up - corner
                near = min((abs(guess - value), n) for n, value in enumerate((left, up, corner)))[1]
                add = (left, up, corner)[near]
            else:
                add = (0, left, up, (left + up) // 2)[kind]
            row[x] = (row[x] + add) & 255
        before = row
        grey += row[1::step]  # green is bright enough
    return memoryview(bytes(grey)).cast("B", shape=[height, width])


def read(page: Page) -> list[str]:
    """What zxing-cpp reads on a picture of the whole page."""
    return [found.text for found in zxingcpp.read_barcodes(pixels(page.screenshot()))]


def payload(person: Person, site: Site) -> dict[str, Any]:
    code = pages.codes_of(site)["visit"]
    answer: dict[str, Any] = person.get(f"/api/v1/visits/{code}/pass")
    return answer


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_independent_decoder_reads_the_pass_on_the_smallest_phone(
    make_person: MakePerson, site: Site, scheme: str
) -> None:
    misaki = make_person("misaki", viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page = misaki.open("/pass/")
    says = payload(misaki, site)

    assert read(page) == [says["payload"]]
    digits = re.sub(r"\D", "", page.locator("#code").inner_text())
    assert digits == says["fallback_code"]


def ready(page: Page) -> None:
    """The worker runs and has kept what the page asked for."""
    expect(page.locator("#net")).to_be_attached()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def kept(page: Page, *paths: str) -> None:
    """Wait until copies of exactly these pages are kept."""
    for _try in range(100):
        if sorted(page.evaluate(COPIES).get(PAGES, [])) == sorted(paths):
            return
        page.wait_for_timeout(100)
    raise AssertionError(page.evaluate(COPIES))


def without_net(person: Person) -> None:
    person.context.set_offline(True)


def only_the_net(person: Person) -> None:
    """Without a net the browser writes that the socket failed: that is no fault of the page."""
    person.trouble[:] = [line for line in person.trouble if "ERR_INTERNET_DISCONNECTED" not in line]


def test_pass_opens_without_a_net_although_it_was_never_opened_before(
    make_person: MakePerson, site: Site
) -> None:
    misaki = make_person("misaki")
    page = misaki.open("/")
    ready(page)
    kept(page, "/", "/pass/")
    says = payload(misaki, site)
    without_net(misaki)

    page.get_by_role("link", name="入口で QR を見せる").tap()
    expect(page.locator("h1")).to_have_text("入口で 見せてください")
    assert read(page) == [says["payload"]]
    expect(page.locator(".kept")).to_have_text(re.compile(r"これは 12月7日（月） \d+:\d\d の 画面です。"))
    expect(page.locator(".kept")).to_be_visible()

    misaki.open("/")
    expect(page.locator("h1")).to_contain_text("みさきさん")
    expect(page.locator(".kept")).to_be_visible()
    only_the_net(misaki)


def test_every_other_page_without_a_net_has_the_hubs_telephone(make_person: MakePerson) -> None:
    misaki = make_person("misaki")
    page = misaki.open("/me/")
    ready(page)
    without_net(misaki)

    for path, heading in (
        ("/me/", "電波が ありません"),
        ("/book/", "電波が ありません"),
        ("/en/visits/", "No network"),
    ):
        misaki.open(path)
        expect(page.locator("h1")).to_have_text(heading)
    expect(page.locator("a[href^='tel:']").first).to_be_visible()
    only_the_net(misaki)


def test_online_the_fresh_page_is_shown_without_the_note(make_person: MakePerson) -> None:
    misaki = make_person("misaki")
    page = misaki.open("/")
    ready(page)
    kept(page, "/", "/pass/")
    misaki.open("/pass/")
    expect(page.locator(".kept")).to_be_hidden()
    expect(page.locator("#ready")).to_be_visible()


def test_after_signing_out_no_cache_holds_anything_of_hers(make_person: MakePerson, site: Site) -> None:
    misaki = make_person("misaki")
    page = misaki.open("/")
    ready(page)
    kept(page, "/", "/pass/")
    says = payload(misaki, site)
    digits = f"{says['fallback_code'][:3]}-{says['fallback_code'][3:]}"
    assert digits in page.evaluate(TEXTS)

    misaki.open("/me/")
    page.get_by_role("button", name="出る（ログアウト）").tap()
    expect(page.get_by_role("link", name="はじめる").first).to_be_visible()

    copies = page.evaluate(COPIES)
    assert copies.get(PAGES, []) == []
    text = page.evaluate(TEXTS)
    assert [word for word in (digits, "みさき", "はる") if word in text] == []
    without_net(misaki)
    misaki.open("/pass/")
    expect(page.locator("h1")).to_have_text("電波が ありません")
    only_the_net(misaki)


def test_somebody_else_on_the_same_phone_does_not_find_her_copies(make_person: MakePerson) -> None:
    phone = make_person("misaki")
    page = phone.open("/")
    ready(page)
    kept(page, "/", "/pass/")
    phone.sign_in("stranger")  # her session ended without a page of ours: only the next one tells
    phone.open("/me/")
    kept(page)
    phone.open("/")
    kept(page, "/", "/pass/")
    assert "みさき" not in page.evaluate(TEXTS)


def test_manifest_has_no_fault(make_person: MakePerson) -> None:
    misaki = make_person("misaki")
    page = misaki.open("/")
    found = misaki.context.new_cdp_session(page).send("Page.getAppManifest")
    assert found["errors"] == []
    assert found["url"] == f"{misaki.site.url}/manifest.webmanifest"


def test_screen_stays_on_after_a_tap(make_person: MakePerson) -> None:
    misaki = make_person("misaki")
    misaki.page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'wakeLock', { get: () => ({ request: async () => ({ release() {} }) }) })"
    )
    page = misaki.open("/pass/")
    page.get_by_role("button", name="画面を つけたままに する").tap()
    expect(page.locator("#wake")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#wake")).to_have_text("画面を つけたままに しています")
    page.locator("#wake").tap()
    expect(page.locator("#wake")).to_have_attribute("aria-pressed", "false")


def test_screen_that_may_not_stay_on_says_so(make_person: MakePerson) -> None:
    misaki = make_person("misaki")
    misaki.page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'wakeLock', { get: () => ({ request: async () => { throw 0 } }) })"
    )
    page = misaki.open("/pass/")
    page.locator("#wake").tap()
    expect(page.locator("#wake")).to_have_text("この電話では できませんでした")


def test_pass_works_without_javascript(make_person: MakePerson) -> None:
    page = make_person("misaki", java_script_enabled=False).open("/pass/")
    expect(page.locator("#code")).to_be_visible()
    expect(page.locator("#wake")).to_be_hidden()
