"""What notices are about: each app registers its topics (hub/wiring.py) with the function that writes their words.

The words are written twice: when it happens, for the list, and when a courier leaves, so that a mail never says what is
no longer so. No health word and no client's name stands in any of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.notices.enums import Kind


@dataclass(frozen=True)
class Message:
    """The words of a notice in the active language. ``title`` also fits a push (60 characters), ``text`` one more line.

    ``path`` is the page that it leads to, without a host. ``body`` is the whole mail (``text`` when empty) and
    ``attachments`` its files: name, content, MIME type.
    """

    title: str
    text: str = ""
    path: str = ""
    body: str = ""
    attachments: tuple[tuple[str, bytes, str], ...] = ()


#: Writes the words from a notice's ``data``; None when there is nothing (any more) to say.
Compose = Callable[[dict[str, Any]], Message | None]


@dataclass(frozen=True)
class Example:
    """The words of one case with made-up data, for staff who want to read what people get."""

    case: str
    message: Message


#: Writes one example per case of a topic, in the active language and without touching the database.
Examples = Callable[[], list[Example]]


@dataclass(frozen=True)
class Topic:
    name: str
    kind: Kind
    compose: Compose
    examples: Examples = list


_topics: dict[str, Topic] = {}


def register(name: str, kind: Kind, compose: Compose, examples: Examples = list) -> None:
    """Make ``name`` a topic; called once per topic when the apps are ready. ``examples`` fill the staff's preview page."""
    _topics[name] = Topic(name, kind, compose, examples)


def topic(name: str) -> Topic:
    """The topic of this name. Raises KeyError for one that nobody registered."""
    return _topics[name]


def everything() -> list[Topic]:
    """Every topic, by kind in the order of `Kind` and then by name."""
    order = list(Kind)
    return sorted(_topics.values(), key=lambda topic: (order.index(topic.kind), topic.name))


def kinds() -> list[Kind]:
    """The kinds of which there is a topic: only those can be chosen."""
    return [kind for kind in Kind if any(topic.kind == kind for topic in _topics.values())]
