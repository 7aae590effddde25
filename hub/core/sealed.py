"""Sealed columns: AES-256-GCM, bound to table, row and column, with the key outside the database.

A value is ``version (1 byte) | key id (1 byte) | nonce (12 bytes) | ciphertext + tag``. The associated data
names table, row and column, so a value copied to another row or column does not open. Keys lie in
``DATA_DIR/keys/fields.json`` (``{"1": base64 of 32 bytes}``); the highest id seals, every id opens.
"""

import base64
import json
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any, overload

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

VERSION = 1


class SealError(Exception):
    """The key is missing or the value was moved or changed: nothing is shown (fail closed)."""


@cache
def _keys(path: Path) -> dict[int, bytes]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = json.dumps({"1": base64.b64encode(secrets.token_bytes(32)).decode()})
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass  # another process was first; its key is read below
        else:
            with os.fdopen(handle, "w") as file:
                file.write(fresh)
    return {int(number): base64.b64decode(key) for number, key in json.loads(path.read_text()).items()}


def _ring() -> dict[int, bytes]:
    return _keys(Path(settings.FIELD_KEYS))


def seal(text: str, *, table: str, row: str, column: str) -> bytes:
    """Encrypt ``text`` for exactly one cell."""
    ring = _ring()
    key_id = max(ring)
    nonce = secrets.token_bytes(12)
    body = AESGCM(ring[key_id]).encrypt(nonce, text.encode(), f"{table}|{row}|{column}".encode())
    return bytes([VERSION, key_id]) + nonce + body


def unseal(value: bytes, *, table: str, row: str, column: str) -> str:
    """The text of one cell. Raises `SealError` when the key is gone or the value belongs elsewhere."""
    value = bytes(value)
    if len(value) < 30 or value[0] != VERSION or value[1] not in _ring():
        raise SealError("sealed value cannot be opened")
    key, nonce, body = _ring()[value[1]], value[2:14], value[14:]
    try:
        return AESGCM(key).decrypt(nonce, body, f"{table}|{row}|{column}".encode()).decode()
    except InvalidTag:
        raise SealError("sealed value cannot be opened") from None


class Sealed:
    """A model attribute that reads and writes text through a sealed `BinaryField`, bound to ``instance.code``.

    >>> class Child(models.Model):
    ...     allergy_sealed = models.BinaryField(null=True)
    ...     allergy = Sealed("allergy_sealed")
    """

    def __init__(self, column: str) -> None:
        self.column = column

    @overload
    def __get__(self, instance: None, owner: type) -> "Sealed": ...
    @overload
    def __get__(self, instance: models.Model, owner: type) -> str: ...
    def __get__(self, instance: models.Model | None, owner: type) -> "Sealed | str":
        if instance is None:
            return self
        value = getattr(instance, self.column)
        return unseal(value, **self._cell(instance)) if value else ""

    def __set__(self, instance: models.Model, text: str) -> None:
        setattr(instance, self.column, seal(text, **self._cell(instance)) if text else None)

    def _cell(self, instance: Any) -> dict[str, str]:
        return {"table": instance._meta.db_table, "row": instance.code, "column": self.column}
