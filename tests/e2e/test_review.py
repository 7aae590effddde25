"""The pages of review that need something sent in: looked at in both themes, and marking by selecting in the text.

The demo holds no deliveries yet, so Chromium asks the test's own client instead of a server.
"""

import mimetypes
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import Browser, Page, Route

from hub.members.models import Member
from hub.work import doing, review
from hub.work.models import Correction
from tests.e2e import pages
from tests.work import hands_desk as hands
from tests.work.hands_desk import TEXT, jobs_addresses

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_addresses")]
__all__ = ["jobs_addresses"]
ORIGIN = "http://review.example"
STATIC = Path(__file__).resolve().parent.parent.parent / "static"
SIZES = ((1024, 768), (390, 844))


def answer(client: Client, route: Route) -> None:
    """What Chromium asks for, from the client or from our folder of static files."""
    asked = urlsplit(route.request.url)
    if asked.path.startswith("/static/"):
        file = STATIC / asked.path.removeprefix("/static/")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        route.fulfill(body=file.read_bytes(), content_type=kind) if file.exists() else route.abort()
        return
    path = f"{asked.path}?{asked.query}"
    if route.request.method == "POST":
        kind = route.request.headers["content-type"]
        said: Any = client.post(path, route.request.post_data_buffer, content_type=kind, follow=True)
    else:
        said = client.get(path)
    route.fulfill(status=said.status_code, body=said.content, content_type=said.headers["Content-Type"])


@pytest.fixture
def browse(browser: Browser, cast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``browse(cast.director, path)`` opens a page as that member."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright keeps a loop in this thread
    contexts = []

    def open_(member: Member, path: str, size: tuple[int, int] = SIZES[0]) -> Page:
        client = Client()
        client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        page = context.new_page()
        page.route("**/*", lambda route: answer(client, route))
        page.goto(ORIGIN + path)
        return page

    with translation.override("ja"):
        yield open_
    for context in contexts:
        context.close()


def at(name: str, *codes: object) -> str:
    return reverse(name, args=["ekimae", *codes])


@pytest.fixture
def world(cast: SimpleNamespace) -> SimpleNamespace:
    """Something on every page: a queue, a second try with marks before it, a question, an appeal."""
    found = hands.sent(cast, 4)
    hands.send_back(cast, found[0], hands.mark(0, 4), hands.mark(2, 9, "読点を とる", "style"), reason="季節")
    again = doing.send_in(member=cast.misaki, unit_code=found[0].unit.code, text=TEXT)
    doing.ask(member=cast.misaki, unit_code=again.unit.code, text="何字ですか")
    review.set_control(
        actor=cast.director, hub=cast.ekimae, order_code=again.unit.order.code, number=1, answer="答え"
    )
    appeal = hands.appeal(cast, hands.reject(cast, found[3]))
    return SimpleNamespace(cast=cast, again=again, other=found[1], appeal=appeal)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pages_of_review(size: tuple[int, int], world: SimpleNamespace, browse: Any) -> None:
    wrong = {}
    for who, path in (
        ("director", at("desk_review")),
        ("director", at("desk_review_one", world.again.code)),
        ("director", at("desk_questions")),
        ("manager", at("desk_appeals")),
        ("manager", at("desk_appeal", world.appeal.code)),
    ):
        page = browse(getattr(world.cast, who), path, size)
        wrong[path] = pages.look(page)
    page = browse(world.cast.director, at("desk_review_one", world.other.code), size)
    page.locator("[name=words_0]").fill("夏")
    page.locator("button[value=return]").click()
    page.locator("#errors").wait_for()
    wrong["refused"] = pages.look(page)

    assert {path: found for path, found in wrong.items() if found} == {}


SELECT = """([line, from, to]) => {
  const node = document.querySelectorAll('[data-said] li')[line].firstChild, range = document.createRange();
  range.setStart(node, from); range.setEnd(node, to);
  getSelection().removeAllRanges(); getSelection().addRange(range);
}"""


def test_what_is_selected_fills_a_row(world: SimpleNamespace, browse: Any) -> None:
    """The second 「春の 味」 of the text: by its words and which one it is. Then what the server makes of it."""
    page = browse(world.cast.director, at("desk_review_one", world.other.code))
    button = page.get_by_role("button", name="えらんだ ところに 印を つける")
    button.click()
    assert page.evaluate("document.activeElement.name") == "line_0"
    page.evaluate(SELECT, [1, 3, 7])
    button.focus()
    page.keyboard.press("Enter")
    assert [page.locator(f"[name={name}_0]").input_value() for name in ("line", "words", "nth")] == [
        "", "春の 味", "2",
    ]  # fmt: skip
    assert page.evaluate("document.activeElement.name") == "kind_0"
    assert page.locator("[data-mark-told]").inner_text().startswith("印 1 に 入れました。")
    page.locator("[name=kind_0]").select_option("style")
    page.locator("[name=comment_0]").fill("季節を 変える")
    page.locator("button[value=return]").click()
    page.wait_for_load_state()

    kept = Correction.objects.filter(delivery=world.other).values_list("start", "end", "comment")
    start = TEXT.rindex("春の 味")
    assert list(kept) == [(start, start + 4, "季節を 変える")]
