"""Passkeys and an authenticator app in a real browser, on a demo that asks staff for a second factor.

The key is Chromium's virtual one (Chrome DevTools Protocol, domain WebAuthn). It needs a name instead of 127.0.0.1.
"""

import re
import time
from dataclasses import dataclass, replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import pages
from tests.e2e.conftest import MakePerson, Person, Site
from tests.members.factor_helpers import code_of

SITE_SETTINGS = {"STAFF_MFA_REQUIRED": "1"}


@pytest.fixture(scope="module")
def site(site: Site) -> Site:
    return replace(site, url=site.url.replace("127.0.0.1", "localhost"))


@pytest.fixture(scope="module")
def typed(site: Site) -> re.Pattern[str]:
    return pages.typed_in(site)


@dataclass
class Key:
    """The virtual key of one browser."""

    tools: Any
    name: str

    def face_is_seen(self, seen: bool) -> None:
        self.tools.send("WebAuthn.setUserVerified", {"authenticatorId": self.name, "isUserVerified": seen})

    def count(self) -> int:
        return len(self.tools.send("WebAuthn.getCredentials", {"authenticatorId": self.name})["credentials"])


def give_key(person: Person) -> Key:
    tools = person.context.new_cdp_session(person.page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return Key(tools, made["authenticatorId"])


def add_passkey(person: Person) -> Page:
    """From the account page to the spare codes."""
    page = person.open("/me/account/")
    page.get_by_role("link", name="パスキーを 足す").click()
    expect(page.locator("h1")).to_have_text("パスキーを 足す")
    page.get_by_role("button", name="パスキーを 作る").click()
    expect(page.locator("h1")).to_have_text("予備の 番号")
    return page


def sign_out(page: Page) -> None:
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + "/sign-out/")
    with page.expect_navigation():
        page.locator("main form button").first.click()


def signed_in(person: Person) -> bool:
    return "/accounts/login/" not in person.open("/me/").url


def english(page: Page, typed: re.Pattern[str]) -> list[str]:
    """Japanese that is left on the English copy of the page that stands."""
    page.goto(re.sub(r"^(https?://[^/]+)/", r"\1/en/", page.url))
    left = [line for line in page.evaluate(pages.JAPANESE) if pages.CJK.search(typed.sub("", line))]
    page.go_back()
    return left


def test_passkey_from_adding_to_removing(make_person: MakePerson, typed: re.Pattern[str]) -> None:
    misaki = make_person("misaki")
    key = give_key(misaki)
    page = add_passkey(misaki)
    assert pages.look(page) == []
    assert english(page, typed) == []
    with page.expect_download() as saved:
        page.get_by_role("link", name="ファイルに しまう").click()
    assert len(re.findall(r"^\d{4} \d{4}$", saved.value.path().read_text(), re.MULTILINE)) == 10
    page.get_by_role("link", name="しまいました").click()
    expect(page.locator("h1")).to_have_text("入りかた")
    assert pages.look(page) == []
    assert english(page, typed) == []

    sign_out(page)
    misaki.open("/accounts/login/?next=/visits/")
    assert pages.look(page) == []
    page.get_by_role("button", name="パスキーで 入る").click()
    page.wait_for_url(re.compile(r"//[^/]+/visits/$"))
    misaki.open("/me/account/")
    expect(page.locator("main")).to_contain_text("最後に 使った日")

    page.get_by_role("link", name="の 名前を 変える").click()
    expect(page.locator("h1")).to_have_text("パスキーの 名前")
    assert pages.look(page) == []
    assert english(page, typed) == []
    page.locator("#id_name").fill("Kitchen phone")
    pages.submit(page)
    page.get_by_role("link", name="「Kitchen phone」を 消す").click()
    expect(page.locator("h1")).to_have_text("本人か たしかめます")
    assert pages.look(page) == []
    assert english(page, typed) == []
    page.get_by_role("button", name="顔や 指もんで たしかめる").click()
    expect(page.locator("h1")).to_have_text("パスキーを 消す")
    assert pages.look(page) == []
    assert english(page, typed) == []
    page.get_by_role("button", name="消す", exact=True).click()
    expect(page.locator("h1")).to_have_text("入りかた")
    expect(page.locator("main")).not_to_contain_text("Kitchen phone")

    sign_out(page)
    misaki.open("/accounts/login/")
    assert key.count() == 1, "the phone still holds it"
    page.get_by_role("button", name="パスキーで 入る").click()
    expect(page.locator("#toasts")).to_contain_text("パスキーで たしかめられませんでした")
    assert not signed_in(misaki)


def test_passkey_without_a_face_stays_out_and_says_so(make_person: MakePerson) -> None:
    person = make_person("member21")
    key = give_key(person)
    page = add_passkey(person)
    sign_out(page)
    person.open("/accounts/login/")
    key.face_is_seen(False)
    button = page.get_by_role("button", name="パスキーで 入る")
    button.click()
    part = page.locator("form[data-passkey] [role=status]")
    expect(part).to_contain_text("パスキーは まだ 使われていません")
    assert pages.look(page) == []
    key.face_is_seen(True)
    button.click()
    page.wait_for_url(re.compile(r"//[^/]+/$"))
    assert signed_in(person)


def test_same_phone_twice_is_explained(make_person: MakePerson) -> None:
    person = make_person("member22")
    give_key(person)
    page = add_passkey(person)
    person.open("/accounts/2fa/passkeys/add/")
    page.locator("#id_name").press("Enter")  # the keyboard alone does it too
    expect(page.locator("form[data-passkey] [role=status]")).to_contain_text("もう 登録されています")


def test_app_from_adding_to_removing(make_person: MakePerson, site: Site, typed: re.Pattern[str]) -> None:
    person = make_person("member23")
    page = person.open("/accounts/2fa/app/")
    secret = str(page.locator(".secret").text_content())
    page.locator("[name=code]").fill(code_of(secret))
    page.get_by_role("button", name="たしかめて 足す").click()
    expect(page.locator("h1")).to_have_text("予備の 番号")
    spare = page.locator(".codes li").first.inner_text()
    page.get_by_role("link", name="新しく 作りなおす").click()
    expect(page.locator("h1")).to_have_text("予備の 番号を 作りなおす")
    assert pages.look(page) == []
    assert english(page, typed) == []

    sign_out(page)
    before = len(site.mails("member23@demo.example"))
    person.open("/accounts/login/")
    pages.with_email("member23@demo.example")(page, {})
    while len(site.mails("member23@demo.example")) == before:
        time.sleep(0.05)
    page.locator("[name=code]").fill(site.code_for("member23@demo.example"))
    pages.submit(page, "form:has([name=code])")
    expect(page.locator("h1")).to_have_text("もう1つの かぎで たしかめます")
    assert pages.look(page) == []
    assert english(page, typed) == []
    page.locator("[name=code]").fill("12")
    pages.submit(page, "form:has([name=code])")
    expect(page.locator(".err-sum")).to_be_focused()
    assert pages.look(page) == []
    # The code that set the app up is used; the next step's counts already, as clocks differ.
    page.locator("[name=code]").fill(code_of(secret, later=30))
    pages.submit(page, "form:has([name=code])")
    assert signed_in(person)

    person.open("/accounts/2fa/app/remove/")
    expect(page.locator("h1")).to_have_text("本人か たしかめます")
    assert pages.look(page) == []
    assert english(page, typed) == []
    page.locator("[name=code]").fill(spare)
    pages.submit(page, "form:has([name=code])")
    expect(page.locator("h1")).to_have_text("認証アプリを やめる")
    assert pages.look(page) == []
    assert english(page, typed) == []
    page.get_by_role("button", name="やめる").click()
    expect(page.locator("main")).to_contain_text("認証アプリを 足す")


def test_staff_are_led_to_a_passkey_and_back(make_person: MakePerson, site: Site) -> None:
    manager, member = make_person("manager"), make_person("member24")
    give_key(manager)
    give_key(member)
    page = manager.open("/desk/ekimae/people/?q=見本")
    expect(page.locator("h1")).to_have_text("もう1つの かぎを 決める")
    page.get_by_role("link", name="パスキー（顔や 指もんで 入る）").click()
    page.get_by_role("button", name="パスキーを 作る").click()
    page.get_by_role("link", name="しまいました。つづける").click()
    page.wait_for_url(re.compile(r"//[^/]+/desk/ekimae/people/\?q="))

    add_passkey(member)
    code = pages.one(site, "SELECT code FROM members_member WHERE email = 'member24@demo.example'")
    page.set_viewport_size({"width": pages.WIDE_DESK[0], "height": pages.WIDE_DESK[1]})
    manager.open(f"/desk/ekimae/people/{code}/")
    page.get_by_role("link", name="入りかたを やり直して もらう").click()
    expect(page.locator("h1")).to_contain_text("入りかたを やり直す")
    assert pages.look(page) == []
    pages.submit(page, "main form:has([name=sure])")
    expect(page.locator(".err-sum")).to_be_focused()
    assert pages.look(page) == []
    page.locator("[name=sure]").check(force=True)
    pages.submit(page, "main form:has([name=sure])")
    expect(page.locator("#toasts")).to_contain_text("かぎを 消しました")
    assert not signed_in(member)


def test_page_without_javascript_names_the_other_ways(make_person: MakePerson) -> None:
    person = make_person(java_script_enabled=False)
    page = person.open("/accounts/login/")
    # Chromium that is told to run no script still hides <noscript>, so its words are looked up in the source.
    assert re.search(r"<noscript>.*パスキーには JavaScript が いります。.*</noscript>", page.content())
    expect(page.get_by_role("button", name="パスキーで 入る")).to_have_count(0)
    expect(page.get_by_role("button", name="番号を 送る")).to_be_visible()


def test_address_of_numbers_offers_no_passkey(make_person: MakePerson, site: Site) -> None:
    person = make_person()
    person.site = replace(site, url=site.url.replace("localhost", "127.0.0.1"))
    page = person.open("/accounts/login/")
    expect(page.get_by_role("button", name="番号を 送る")).to_be_visible()
    expect(page.locator("[data-passkey-part]")).to_be_hidden()
