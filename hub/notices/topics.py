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
class Topic:
    name: str
    kind: Kind
    compose: Compose


_topics: dict[str, Topic] = {}


def register(name: str, kind: Kind, compose: Compose) -> None:
    """Make ``name`` a topic; called once per topic when the apps are ready."""
    _topics[name] = Topic(name, kind, compose)


def topic(name: str) -> Topic:
    """The topic of this name. Raises KeyError for one that nobody registered."""
    return _topics[name]


def names() -> list[str]:
    return sorted(_topics)
