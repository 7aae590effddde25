"""Dates, times and words as people here read them, and the link to the other language."""

from datetime import date, datetime, time, timedelta

import pytest
from django.template import Context
from django.test import RequestFactory, override_settings
from django.utils import translation

from hub.core.templatetags import hidamari as tags

DAY = date(2026, 12, 9)


def test_date_in_japanese_and_english() -> None:
    assert (tags.jdate(DAY), tags.jdate_long(DAY)) == ("12月9日（水）", "2026年12月9日（水）")
    with translation.override("en"):
        assert (tags.jdate(DAY), tags.jdate_long(DAY)) == ("Wed 9 Dec", "Wed 9 Dec 2026")


def test_period_has_no_leading_zero_on_the_hour() -> None:
    start = datetime(2026, 12, 9, 9, 0)
    assert tags.period(start, time(12, 30)) == "9:00 – 12:30"


@pytest.mark.parametrize(
    ("length", "words"),
    [(timedelta(hours=3), "3時間"), (timedelta(minutes=150), "2時間30分"), (timedelta(minutes=45), "45分")],
)
def test_duration_in_words(length: timedelta, words: str) -> None:
    assert tags.duration(length) == words


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("free", ("○", "", "空きあり")),
        ("few", ("△", "few", "のこり少し")),
        ("full", ("×", "full", "いっぱい")),
        ("closed", ("休", "off", "お休み")),
        ("none", ("－", "off", "まだ えらべません")),
    ],
)
def test_state_has_a_mark_a_class_and_a_word(state: str, shown: tuple[str, str, str]) -> None:
    assert (tags.sign(state), tags.sign_class(state), tags.sign_word(state)) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [("09012345678", "090-1234-5678"), ("0123456789", "01-2345-6789"), ("0000-00-0000", "0000-00-0000")],
)
def test_phone_number_is_readable(given: str, shown: str) -> None:
    assert tags.phone(given) == shown


def test_icon_is_hidden_from_screen_readers() -> None:
    html = tags.icon("seat", "i-s")
    assert html.startswith(
        '<svg class="i i-s" aria-hidden="true" focusable="false"><use href="/static/img/icons'
    )
    assert html.endswith('#i-seat"/></svg>')


@pytest.mark.parametrize(
    ("here", "language", "there"),
    [
        ("/nowhere/?d=1", "en", "/en/nowhere/?d=1"),
        ("/en/nowhere/?d=1", "ja", "/nowhere/?d=1"),
        ("/en/nowhere/", "en", "/en/nowhere/"),
    ],
)
@override_settings(ROOT_URLCONF="tests.core.test_hidamari_tags")
def test_language_link_keeps_the_page_even_where_nothing_resolves(
    here: str, language: str, there: str
) -> None:
    context = Context({"request": RequestFactory().get(here)})
    assert tags.language_switch_url(context, language) == there


urlpatterns: list[object] = []
