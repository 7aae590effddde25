"""お知らせ and how one wants to be told: what the pages show, to whom, and what opening them changes."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from hub.access import TABLE
from hub.notices import queries, topics
from hub.notices.enums import RINGING, Kind
from hub.notices.models import Choice, Notice
from hub.notices.queries import Wish
from hub.spaces.access import Action
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _japanese() -> Any:
    with translation.override("ja"):
        yield


def text_of(answer: Any) -> str:
    body = re.sub(r"<(script|style|template)\b.*?</\1>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def told(member: Any, count: int = 1, **fields: Any) -> list[Notice]:
    """Notices of ``member``, one a minute, the last one the newest: 知らせ0, 知らせ1, ..."""
    first = make.NOW - timedelta(days=1)
    return [
        Notice.objects.create(
            member=member, event=f"e{n}", created_at=first + timedelta(minutes=n),
            **{"kind": Kind.CHANGE, "topic": "visit", "language": "ja", "title": f"知らせ{n}", "path": "/visits/", **fields},
        )
        for n in range(count)
    ]  # fmt: skip


def titles(answer: Any) -> list[str]:
    return re.findall(r"<b>(知らせ\d+)</b>", answer.content.decode())


# ---------------------------------------------------------------- the list


def test_newest_comes_first_with_its_time_and_leads_to_its_page(as_: Any, cast: Any) -> None:
    told(cast.misaki, 2, text="駅前ハブ")

    page = as_(cast.misaki).get("/me/notices/")

    assert titles(page) == ["知らせ1", "知らせ0"]
    assert "新しい 知らせ1 駅前ハブ 予約・変更・中止 12月6日（日） 9:41" in text_of(page)
    assert len(re.findall(r'<a class="item" id="n-\w+" href="/visits/">', page.content.decode())) == 2


def test_opening_marks_what_was_shown_as_read_and_nothing_else(as_: Any, cast: Any) -> None:
    told(cast.misaki, 21)
    told(cast.kenta)
    client = as_(cast.misaki)

    assert text_of(client.get("/me/notices/")).count("新しい") == 20

    assert list(Notice.objects.filter(read_at=None).order_by("pk").values_list("member__email", "title")) == [
        ("misaki@demo.example", "知らせ0"),
        ("kenta@demo.example", "知らせ0"),
    ]
    assert "新しい" not in text_of(client.get("/me/notices/"))
    second = client.get("/me/notices/?page=2")
    assert (titles(second), "新しい" in text_of(second)) == (["知らせ0"], True)


def test_words_of_another_language_say_so(as_: Any, cast: Any) -> None:
    told(cast.misaki, language="en")
    client = as_(cast.misaki)
    assert '<span lang="en"><b>知らせ0</b>' in client.get("/me/notices/").content.decode()
    assert '<span lang="en"><b>知らせ0</b>' not in client.get("/en/me/notices/").content.decode()


def test_urgent_one_says_so_and_one_without_a_page_is_no_link(as_: Any, cast: Any) -> None:
    told(cast.misaki, is_urgent=True, path="")
    page = as_(cast.misaki).get("/me/notices/")
    assert "急ぎ" in text_of(page)
    assert '<div class="item">' in page.content.decode()


def test_nothing_yet(as_: Any, cast: Any) -> None:
    assert "お知らせは まだ ありません" in text_of(as_(cast.misaki).get("/me/notices/"))


def test_titles_are_text(as_: Any, cast: Any) -> None:
    told(cast.misaki, title="<b>x</b>")
    assert "<b>x</b>" not in as_(cast.misaki).get("/me/notices/").content.decode()


def test_nobody_sees_the_notices_of_another(as_: Any, cast: Any) -> None:
    told(cast.misaki)
    assert titles(as_(cast.kenta).get("/me/notices/")) == []


@pytest.mark.parametrize("path", ["/me/notices/", "/now/notices/"])
def test_lists_are_only_read(as_: Any, cast: Any, path: str) -> None:
    assert as_(cast.misaki).post(path).status_code == 405


def test_list_asks_the_same_for_one_and_for_three(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)

    def count(notices: int) -> int:
        Notice.objects.all().delete()
        told(cast.misaki, notices, read_at=make.NOW)
        with CaptureQueriesContext(connection) as asked:
            client.get("/me/notices/")
        return len(asked)

    # session, person; how many, which
    assert (count(1), count(3)) == (4, 4)


# ---------------------------------------------------------------- きょう and わたし


def test_today_shows_the_two_newest_unread(as_: Any, cast: Any) -> None:
    told(cast.misaki, 4)
    Notice.objects.filter(title="知らせ3").update(read_at=make.NOW)

    page = as_(cast.misaki).get("/")

    assert titles(page) == ["知らせ2", "知らせ1"]
    assert "お知らせ （新しいもの 3つ）" in text_of(page)
    assert Notice.objects.filter(read_at=None).count() == 3  # only the list itself is reading


def test_today_without_news_has_the_empty_place_for_what_comes(as_: Any, cast: Any) -> None:
    told(cast.misaki, read_at=make.NOW)
    body = as_(cast.misaki).get("/").content.decode()
    assert '<section id="notices" hidden' in body
    assert 'hx-trigger="live:notice from:body, live:refresh from:body"' in body


def test_part_of_today_comes_alone_for_the_page_and_leads_others_there(as_: Any, cast: Any) -> None:
    told(cast.misaki)
    client = as_(cast.misaki)
    part = client.get("/now/notices/", headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith('<section id="notices" class="stack"')
    assert titles(part) == ["知らせ0"]
    assert client.get("/now/notices/").headers["Location"] == "/"


def test_me_leads_to_both_pages_and_says_how_many_are_new(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    page = client.get("/me/")
    assert 'href="/me/notices/"' in page.content.decode()
    assert 'href="/me/notify/"' in page.content.decode()
    assert "新しい" not in text_of(page)
    told(cast.misaki, 2)
    assert "お知らせ 新しい （2つ）" in text_of(client.get("/me/"))


def test_newest_unread_is_one_query(cast: Any, django_assert_num_queries: Any) -> None:
    told(cast.misaki, 3)
    with django_assert_num_queries(1):
        found, count = queries.newest_unread(cast.misaki, 2)
    assert ([one.title for one in found], count) == (["知らせ2", "知らせ1"], 3)


# ---------------------------------------------------------------- how to be told


def test_form_shows_what_goes_for_somebody_who_chose_nothing(as_: Any, cast: Any) -> None:
    body = as_(cast.misaki).get("/me/notify/").content.decode()
    boxes = dict(re.findall(r'<input type="checkbox" name="(\w+)"[^>]*?(checked)?>', body))
    assert boxes["mail_change"] == boxes["push_change"] == "checked"
    assert (boxes["mail_papers"], boxes["push_papers"]) == ("checked", "")
    assert {name.partition("_")[2] for name in boxes} == {str(kind) for kind in topics.kinds()}


def test_choice_is_kept_and_shown_again(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    answer = client.post("/me/notify/", {"push_change": "on", "mail_papers": "on"})
    assert answer.headers["Location"] == "/me/notify/"
    assert queries.choice_of(cast.misaki, Kind.CHANGE) == Wish(False, True)
    assert queries.choice_of(cast.misaki, Kind.PAPERS) == Wish(True, False)
    assert queries.choice_of(cast.misaki, Kind.ACCOUNT) == Wish(False, False)
    assert 'name="mail_change" id="id_mail_change">' in client.get("/me/notify/").content.decode()
    client.post("/me/notify/", {"mail_change": "on"})
    assert Choice.objects.filter(member=cast.misaki).count() == len(topics.kinds())


def test_kind_that_there_is_not_cannot_be_chosen(as_: Any, cast: Any) -> None:
    as_(cast.misaki).post("/me/notify/", {"mail_nonsense": "on"})
    assert set(Choice.objects.values_list("kind", flat=True)) == {str(kind) for kind in topics.kinds()}


def test_page_says_the_quiet_hours_and_that_urgent_comes_anyway(as_: Any, cast: Any) -> None:
    text = text_of(as_(cast.misaki).get("/me/notify/"))
    assert "夜 9時から 朝 7時までは 送りません。" in text
    assert "急ぎの お知らせは、いつでも、えらんでいなくても とどきます。" in text


def test_only_four_kinds_ring_unless_she_says_so(cast: Any) -> None:
    assert {Kind.REMINDER, Kind.OFFER, Kind.CHANGE, Kind.PICKUP} == RINGING
    assert {
        kind for kind, wish in queries.choices_of(cast.misaki, list(Kind)).items() if wish.by_push
    } == RINGING


# ---------------------------------------------------------------- the page on which staff read the words


def test_manager_reads_every_case_in_both_languages(as_: Any, cast: Any) -> None:
    page = as_(cast.manager).get("/desk/ekimae/notices/")
    body = page.content.decode()
    cases = sum(len(topic.examples()) for topic in topics.everything())
    assert cases >= 9
    assert body.count('<div class="card stack-s" lang="ja">') == cases
    assert body.count('<div class="card stack-s" lang="en">') == cases
    assert "予約できました" in body
    assert "You are booked" in body


def test_words_are_made_without_the_database(cast: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        found = [example for topic in topics.everything() for example in topic.examples()]
    assert all(example.message.title for example in found)


def test_every_topic_has_examples_and_no_two_of_a_kind_have_one_name() -> None:
    """Two regions of one name are one region to a screen reader."""
    without = [topic.name for topic in topics.everything() if not topic.examples()]
    names = [(topic.kind, one.case) for topic in topics.everything() for one in topic.examples()]

    assert without == []
    assert len(names) == len(set(names))


def test_only_managers_read_the_words() -> None:
    assert {str(role) for role in TABLE[Action.READ_NOTICE_WORDS]} == {"manager"}
    assert reverse("desk_notices", args=["ekimae"]) == "/desk/ekimae/notices/"
