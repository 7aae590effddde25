"""What a page does while it is open: answers in place, hears of others, loses the net; and the keyboard alone."""

import re

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e import booking as do
from tests.e2e.conftest import NEXT_MONDAY, NEXT_THURSDAY, THIRD_MONDAY, THURSDAY, MakePerson

#: What holds the focus, in words, and what is wrong with how it shows: nothing, or a reason (2.4.7, 2.4.11).
FOCUS = """async () => {
  // Two frames: the skip link that just lost the focus is on its way out.
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const at = document.activeElement;
  if (!at || at === document.body) return ['BODY', ''];
  const shown = at.matches('input[type=radio], input[type=checkbox]') ? at.closest('label') || at : at;
  const name = at.id || at.getAttribute('href') || shown.textContent.trim();
  if (at.matches('main')) return [name, ''];
  const ring = [at, shown, ...shown.querySelectorAll('.face')].some(one => {
    const style = getComputedStyle(one);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none';
  });
  if (!ring) return [name, 'no ring'];
  const box = (shown.querySelector('.face') || shown).getBoundingClientRect();
  if (box.bottom <= 0 || box.top >= innerHeight) return [name, 'outside the window'];
  const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2);
  const y = Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 2);
  const top = document.elementFromPoint(x, y);
  return [name, top && (shown.contains(top) || top.contains(shown)) ? '' : `under ${top && top.className}`];
}"""


def tab_to(page: Page, selector: str, key: str = "Tab", most: int = 60) -> None:
    """Press Tab until the focus is there; every stop on the way must be visible and uncovered."""
    for _press in range(most):
        page.keyboard.press(key)
        name, problem = page.evaluate(FOCUS)
        assert problem == "", f"{name}: {problem}"
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached by {key}")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.tagName"))


def enter(page: Page) -> None:
    """Follow or send what holds the focus."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_booking_and_cancelling_with_the_keyboard_alone(make_person: MakePerson) -> None:
    misaki = make_person("misaki")
    page = misaki.open("/book/")
    first = page.evaluate("document.querySelector('.dates input:checked').id")
    tab_to(page, f"#{first}")
    while page.evaluate("document.activeElement.id") != f"d-{THURSDAY}":
        page.keyboard.press("ArrowRight")
        _name, problem = page.evaluate(FOCUS)
        assert problem == ""
    do.waits_for_answer(page, f"d={THURSDAY}")
    assert focused(page) == f"d-{THURSDAY}", "the swap must not move the focus"
    for name in ("はる", "ゆい"):
        code = page.locator("label.choice.care", has_text=name).locator("input").get_attribute("id")
        tab_to(page, f"#{code}")
        page.keyboard.press("Space")
        do.waits_for_answer(page, f"c={str(code)[2:]}")
        assert focused(page) == code
    expect(page.locator("#h-av")).to_have_text("予約できます")
    tab_to(page, "button[form=bf]")
    enter(page)
    expect(page.locator("h1")).to_have_text("席をえらぶ")
    tab_to(page, "input[name=seat]")
    before = page.evaluate("document.activeElement.value")
    page.keyboard.press("ArrowDown")
    after = page.evaluate("document.activeElement.value")
    assert after != before
    page.wait_for_url(re.compile(r"seat="))
    assert page.evaluate("document.activeElement.value") == after
    tab_to(page, "button[form=sf]")
    enter(page)
    expect(page.locator("h1")).to_have_text("予約できました")
    tab_to(page, f"a[href$='/visits/{do.code_of(page)}/']")
    enter(page)
    tab_to(page, "a.btn.stop")
    enter(page)
    tab_to(page, "button.btn.stop")
    enter(page)
    expect(page.locator("h1")).to_have_text("予約を やめました")


def test_skip_link_leads_to_the_content(make_person: MakePerson) -> None:
    page = make_person("misaki").open("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    assert focused(page) == "main"


def test_error_summary_takes_the_focus(make_person: MakePerson) -> None:
    page = make_person("misaki").open("/me/children/new/")
    page.get_by_role("button").last.tap()
    expect(page.locator(".err-sum")).to_be_focused()
    assert page.title().startswith("エラー：")


def test_availability_changes_in_place(make_person: MakePerson) -> None:
    page = make_person("misaki").open("/book/")
    page.evaluate("window.here = true")
    length = page.evaluate("history.length")
    before = page.locator("#avail").inner_text()
    do.choose_day(page, THURSDAY)
    do.choose_times(page, "14:00", "15:00")
    assert page.locator("#avail").inner_text() != before
    assert page.locator("#avail header .num").inner_text() == "12月10日（木） 14:00 – 15:00"
    expect(page.locator("#verdict")).to_contain_text("予約できます")
    assert page.evaluate("window.here") is True, "the page was loaded anew"
    assert page.evaluate("history.length") == length
    page.reload()
    assert page.locator("#avail header .num").inner_text() == "12月10日（木） 14:00 – 15:00"


def seats_left(page: Page) -> int:
    """Free seats of all zones as the result card says them."""
    words = page.locator("#avail .rows li .num").all_inner_texts()
    return sum(int(n) for word in words for n in re.findall(r"\d+", word))


def test_booking_of_somebody_else_shows_within_two_seconds(make_person: MakePerson) -> None:
    misaki, other = make_person("misaki"), make_person("member30")
    with misaki.page.expect_websocket() as opened:
        page = misaki.open(f"/book/?d={NEXT_MONDAY}&p=am")
    with opened.value.expect_event("framereceived"):
        pass
    free = seats_left(page)
    do.books(other, NEXT_MONDAY, "09:30", "12:30")
    page.wait_for_function(
        "n => [...document.querySelectorAll('#avail .rows li .num')]"
        ".reduce((sum, one) => sum + Number((one.textContent.match(/\\d+/) || [0])[0]), 0) === n",
        arg=free - 1,
        timeout=2000,
    )


def test_page_without_socket_asks_again_and_says_so(make_person: MakePerson) -> None:
    misaki, other = make_person("misaki"), make_person("member31")
    page = misaki.page
    page.clock.install()

    def refuse(socket: WebSocketRoute) -> None:
        socket.close(code=1011)

    page.route_web_socket(re.compile(r"/ws/$"), refuse)
    misaki.open(f"/book/?d={THIRD_MONDAY}&p=am")
    free = seats_left(page)
    page.clock.run_for(8_000)
    expect(page.locator("#net")).to_contain_text("つながり直しています")
    do.books(other, THIRD_MONDAY, "09:30", "12:30")
    page.clock.run_for(32_000)
    expect(page.locator("#net")).to_contain_text("30秒ごとに たしかめます")
    page.wait_for_function(
        "n => [...document.querySelectorAll('#avail .rows li .num')]"
        ".reduce((sum, one) => sum + Number((one.textContent.match(/\\d+/) || [0])[0]), 0) === n",
        arg=free - 1,
    )


def test_line_says_that_the_net_is_gone_and_back(make_person: MakePerson) -> None:
    misaki = make_person("misaki")
    page = misaki.open(f"/book/?d={NEXT_THURSDAY}")
    expect(page.locator("#net")).to_have_attribute("role", "status")
    misaki.context.set_offline(True)
    expect(page.locator("#net")).to_be_visible()
    expect(page.locator("#net")).to_contain_text("電波が ありません")
    misaki.context.set_offline(False)
    expect(page.locator("#net")).not_to_contain_text("電波が ありません")
    misaki.trouble.clear()  # the browser itself complains about requests without a net
