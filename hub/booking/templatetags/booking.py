"""Filters of the pages that show hubs, visits and times."""

from datetime import time
from typing import Any

from django import template
from django.utils.translation import get_language

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
    return (english and getattr(thing, f"{field}_en", "")) or getattr(thing, field)


@register.filter
def grouped(code: str) -> str:
    """A booking's number in two groups, easier to read aloud: 7K2MQ-4XRTA."""
    return f"{code[:5]}-{code[5:]}" if len(code) == 10 else code


@register.filter
def hhmm(at: time | None) -> str:
    """09:30, the value of an option."""
    return "" if at is None else f"{at:%H:%M}"
