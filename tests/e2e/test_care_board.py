"""The carers' tablet in a browser: receive, hand over, take back, cover the screen, hear of others, by keyboard, without script."""

import re

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.conftest import MakePerson, Person
from tests.e2e.test_live_and_keyboard import enter, tab_to

TABLET = {"width": 1024, "height": 768}
#: Each test has children of its own; they are to come at 10:00 and the clock says 9:40.
NAMES = re.compile("はる|ゆい|りく|めい|つむぎ|ひな|なお|こはる|みさき")


def tablet(make_person: MakePerson, **options: object) -> Person:
    return make_person("carer", viewport=TABLET, **options)


def card(page: Page, state: str, name: str) -> object:
    return page.locator(f".kid.{state}", has=page.locator(".nm", has_text=re.compile(f"^{name}$")))


def to_sheet(page: Page, state: str, name: str) -> None:
    with page.expect_navigation():
        card(page, state, name).first.click()  # type: ignore[attr-defined]  # a locator
    expect(page.locator("h1")).to_have_text(f"{name}さん")


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def receive(page: Page, name: str) -> None:
    to_sheet(page, "coming", name)
    page.get_by_role("button", name="0.1℃ 上げる").click()
    expect(page.locator("#id_temperature")).to_have_value("36.5")
    press(page, "受け取る")


def test_receive_hand_over_and_take_back(make_person: MakePerson) -> None:
    carer = tablet(make_person)
    page = carer.open("/care/")

    receive(page, "はる")
    expect(page.locator("#undo")).to_contain_text("はるさんを 受け取りました。")
    expect(card(page, "inside", "はる")).to_have_count(1)  # type: ignore[arg-type]  # a locator
    assert page.evaluate("document.activeElement.matches('.kid.coming')"), (
        "the card that comes next has the focus"
    )

    press(page, "取り消す")
    expect(card(page, "coming", "はる")).to_have_count(1)  # type: ignore[arg-type]  # a locator
    expect(page.locator("#toasts")).to_contain_text("はるさんの 受け取りを 取り消しました。")

    receive(page, "はる")
    to_sheet(page, "inside", "はる")
    expect(page.locator(".allergy-note")).to_contain_text("たまご")
    page.locator("label.choice", has_text="山田 うめ").click()
    page.locator("label.choice", has_text="身分証を 見た").click()
    press(page, "つぎへ")
    expect(page.locator("h1")).to_have_text("はるさんを 渡しますか")
    expect(page.locator("main")).to_contain_text("山田 うめ")
    press(page, "渡しました")
    expect(card(page, "gone", "はる")).to_contain_text("祖母")  # type: ignore[arg-type]  # a locator

    press(page, "取り消す")
    expect(card(page, "inside", "はる")).to_have_count(1)  # type: ignore[arg-type]  # a locator


def test_undo_goes_away_after_ten_seconds(make_person: MakePerson) -> None:
    carer = tablet(make_person)
    page = carer.page
    page.clock.install()
    carer.open("/care/")
    receive(page, "ゆい")
    expect(page.locator("#undo")).to_be_visible()
    page.clock.run_for(10_500)
    expect(page.locator("#undo")).to_have_count(0)


def test_nothing_chosen_gets_a_sentence_and_the_focus(make_person: MakePerson) -> None:
    page = tablet(make_person).open("/care/")
    to_sheet(page, "coming", "りく")
    press(page, "受け取る")
    expect(page.locator(".err-sum")).to_be_focused()
    expect(page.locator("#id_temperature_error")).to_contain_text("体温を 入れてください")
    page.locator("#id_temperature").fill("38.2")
    press(page, "受け取る")
    expect(page.locator("#id_temperature_error")).to_contain_text("37.5℃からは お預かり できません")


def test_other_tablet_shows_the_change_within_two_seconds(make_person: MakePerson) -> None:
    here, there = tablet(make_person), tablet(make_person)
    heard: list[str] = []
    there.page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(str(frame)))
    )
    there.open("/care/")
    while not heard:
        there.page.wait_for_timeout(50)
    expect(there.page.locator("#live")).to_have_text("つながっています")
    card(there.page, "coming", "りく").first.focus()  # type: ignore[attr-defined]  # a locator
    kept = there.page.evaluate("document.activeElement.id")

    page = here.open("/care/")
    receive(page, "めい")

    expect(card(there.page, "inside", "めい")).to_have_count(1, timeout=2000)  # type: ignore[arg-type]  # a locator
    assert there.page.evaluate("document.activeElement.id") == kept, "the swap must not move the focus"


def readable(page: Page) -> list[str]:
    """Names that an eye or a screen reader finds."""
    words = page.evaluate("document.body.innerText") + page.title() + page.locator("body").aria_snapshot()
    return NAMES.findall(words)


def test_covered_screen_shows_no_name(make_person: MakePerson) -> None:
    page = tablet(make_person).open("/care/")
    assert readable(page)
    page.get_by_role("link", name="画面を かくす").click()
    expect(page.locator("#uncover")).to_be_focused()
    assert readable(page) == []
    page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement.closest('#care')"), (
        "nothing behind the cover takes the focus"
    )
    page.locator("#uncover").click()
    assert readable(page)
    expect(page.locator("#hide")).to_be_focused()


def test_screen_covers_itself_after_three_minutes(make_person: MakePerson) -> None:
    carer = tablet(make_person)
    page = carer.page
    page.clock.install()
    carer.open("/care/")
    page.clock.run_for(170_000)
    page.mouse.click(5, 5)
    page.clock.run_for(170_000)
    expect(page.locator("#cover")).to_be_hidden()
    page.clock.run_for(15_000)
    expect(page.locator("#cover")).to_be_visible()
    assert readable(page) == []


def test_board_that_is_cut_off_says_so_with_its_time(make_person: MakePerson) -> None:
    carer = tablet(make_person)
    page = carer.page
    page.clock.install()
    page.route_web_socket(re.compile(r"/ws/$"), lambda socket: _refuse(socket))
    carer.open("/care/")
    page.clock.run_for(8_000)
    expect(page.locator("#live")).to_have_text(re.compile(r"つながっていません 9:4\d の画面"))
    expect(page.locator("body.cut")).to_have_count(1)


def _refuse(socket: WebSocketRoute) -> None:
    socket.close(code=1011)


def test_child_is_handed_over_with_the_keyboard_alone(make_person: MakePerson) -> None:
    page = tablet(make_person, has_touch=False).open("/care/")
    first = page.locator(".kid.inside").first.get_attribute("id")
    tab_to(page, f"#{first}", most=80)
    enter(page)
    for name in ("adult", "how"):
        tab_to(page, f"input[name={name}]")
        page.keyboard.press("Space")
    tab_to(page, "button.main-action")
    enter(page)
    expect(page.locator("h1")).to_contain_text("渡しますか")
    tab_to(page, "button.main-action")
    enter(page)
    expect(page.locator("#undo")).to_contain_text("渡しました")
    tab_to(page, "#undo button", key="Shift+Tab")
    enter(page)
    expect(page.locator(f"#{first}")).to_have_count(1)


def test_child_is_received_without_javascript(make_person: MakePerson) -> None:
    page = tablet(make_person, java_script_enabled=False).open("/care/")
    card(page, "coming", "つむぎ").first.click()  # type: ignore[attr-defined]  # a locator
    page.locator("#id_temperature").fill("３６．８")
    page.get_by_role("button", name="受け取る", exact=True).click()
    expect(page.locator("#undo")).to_contain_text("つむぎさんを 受け取りました。")
    expect(card(page, "inside", "つむぎ").first).to_be_visible()  # type: ignore[attr-defined]  # a locator
    page.get_by_role("link", name="画面を かくす").click()
    expect(page.locator("h1")).to_have_text("画面を かくしています")
    page.get_by_role("link", name="画面を もどす").click()
    expect(page.locator("#board")).to_have_count(1)


def test_carers_break_that_leaves_children_short_is_asked_again(make_person: MakePerson) -> None:
    page = tablet(make_person).open("/care/staff/")
    for name, word in (("保育 つばさ", "帰る"), ("保育 みどり", "帰る"), ("支援 かおる", "休けい")):
        with page.expect_navigation():
            page.locator(".crew-list li", has_text=name).locator("button", has_text=word).click()
    expect(page.locator("main")).to_contain_text("足りなくなります")
    press(page, "足りないまま 休けいに 入る（記録します）")
    page.goto(page.url.replace("staff/", ""))
    expect(page.locator(".ratio.short")).to_contain_text("足りません")
