"""Writes of people and households. Each function opens its own transaction unless it says otherwise."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from allauth.account.models import EmailAddress
from django.db import IntegrityError
from django.db.models import QuerySet

from hub.core import clock, live
from hub.core.db import require_transaction, run_write, violated
from hub.core.forms import nfkc
from hub.core.ids import new_code
from hub.members import errors
from hub.members.models import Guardian, Household, HouseholdInvitation, Member, PickupAdult
from hub.members.tokens import hash_of, new_secret

T = TypeVar("T")
INVITATION_LIFE = timedelta(days=7)
MAX_PICKUP_ADULTS = 10


def furigana(text: str) -> str:
    """Furigana as we store and search it: hiragana, NFKC (half-width katakana too), single spaces."""
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" or c in "ヽヾ" else c for c in nfkc(text))


# ---------------------------------------------------------------- members


def create_member(
    *, email: str | None = None, password: str | None = None, name: str = "", kana: str = "", **fields: Any
) -> Member:
    """A member made by staff or a command; ``email`` may be None (staff book for her).

    An address given here counts as verified, so that she can sign in by code at once. Other ``fields`` are those
    of the model (phone, language, is_demo, ...). Raises `DomainError` ``email_taken``.
    """
    return run_write(lambda: add_member(email=email, password=password, name=name, kana=kana, **fields))


def add_member(
    *, email: str | None = None, password: str | None = None, name: str = "", kana: str = "", **fields: Any
) -> Member:
    """`create_member` inside the caller's transaction."""
    require_transaction()
    address = Member.objects.normalize(email)
    taken = EmailAddress.objects.filter(email=address) if address else EmailAddress.objects.none()
    if address and (taken.exists() or Member.objects.filter(email=address).exists()):
        raise errors.email_taken()
    member = Member.objects.create_user(address, password, name=nfkc(name), kana=furigana(kana), **fields)
    if address:
        EmailAddress.objects.create(user=member, email=address, verified=True, primary=True)
    return member


def update_profile(member: Member, *, name: str, kana: str, phone: str, language: str) -> Member:
    """What a person keeps about herself on わたし."""

    def work() -> Member:
        fresh = Member.objects.select_for_update().get(pk=member.pk)
        fresh.name, fresh.kana, fresh.phone, fresh.language = nfkc(name), furigana(kana), phone, language
        fresh.save(update_fields=["name", "kana", "phone", "language"])
        return fresh

    return run_write(work)


def sign_out_everywhere(member: Member) -> Member:
    """End every session of ``member``: each carries a hash that the new salt no longer fits.

    The page that asked keeps its own session by `django.contrib.auth.update_session_auth_hash` with the result.
    """

    def work() -> Member:
        fresh = Member.objects.select_for_update().get(pk=member.pk)
        fresh.session_salt = new_code()
        fresh.save(update_fields=["session_salt"])
        live.recheck(fresh.code)
        return fresh

    return run_write(work)


# ---------------------------------------------------------------- households


def household_of_or_new(member: Member) -> Household:
    """The oldest household that ``member`` guards, or a new one. Inside the caller's transaction."""
    require_transaction()
    Member.objects.select_for_update().get(pk=member.pk)  # two taps at once make one household
    guardian = (
        Guardian.objects.filter(member=member)
        .select_related("household")
        .order_by("created_at", "pk")
        .first()
    )
    if guardian is not None:
        return guardian.household
    household = Household.objects.create()
    Guardian.objects.create(household=household, member=member)
    return household


def invite_guardian(household: Household, *, by: Member) -> tuple[HouseholdInvitation, str]:
    """A link for a second guardian: works once, for 7 days. Returns the row and the secret, shown once.

    A household has one open link at a time: a new one ends the one before.
    """

    def work() -> tuple[HouseholdInvitation, str]:
        now = clock.machine_now()
        Household.objects.select_for_update().get(pk=household.pk)
        _open_invitations(household).update(revoked_at=now)
        secret = new_secret()
        row = HouseholdInvitation.objects.create(
            household=household, token_hash=hash_of(secret), invited_by=by, expires_at=now + INVITATION_LIFE
        )
        return row, secret

    return run_write(work)


def new_household_invitation(member: Member) -> tuple[HouseholdInvitation, str]:
    """`invite_guardian` for somebody who may not have a household yet."""
    household = run_write(lambda: household_of_or_new(member))
    return invite_guardian(household, by=member)


def revoke_invitations(household: Household) -> int:
    """End the household's open link; returns how many there were (0 or 1)."""
    return run_write(lambda: _open_invitations(household).update(revoked_at=clock.machine_now()))


def _open_invitations(household: Household) -> QuerySet[HouseholdInvitation]:
    return HouseholdInvitation.objects.filter(household=household, used_at=None, revoked_at=None)


def open_invitation(secret: str) -> HouseholdInvitation:
    """The invitation behind a link. Raises `DomainError` ``invitation_gone`` (410): unknown, used, ended or too old."""
    rows = HouseholdInvitation.objects.select_related("household", "invited_by")
    row = rows.filter(token_hash=hash_of(secret), used_at=None, revoked_at=None).first()
    if row is None or row.expires_at <= clock.machine_now() or not _still_guards(row):
        raise errors.invitation_gone()
    return row


def _still_guards(row: HouseholdInvitation) -> bool:
    """A link of somebody who left the household, or whose account is gone, opens nothing."""
    return (
        row.invited_by.is_active
        and Guardian.objects.filter(household_id=row.household_id, member_id=row.invited_by_id).exists()
    )


def accept_invitation(secret: str, *, member: Member) -> Household:
    """``member`` becomes a guardian of the household, and the link is used up.

    Raises `DomainError` ``invitation_gone``, ``own_invitation``, ``already_guardian``.
    """

    def work() -> Household:
        row = open_invitation(secret)
        if row.invited_by_id == member.pk:
            raise errors.own_invitation()
        if Guardian.objects.filter(household_id=row.household_id, member=member).exists():
            raise errors.already_guardian()
        # The condition in the UPDATE lets exactly one of two people win the same link.
        used = HouseholdInvitation.objects.filter(pk=row.pk, used_at=None, revoked_at=None).update(
            used_at=clock.machine_now(), used_by=member
        )
        if not used:
            raise errors.invitation_gone()
        Guardian.objects.create(household_id=row.household_id, member=member)
        return row.household

    return _once(work)


def _once(work: Callable[[], T]) -> T:
    """Two taps at once: the second meets the unique constraint and is told that it is done already."""
    try:
        return run_write(work)
    except IntegrityError as error:
        columns = "members_guardian.household_id, members_guardian.member_id"
        if violated(error, twice=("guardian_once", columns)):
            raise errors.already_guardian() from None
        raise


def add_pickup_adult(household: Household, *, name: str, kana: str, relation: str, phone: str) -> PickupAdult:
    """Somebody who may only fetch the children (RULE-11). Raises `DomainError` ``too_many_pickup``."""

    def work() -> PickupAdult:
        Household.objects.select_for_update().get(pk=household.pk)
        if household.pickup_adults.filter(ended_at=None).count() >= MAX_PICKUP_ADULTS:
            raise errors.too_many("pickup")
        return PickupAdult.objects.create(
            household=household, name=nfkc(name), kana=furigana(kana), relation=nfkc(relation), phone=phone
        )

    return run_write(work)


def end_pickup_adult(household: Household, code: str) -> bool:
    """From now on this adult may not fetch the children. False if the household has nobody of this code."""
    rows = household.pickup_adults.filter(code=code, ended_at=None)
    return run_write(lambda: rows.update(ended_at=clock.now())) == 1
