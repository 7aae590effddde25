"""The Ed25519 keys that sign passes: one ring per installation under DATA_DIR, each key of one hub.

``DATA_DIR/keys/passes.json`` holds ``{kid: {hub, private, made_at, retired_at}}``; a hub's first key is made when it
is first needed. Doors need public keys only. A key that was rotated out still verifies for `OVERLAP`, since phones
hold passes of the days to come; one that was stolen is revoked and verifies nothing from then on.
"""

import base64
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from hub.core import clock

OVERLAP = timedelta(days=14)


@dataclass(frozen=True)
class PassKey:
    """One key: ``kid`` stands in the token, ``hub`` is the slug whose passes it signs. Times are ISO 8601."""

    kid: int
    hub: str
    private: str
    made_at: str
    retired_at: str | None = None
    is_revoked: bool = False

    @cached_property  # made once for as long as the file stays as it is: each QR asks
    def signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.private))

    @cached_property
    def public(self) -> Ed25519PublicKey:
        return self.signer.public_key()

    def verifies(self, now: datetime) -> bool:
        """Whether passes of this key still hold at ``now``."""
        if self.is_revoked:
            return False
        return self.retired_at is None or now <= datetime.fromisoformat(self.retired_at) + OVERLAP


Ring = dict[int, PassKey]
_read: tuple[tuple[str, int, int], Ring] | None = None  # (path, mtime and size of the file; its keys)


def _path() -> Path:
    return Path(settings.PASS_KEYS)


def ring() -> Ring:
    """Every key, read anew when the file has changed (another process may have rotated)."""
    global _read
    try:
        stat = _path().stat()
    except FileNotFoundError:
        return {}
    stamp = (str(_path()), stat.st_mtime_ns, stat.st_size)
    if _read is None or _read[0] != stamp:
        rows = json.loads(_path().read_text())
        _read = (stamp, {int(kid): PassKey(int(kid), **row) for kid, row in rows.items()})
    return _read[1]


@contextmanager
def _locked() -> Iterator[None]:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _change(change: Callable[[Ring], None]) -> None:
    """Change the file whole: a new one beside it, then renamed, readable by its owner only."""
    fresh = dict(ring())
    change(fresh)
    rows = {
        str(kid): {name: value for name, value in asdict(key).items() if name != "kid"}
        for kid, key in fresh.items()
    }
    beside = _path().with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(rows, file, indent=1)
    beside.replace(_path())


def _new(keys: Ring, hub: str) -> PassKey:
    kid = max(keys, default=0) + 1
    private = base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
    return PassKey(kid, hub, private, clock.machine_now().isoformat())


def _current(keys: Ring, hub: str) -> PassKey | None:
    live = [key for key in keys.values() if key.hub == hub and key.retired_at is None]
    return max(live, key=lambda key: key.kid, default=None)


def signing_key(hub: str) -> PassKey:
    """The key that signs passes of the hub with this slug; made on the first call."""
    found = _current(ring(), hub)
    if found is not None:
        return found
    with _locked():
        if _current(ring(), hub) is None:
            _change(lambda keys: keys.__setitem__((made := _new(keys, hub)).kid, made))
    key = _current(ring(), hub)
    assert key is not None
    return key


def rotate(hub: str, *, revoke: bool = False) -> PassKey:
    """A new key for ``hub``. The old ones verify for `OVERLAP` more, or not at all when they were stolen."""
    now = clock.machine_now().isoformat()

    def change(keys: Ring) -> None:
        for kid, key in list(keys.items()):
            if key.hub == hub:
                keys[kid] = replace(
                    key, retired_at=key.retired_at or now, is_revoked=key.is_revoked or revoke
                )
        made = _new(keys, hub)
        keys[made.kid] = made

    with _locked():
        _change(change)
    return signing_key(hub)
