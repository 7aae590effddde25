"""What the QR of a pass holds: a versioned token signed by the hub's key (RFC 8032), and its strict reading.

``HP1:`` and base32 (RFC 4648) of ``version u8 | kid u16 | member u64 | day u16 | pass_id u64 | signature 64``, big-endian,
85 bytes, 140 characters of the QR's alphanumeric set. ``member`` is the public code as a number, ``day`` counts from 2000-01-01.
85 bytes fill base32 without spare bits, so one token has exactly one spelling. No name, no mail, no role is inside,
and no field chooses the algorithm.
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cryptography.exceptions import InvalidSignature

from hub.checkin import keys
from hub.core import clock
from hub.core.ids import ALPHABET, LENGTH

PREFIX = "HP1:"
VERSION = 1
DOMAIN = b"hidamari-pass/v1\0"
_BODY = struct.Struct(">BHQHQ")
_FIRST_DAY = date(2000, 1, 1)
TEXT_LENGTH = len(PREFIX) + (_BODY.size + 64) * 8 // 5
MAX_PASS_ID = 2**63 - 1


class Unreadable(Exception):
    """Not a pass of ours. ``reason``: ``unreadable``, ``unknown_key`` or ``bad_signature``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Claim:
    """What a verified token says."""

    hub: str  # slug, by the key that signed
    member: str  # public code
    day: date
    pass_id: int


def _number(code: str) -> int:
    value = 0
    for letter in code:
        value = value * 32 + ALPHABET.index(letter)
    return value


def _code(number: int) -> str:
    letters = [ALPHABET[number >> 5 * place & 31] for place in reversed(range(LENGTH))]
    return "".join(letters)


def issue(*, hub: str, member: str, day: date, pass_id: int) -> str:
    """The token's text. ``hub`` is the slug, ``member`` the public code."""
    key = keys.signing_key(hub)
    body = _BODY.pack(VERSION, key.kid, _number(member), (day - _FIRST_DAY).days, pass_id)
    return PREFIX + base64.b32encode(body + key.signer.sign(DOMAIN + body)).decode()


def read(text: str, *, now: datetime | None = None) -> Claim:
    """Verify ``text`` and say what it claims; whether the day is today is for the door. Raises `Unreadable`."""
    if len(text) != TEXT_LENGTH or not text.startswith(PREFIX):
        raise Unreadable("unreadable")
    try:
        raw = base64.b32decode(text[len(PREFIX) :])
    except (binascii.Error, ValueError):
        raise Unreadable("unreadable") from None
    body, signature = raw[: _BODY.size], raw[_BODY.size :]
    version, kid, member, day, pass_id = _BODY.unpack(body)
    if version != VERSION:
        raise Unreadable("unreadable")
    key = keys.ring().get(kid)
    if key is None or not key.verifies(now or clock.machine_now()):
        raise Unreadable("unknown_key")
    try:
        key.public.verify(signature, DOMAIN + body)
    except InvalidSignature:
        raise Unreadable("bad_signature") from None
    return Claim(key.hub, _code(member), _FIRST_DAY + timedelta(days=day), pass_id)
