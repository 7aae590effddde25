"""The texts that scripts/messages.py collects are those that Django looks up when a page is rendered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from django.template import Context, Engine
from django.utils import translation

from scripts import messages

TEMPLATE = """\
{% load i18n %}
<h1>{% translate "ひだまり" %}</h1>
  <p>{% translate '無料 100%' %}</p>
    {% translate "席" context "coworking" %}
{% translate "予約" as label %}{{ label }}
<p>{{ _("保育") }} {{ missing|default:_("なし") }}</p>
{# Translators: a comment #}
{% blocktranslate %}50% の 席、{{ name }}さん{% endblocktranslate %}
  {% blocktranslate trimmed %}
    きょうは
    {{ name }}さんの 日です (100%)
  {% endblocktranslate %}
{% blocktranslate with who=name count counter=n %}{{ who }}さんと こども{% plural %}{{ who }}さんと {{ counter }}人{% endblocktranslate %}
{% blocktranslate count counter=n context "children" trimmed %}
  ひとり
{% plural %}
  {{ counter }}人
{% endblocktranslate %}
{% comment %}{% translate "使わない" %}{% endcomment %}
"""


class Recorder:
    """Stands in for Django's catalogue and notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: set[tuple[str | tuple[str, str], str | None]] = set()

    def gettext(self, text: str) -> str:
        self.asked.add((text, None))
        return text

    def pgettext(self, context: str, text: str) -> str:
        self.asked.add((text, context))
        return text

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        self.asked.add(((singular, plural), None))
        return plural

    def npgettext(self, context: str, singular: str, plural: str, number: int) -> str:
        self.asked.add(((singular, plural), context))
        return plural


def test_templates_extracted_as_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    for name in ("gettext", "pgettext", "ngettext", "npgettext"):
        monkeypatch.setattr(translation._trans, name, getattr(recorder, name))
    engine = Engine(libraries={"i18n": "django.templatetags.i18n"})
    html = engine.from_string(TEMPLATE).render(Context({"name": "美咲", "n": 3}))

    assert set(messages.extract_template(TEMPLATE)) == recorder.asked
    assert "無料 100%</p>" in html
    assert "きょうは 美咲さんの 日です (100%)" in html


def test_python_extracted_with_context_and_plural() -> None:
    source = """
from django.utils.translation import gettext as _, ngettext_lazy, pgettext, npgettext
a = _("席が "
      "いっぱいです")
b = ngettext_lazy("%(n)d人", "%(n)d人たち", "n")
c = pgettext("coworking", "席")
d = npgettext("children", "ひとり", "みんな", len(x)) % {"n": 1}
e = _(variable)
f = cond(_("はい")) if y else _("いいえ")
"""
    assert list(messages.extract_source(source)) == [
        ("席が いっぱいです", None),
        (("%(n)d人", "%(n)d人たち"), None),
        ("席", "coworking"),
        (("ひとり", "みんな"), "children"),
        ("はい", None),
        ("いいえ", None),
    ]


@pytest.fixture
def english(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A catalogue folder in which TEMPLATE is translated."""
    catalogue = Catalog()
    for msgid, context in messages.extract_template(TEMPLATE):
        catalogue.add(msgid, context=context)
    catalogue["きょうは %(name)sさんの 日です (100%%)"].string = "It is %(name)s's day (100%%)"
    catalogue["無料 100%%"].string = "100%% free"
    folder = tmp_path / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, catalogue)
    settings.LOCALE_PATHS = [tmp_path]
    translation.trans_real._translations.clear()
    with translation.override("en"):
        yield tmp_path
    translation.trans_real._translations.clear()


def test_compiled_catalogue_is_what_the_page_shows(english: Path) -> None:
    engine = Engine(libraries={"i18n": "django.templatetags.i18n"})
    html = engine.from_string(TEMPLATE).render(Context({"name": "Misaki", "n": 3}))

    assert "It is Misaki's day (100%)" in html
    assert "<p>100% free</p>" in html


def entry(msgid: str | tuple[str, str], msgstr: str | tuple[str, str]) -> Message:
    return Message(msgid, msgstr)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (entry("%(n)s人", "%(n)s people"), []),
        (entry("%(n)s人", "people"), ["n is missing"]),
        (entry("%(n)s人", "%(n)s of %(m)s"), ["m is not in the original"]),
        (entry("{name}さん", "Ms {nmae}"), ["nmae is not in the original", "name is missing"]),
        (entry(("%(n)s人", "%(n)s人"), ("one person", "%(n)s people")), []),
        (entry(("%(n)s人", "%(n)s人"), ("one person", "people")), ["n is missing"]),
        (entry("%s席", "seat"), ["%s or %d differ"]),
        (entry("%(n)s%%", "%(n)s% of"), ["a % that is not doubled"]),
    ],
)
def test_placeholder_faults_named(message: Message, expected: list[str]) -> None:
    assert list(messages.placeholder_faults(message)) == expected


def test_gaps_named() -> None:
    catalogue = Catalog()
    for msgid in ("席", "予約", "保育"):
        catalogue.add(msgid)
    known = {
        ("席", None): entry("席", "Seat"),
        ("予約", None): entry("予約", ""),
        ("古い", None): entry("古い", "Old"),
    }

    assert messages.faults(catalogue, known) == [
        "not in the catalogue: 保育",
        "not translated: 予約",
        "no longer used: 古い",
    ]


def test_japanese_outside_the_tags_named() -> None:
    source = '<p>{% translate "席" %}</p>\n{# 注 #}\n<p>\n  予約\n</p>{% blocktranslate %}保育{% endblocktranslate %}'
    assert list(messages.untranslatable(source)) == [(4, "予約")]


def test_python_texts_that_cannot_be_translated_named() -> None:
    source = '''"""説明です。"""
a = _(f"{n}人")
b = _("%s人" % n)
c = _("%s人です。") % n
d = DomainError("x", "いっぱいです。")
'''
    assert list(messages.python_faults(source)) == [
        (2, "formatted before translation"),
        (3, "formatted before translation"),
        (5, "outside gettext: いっぱいです。"),
    ]
