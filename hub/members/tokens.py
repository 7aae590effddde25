"""Bearer tokens of the API, and the other secrets that are shown once and stored as a hash.

A token holds 256 random bits, so a plain SHA-256 is enough: there is no dictionary to try. Looking it up by the
hash takes the same time for every guess, since a guess decides nothing about how far the index is read.
"""

import hashlib
import secrets
from datetime import UTC

from hub.core import clock
from hub.core.db import run_write
from hub.members import errors
from hub.members.models import ApiToken, Member

PREFIX = "hdm_"  # lets a person, or a secret scanner, see what this string is
MAX_TOKENS = 10  # of those a person makes on the page


def new_secret() -> str:
    """256 random bits as text that is safe in a URL."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_token(member: Member, label: str, *, most: int | None = None) -> tuple[ApiToken, str]:
    """Make a token; the text is returned here once and never again.

    ``most``: how many working tokens the member may then have. Raises `DomainError` ``too_many_tokens`` (409).
    """

    def work() -> tuple[ApiToken, str]:
        Member.objects.select_for_update().get(pk=member.pk)  # two taps at once count one after the other
        if most is not None and member.api_tokens.filter(revoked_at=None).count() >= most:
            raise errors.too_many("tokens")
        raw = PREFIX + new_secret()
        return ApiToken.objects.create(member=member, token_hash=hash_of(raw), label=label[:60]), raw

    return run_write(work)


def member_for_token(raw: str) -> Member | None:
    """Whose token this is; None if unknown, revoked, or the member is not active.

    One query. The day of last use is written at most once a day, so a busy client costs one write a day.
    """
    if not raw.startswith(PREFIX) or len(raw) > 100:
        return None
    token = ApiToken.objects.select_related("member").filter(token_hash=hash_of(raw), revoked_at=None).first()
    if token is None or not token.member.is_active or token.member.erased_at is not None:
        return None
    today = clock.today(UTC)
    if token.last_used_on != today:
        run_write(lambda: ApiToken.objects.filter(pk=token.pk).update(last_used_on=today))
    return token.member


def revoke_token(member: Member, code: str) -> bool:
    """End one of the member's own tokens. False if there is none of this code (a stranger's, or ended before)."""
    rows = ApiToken.objects.filter(member=member, code=code, revoked_at=None)
    return run_write(lambda: rows.update(revoked_at=clock.machine_now())) == 1
