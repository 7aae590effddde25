"""A double tap or a retried request has one effect (invariant I5)."""

import hashlib
import json
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.db import require_transaction
from hub.core.errors import DomainError
from hub.core.models import IdempotencyKey

KEEP_HOURS = 72
MAX_LENGTH = 255

#: Says by its row count whether the key was free: one statement, where the ORM would need a second look.
_INSERT = """
INSERT INTO core_idempotencykey (actor, key, request_hash, created_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (actor, key) DO NOTHING
"""


def fingerprint(route: str, body: Any) -> str:
    """A hash of what was asked: the same key with another body is an error, not a repeat."""
    text = json.dumps([route, body], sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def claim(actor: int, key: str, request_hash: str) -> Any | None:
    """Take the key for this transaction, or return the stored answer of the first one.

    The row is inserted before the work: on PostgreSQL a second request waits here for the first to commit, so
    it replays instead of meeting the first one's own claims. Raises `DomainError` ``key_reused`` (422).
    """
    require_transaction()
    if not (1 <= len(key) <= MAX_LENGTH and key.isascii() and key.isprintable()):
        raise DomainError(
            "key_invalid", _("この 申しこみの 番号が 読めません。もう一度 はじめから お願いします。"), 422
        )
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [actor, key, request_hash, clock.machine_now()])
        if cursor.rowcount == 1:
            return None
    stored = IdempotencyKey.objects.get(actor=actor, key=key)
    if stored.request_hash != request_hash:
        raise DomainError(
            "key_reused", _("同じ 番号で 別の 申しこみが ありました。ページを 開き直してください。"), 422
        )
    return stored.answer


def store(actor: int, key: str, answer: Any) -> None:
    """Keep the answer of a success, in the transaction of the work."""
    require_transaction()
    IdempotencyKey.objects.filter(actor=actor, key=key).update(answer=answer)
