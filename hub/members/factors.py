"""Second factors: passkeys, an authenticator app, spare codes. allauth keeps them; this is what it leaves to us.

A code of the app works once (RFC 6238 5.2) and wrong codes are counted (five in ten minutes), both in the row of the
factor: allauth does it in the cache, which one process does not share with the next.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from allauth.account.authentication import get_authentication_records
from allauth.core import context as current
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from hub.core import clock
from hub.core.db import require_transaction, run_write
from hub.core.errors import DomainError
from hub.core.ids import new_code
from hub.members import errors
from hub.members.models import Member

APP, PASSKEY, CODES = Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN, Authenticator.Type.RECOVERY_CODES
MOST_WRONG, WINDOW = 5, timedelta(minutes=10)  # security.md 2h
SHOWN_IN = ZoneInfo("Asia/Tokyo")  # days on わたし; a person has no zone of her own
#: What a person calls the thing in her hand, by what its browser says of itself. The order matters: Android says Linux.
DEVICES = ("iPhone", "iPad", "Android", "Windows", "Mac", "Linux")


# ---------------------------------------------------------------- who has what


def _shown(moment: datetime) -> datetime:
    return moment.astimezone(SHOWN_IN)


@dataclass(frozen=True)
class Passkey:
    """One row of the list. ``code`` stands in addresses instead of the row's number."""

    row: Authenticator

    @property
    def code(self) -> str:
        return salted_hmac("hub.members.passkey", str(self.row.pk), algorithm="sha256").hexdigest()[:16]

    @property
    def name(self) -> str:
        return str(self.row.data["name"])

    @property
    def made_on(self) -> datetime:
        return _shown(self.row.created_at)

    @property
    def used_on(self) -> datetime | None:
        used = self.row.last_used_at
        return _shown(used) if used else None


@dataclass(frozen=True)
class Factors:
    """Everything of one person: her passkeys, the app if she set one up, and how many spare codes are left."""

    passkeys: list[Passkey]
    app: Authenticator | None
    codes: Authenticator | None

    def __bool__(self) -> bool:
        return bool(self.passkeys or self.app)

    @property
    def is_last(self) -> bool:
        """Taking one away leaves nothing."""
        return len(self.passkeys) + (self.app is not None) == 1

    @property
    def app_used_on(self) -> datetime | None:
        used = self.app.last_used_at if self.app else None
        return _shown(used) if used else None

    @property
    def codes_left(self) -> int:
        return len(self.codes.wrap().get_unused_codes()) if self.codes else 0


def factors_of(member: Member) -> Factors:
    """What ``member`` set up, the oldest first. One query."""
    rows = list(Authenticator.objects.filter(user=member).order_by("created_at", "pk"))
    alone = {row.type: row for row in rows if row.type != PASSKEY}
    return Factors([Passkey(row) for row in rows if row.type == PASSKEY], alone.get(APP), alone.get(CODES))


def has_factor(member: Member) -> bool:
    """Whether ``member`` has a passkey or an app. Spare codes alone are none: they end with the last factor."""
    return bool(Authenticator.objects.filter(user=member, type__in=(APP, PASSKEY)).exists())


def passkey_of(member: Member, code: str) -> Passkey | None:
    """One of the member's own passkeys by its code; None for anybody else's."""
    return next((key for key in factors_of(member).passkeys if hmac.compare_digest(key.code, code)), None)


def passkey_name(member: Member, agent: str) -> str:
    """What a new passkey is called unless she says otherwise: iPhone, iPhone 2, ..."""
    device = next((name for name in DEVICES if name in agent), _("パスキー"))
    taken = {key.name for key in factors_of(member).passkeys}
    names = (device if n == 1 else f"{device} {n}" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


# ---------------------------------------------------------------- whether this session gave one


def note(member: Member, session: Any) -> None:
    """Keep on the member of this request whether its session gave a second factor. Reads the session, no table."""
    records = get_authentication_records(SimpleNamespace(session=session), member)
    member.gave_factor = any(record.get("method") == "mfa" for record in records)


def missing(member: Member) -> bool:
    """Whether staff rights wait for a second factor: required, asked by a session, and not given or gone since.

    A bearer token, a task and a command are no session (``gave_factor`` is None).
    """
    if not settings.STAFF_MFA_REQUIRED or member.gave_factor is None:
        return False
    if member.gave_factor and not has_factor(member):
        member.gave_factor = False  # taken away since; asked once per request
    return not member.gave_factor


# ---------------------------------------------------------------- codes


def step_of(secret: str, code: str) -> int | None:
    """The time step (RFC 6238: epoch seconds // 30) whose code this is, of those that count now; None if none."""
    steps = totp.yield_hotp_counters_from_time()
    return next(
        (s for s in steps if hmac.compare_digest(totp.format_hotp_value(totp.hotp_value(secret, s)), code)),
        None,
    )


def try_code(member: Member, code: str) -> Authenticator:
    """The factor that ``code`` (digits) belongs to, the app's or a spare one; it is used up by this.

    Raises `DomainError` ``wrong_code`` (422) or, after five wrong ones in ten minutes, ``too_many_codes`` (429),
    which says nothing about the code.
    """

    def work() -> Authenticator | DomainError:
        rows = Authenticator.objects.select_for_update().filter(user=member, type__in=(APP, CODES))
        found = {row.type: row for row in rows.order_by("pk")}
        app, codes = found.get(APP), found.get(CODES)
        ledger = app or codes
        if ledger is None:
            return errors.wrong_code()
        now = clock.machine_now().timestamp()
        wrong = [at for at in ledger.data.get("wrong", []) if at > now - WINDOW.total_seconds()]
        if len(wrong) >= MOST_WRONG:
            return errors.too_many_codes()
        used = app if app and _use_step(app, code) else None
        if used is None and codes and codes.wrap().validate_code(code):
            codes.refresh_from_db()  # it was marked on a row read anew
            used = codes
        ledger.data["wrong"] = [] if used else [*wrong, now]
        ledger.save(update_fields=["data"])
        if used is None:
            return errors.wrong_code()
        used.user = member
        return used

    answer = run_write(work)  # a refusal is returned, not raised: the count of wrong codes must stay
    if isinstance(answer, DomainError):
        raise answer
    return answer


def _use_step(app: Authenticator, code: str) -> bool:
    """Whether the code is one of now and of a later step than the last one used; then that step is used."""
    step = step_of(decrypt(app.data["secret"]), code)
    if step is None or step <= app.data.get("step", -1):
        return False
    app.data["step"] = step
    return True


def mark_step(app: Authenticator, step: int) -> None:
    """The code that set the app up is used too."""

    def work() -> None:
        row = Authenticator.objects.select_for_update().get(pk=app.pk)
        row.data["step"] = step
        row.save(update_fields=["data"])

    run_write(work)


def waiting_secret(*, fresh: bool) -> str:
    """The secret that is being set up. It waits in the session, which is a row too, so it is sealed there."""
    session = current.request.session
    kept = None if fresh else session.get(totp.SECRET_SESSION_KEY)
    if kept:
        return str(decrypt(kept))
    secret: str = totp.generate_totp_secret()
    session[totp.SECRET_SESSION_KEY] = encrypt(secret)
    return secret


# ---------------------------------------------------------------- writes


def rename(key: Passkey, name: str) -> None:
    """Call a passkey something else."""

    def work() -> None:
        row = Authenticator.objects.select_for_update().get(pk=key.row.pk)
        row.data["name"] = name
        row.save(update_fields=["data"])

    run_write(work)


def take_away_all(member: Member) -> int:
    """Remove every factor and end every session of ``member``, inside the caller's transaction.

    Returns how many factors there were (spare codes are not counted).
    """
    require_transaction()
    person = Member.objects.select_for_update().get(pk=member.pk)
    rows = Authenticator.objects.filter(user=person)
    count: int = rows.exclude(type=CODES).count()
    rows.delete()
    person.session_salt = new_code()
    person.save(update_fields=["session_salt"])
    return count


def session_facts(authenticator: Authenticator) -> Mapping[str, Any]:
    """What a session's record says of a factor, as allauth writes it."""
    return {"id": authenticator.pk, "type": str(authenticator.type)}
