"""Filters of the pages that show hubs, visits and times."""

from datetime import datetime, time, tzinfo
from typing import Any

from django import template
from django.utils.translation import get_language, gettext

register = template.Library()


@register.filter
def named(thing: Any) -> str:
    """The name of a hub, zone or room in the page's language; the Japanese one where no other was given."""
    english = (get_language() or "").startswith("en")
    return (getattr(thing, "name_en", "") or thing.name) if english else str(thing.name)


@register.filter
def in_language(thing: Any, field: str) -> str:
    """A text column of ``thing`` in the page's language: ``hub|in_language:"access"``."""
    english = (get_language() or "").startswith("en")
    other = getattr(thing, f"{field}_en", "") if english else ""
    return str(other or getattr(thing, field))


@register.filter
def grouped(code: str) -> str:
    """A booking's number in two groups, easier to read aloud: 7K2MQ-4XRTA."""
    return f"{code[:5]}-{code[5:]}" if len(code) == 10 else code


@register.filter
def hhmm(at: datetime | time | None) -> str:
    """09:30, the value of an option; unlike `date` it leaves a moment in its own zone."""
    return "" if at is None else f"{at:%H:%M}"


@register.filter
def class_word(age_class: int) -> str:
    """The class of a child as the room counts it: 4さい児クラス. By 1 April, so it may differ from the age (RULE-01)."""
    return gettext("%(age)sさい児クラス") % {"age": age_class} if age_class < 6 else gettext("小学生")


@register.filter
def iso(at: datetime) -> str:
    """2026-12-09T09:30 in the moment's own zone, for `<time datetime>`."""
    return f"{at:%Y-%m-%dT%H:%M}"


@register.filter
def class_short(age_class: int) -> str:
    """The same beside a name: 4さい児."""
    return gettext("%(age)sさい児") % {"age": age_class}


@register.filter
def in_zone(at: datetime, tz: tzinfo) -> datetime:
    """A stored moment on the wall clock of ``tz``: ``presence.entered_at|in_zone:tz|jtime``."""
    return at.astimezone(tz)
