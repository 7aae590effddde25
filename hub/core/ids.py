"""Public ids: short random codes in Crockford base32, so that integer keys never leave the server."""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10
_TYPED = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V", "-": None, " ": None})


def new_code() -> str:
    """A random code of 10 characters (50 bits). The database's unique index answers the rare clash."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normalise(typed: str) -> str:
    """What a person meant who typed a code by hand: upper case, O as 0, I and L as 1, no hyphens."""
    return typed.strip().upper().translate(_TYPED)
