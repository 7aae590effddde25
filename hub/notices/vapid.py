"""The key pair with which this installation signs what it pushes (RFC 8292), made when it is first needed.

``DATA_DIR/keys/push.json`` (`settings.PUSH_KEYS`) holds ``{private, made_at}``, readable by its owner only. Browsers
subscribe with the public half; should the file be lost, each subscribes anew when its owner next opens a page.
"""

import base64
import json
import os
import secrets
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid02

from hub.core import clock

HOLDS = timedelta(hours=12)  # a signature; RFC 8292 allows 24
_read: tuple[tuple[str, int, int], Vapid02] | None = None  # (path, mtime and size of the file; its key)


def _text(raw: bytes) -> str:
    """Base64 for URLs without padding, as browsers write keys."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _make(path: Path) -> None:
    """Write the file whole beside its place, then link it there: the first process wins, and nobody reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big")
    row = {"private": _text(secret), "made_at": clock.machine_now().isoformat()}
    beside = path.with_suffix(f".{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(row, file)
    try:
        os.link(beside, path)
    except FileExistsError:
        pass  # another process was first; its key is read below
    finally:
        beside.unlink()


def _key() -> Vapid02:
    global _read
    path = Path(settings.PUSH_KEYS)
    if not path.exists():
        _make(path)
    stat = path.stat()
    stamp = (str(path), stat.st_mtime_ns, stat.st_size)
    if _read is None or _read[0] != stamp:
        _read = (stamp, Vapid02.from_raw(json.loads(path.read_text())["private"].encode()))
    return _read[1]


def public_key() -> str:
    """What a browser subscribes with: the uncompressed point of P-256 (65 bytes) in base64 for URLs."""
    return _text(_key().public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def contact() -> str:
    """Whom a push service may write to: the site itself, since Apple refuses what is no real address."""
    if settings.SITE_URL.startswith("https://"):
        return str(settings.SITE_URL)
    return f"mailto:{settings.DEFAULT_FROM_EMAIL}"


def authorization(origin: str) -> str:
    """The header by which the push service at ``origin`` knows us."""
    until = clock.machine_now() + HOLDS
    claims = {"aud": origin, "exp": int(until.timestamp()), "sub": contact()}
    return str(_key().sign(claims)["Authorization"])
