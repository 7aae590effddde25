"""Template tags and filters of the whole site: icons, the language link, Japanese dates and times.

The date and time filters take values already in the hub's zone; none of them converts or reads the clock.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template import Context
from django.templatetags.static import static
from django.urls import translate_url
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from hub.core import forms

register = template.Library()

_JA_DAYS = "月火水木金土日"
_EN_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EN_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _english() -> bool:
    return (get_language() or "").startswith("en")


# ---------------------------------------------------------------- files and settings


@register.simple_tag
def asset(path: str) -> str:
    """The URL of a static file; where the manifest lacks it, the plain address, so that an error page never fails."""
    try:
        return static(path)
    except ValueError:
        return f"{settings.STATIC_URL}{path}"


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """An icon of `static/img/icons.svg`, hidden from screen readers: a word always stands beside it.

    `extra` is more classes: `i-s` small, `i-l` large, `go` for the arrow of a list row.
    """
    return format_html(
        '<svg class="i{}" aria-hidden="true" focusable="false"><use href="{}#i-{}"/></svg>',
        f" {extra}" if extra else "",
        asset("img/icons.svg"),
        name,
    )


@register.simple_tag
def product_name() -> str:
    """The product's name from settings: for pages that are drawn without a context (500, 503)."""
    return str(getattr(settings, "PRODUCT_NAME", "ひだまり"))


@register.simple_tag
def help_phone() -> str:
    """The telephone number from settings, empty if there is none: for pages drawn without a context."""
    return str(getattr(settings, "HELP_PHONE", ""))


@register.filter
def tel(number: object) -> str:
    """The digits of a telephone number for a `tel:` link."""
    return "".join(c for c in str(number) if c.isdigit() or c == "+")


@register.filter
def phone(number: object) -> str:
    """Ten or eleven stored digits with hyphens for reading; anything else unchanged."""
    digits = str(number)
    if not digits.isdigit() or len(digits) not in (10, 11):
        return digits
    return f"{digits[:-8]}-{digits[-8:-4]}-{digits[-4:]}"


# ---------------------------------------------------------------- language


@register.simple_tag(takes_context=True)
def language_switch_url(context: Context, language: str) -> str:
    """The address of this same page, query included, in the other language (`ja` has no prefix, `en` has /en/)."""
    request: HttpRequest | None = context.get("request")
    if request is None:
        return "/en/" if language == "en" else "/"
    here = request.get_full_path()
    there = translate_url(here, language)
    if there != here:
        return there
    # A page whose address does not resolve (404) or that is outside i18n_patterns.
    if language == "en":
        return here if here.startswith("/en/") else f"/en{here}"
    return here[3:] if here.startswith("/en/") else here


# ---------------------------------------------------------------- dates and times


@register.filter
def jdate(value: date | None) -> str:
    """12月9日（水）, in English Wed 9 Dec."""
    if value is None:
        return ""
    if _english():
        return f"{_EN_DAYS[value.weekday()]} {value.day} {_EN_MONTHS[value.month - 1]}"
    return f"{value.month}月{value.day}日（{_JA_DAYS[value.weekday()]}）"


@register.filter
def jdate_long(value: date | None) -> str:
    """2026年12月9日（水）, in English Wed 9 Dec 2026."""
    if value is None:
        return ""
    return f"{jdate(value)} {value.year}" if _english() else f"{value.year}年{jdate(value)}"


@register.filter
def jday(value: date | None) -> str:
    """The day of the week alone: 水, in English Wed."""
    if value is None:
        return ""
    return _EN_DAYS[value.weekday()] if _english() else _JA_DAYS[value.weekday()]


@register.filter
def jmonth(value: date | None) -> str:
    """12月, in English Dec."""
    if value is None:
        return ""
    return _EN_MONTHS[value.month - 1] if _english() else f"{value.month}月"


@register.filter
def jtime(value: datetime | time | None) -> str:
    """9:30: hour without a leading zero, 24 hours."""
    return "" if value is None else f"{value.hour}:{value.minute:02}"


@register.filter
def period(start: datetime | time | None, end: datetime | time | None) -> str:
    """`{{ start|period:end }}`: 9:30 – 12:30."""
    return f"{jtime(start)} – {jtime(end)}"


@register.filter
def duration(value: timedelta | None) -> str:
    """3時間, 2時間30分, 45分, in words of the language."""
    if value is None:
        return ""
    hours, minutes = divmod(int(value.total_seconds()) // 60, 60)
    parts = []
    if hours:
        parts.append(ngettext("%(n)s時間", "%(n)s時間", hours) % {"n": hours})
    if minutes or not hours:
        parts.append(ngettext("%(n)s分", "%(n)s分", minutes) % {"n": minutes})
    return (" " if _english() else "").join(parts)


@register.filter
def wareki(value: date | None) -> str:
    """The Japanese era year: 令和8年; empty without a date."""
    return "" if value is None else forms.wareki(value)


# ---------------------------------------------------------------- words for children and places


@register.filter
def age_label(age: int | None) -> str:
    """4さい; in English 4 years old."""
    return "" if age is None else gettext("%(age)sさい") % {"age": age}


@register.filter
def class_label(age_class: int | str | None) -> str:
    """The age class of the ratio tables in words: 0さい児, 1・2さい児, 3さい児, 4・5さい児."""
    words = {
        "0": gettext("0さい児"),
        "1": gettext("1さい児"),
        "2": gettext("2さい児"),
        "12": gettext("1・2さい児"),
        "3": gettext("3さい児"),
        "4": gettext("4さい児"),
        "5": gettext("5さい児"),
        "45": gettext("4・5さい児"),
    }
    return words.get(str(age_class).removeprefix("n"), "")


@register.filter
def sign(state: str) -> str:
    """The mark people here read: ○ free, △ few left, × full, 休 closed, － not open yet. A word stands beside it."""
    closed = "—" if _english() else "休"
    return {"free": "○", "few": "△", "full": "×", "closed": closed}.get(state, "－")


@register.filter
def sign_class(state: str) -> str:
    """The CSS class of a state: empty for free, `few`, `full`, `off`."""
    return {"free": "", "few": "few", "full": "full"}.get(state, "off")


@register.filter
def sign_word(state: str) -> str:
    """The word of a state, read aloud where the mark is shown."""
    words = {
        "free": gettext("空きあり"),
        "few": gettext("のこり少し"),
        "full": gettext("いっぱい"),
        "closed": gettext("お休み"),
    }
    return words.get(state, gettext("まだ えらべません"))


@register.filter
def thousands(number: int | None) -> str:
    """12,000: digits in threes, in both languages."""
    return "" if number is None else f"{number:,}"


@register.filter
def initial(name: object) -> str:
    """The first character of a name, for the round picture."""
    return str(name)[:1]


@register.filter
def ava(index: Any) -> str:
    """A colour class for the n-th round picture, so that two children are told apart: ``, a4, a3, a5, a2."""
    return ("", "a4", "a3", "a5", "a2")[int(index) % 5]


@register.filter
def tries(errors: Any) -> int:
    """How many messages stand in a form's errors (field errors and those of the whole form)."""
    return sum(len(messages) for messages in errors.values()) if errors else 0
