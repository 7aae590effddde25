"""How a lower app tells an upper one: a short, explicit list of named events (subscribers: hub/wiring.py).

Each event becomes one task row per subscriber in the transaction of the change (invariant I9), so it is
neither lost nor sent for something that was rolled back.
"""

from collections import defaultdict
from typing import Any

from django.utils.module_loading import import_string

from hub.core import tasks
from hub.core.db import require_transaction

EVENTS = frozenset({"place_freed", "child_decided", "child_sick"})

_subscribers: dict[str, list[str]] = defaultdict(list)


def subscribe(event: str, handler: str) -> None:
    """Register ``handler`` (a dotted path to a function taking keyword arguments) for ``event``."""
    if event not in EVENTS:
        raise ValueError(f"unknown event {event!r}")
    import_string(handler)  # a wrong path fails at start, not at the first event
    if handler not in _subscribers[event]:
        _subscribers[event].append(handler)


def emit(event: str, **data: Any) -> None:
    """Tell the subscribers of ``event``; ``data`` must be JSON."""
    if event not in EVENTS:
        raise ValueError(f"unknown event {event!r}")
    require_transaction()
    for handler in _subscribers[event]:
        tasks.enqueue(handler, **data)
