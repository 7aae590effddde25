"""Today's pass of a member at a hub: made when it is first looked at, the same for the whole day."""

import secrets
from datetime import date

from django.db import IntegrityError, transaction

from hub.checkin import tokens
from hub.checkin.models import Pass
from hub.core.db import run_write
from hub.members.models import Member
from hub.spaces.models import Hub

TRIES = 20  # of a million fallback codes a hub uses a few hundred a day


def pass_for(*, member: Member, hub: Hub, day: date) -> Pass:
    """The pass of ``member`` at ``hub`` on the local ``day``, made if there is none yet."""
    found = Pass.objects.filter(member=member, hub=hub, day=day).first()
    return found or run_write(lambda: _make(member, hub, day))


def _make(member: Member, hub: Hub, day: date) -> Pass:
    for _try in range(TRIES):
        try:
            with transaction.atomic():
                return Pass.objects.create(
                    member=member, hub=hub, day=day, pass_id=secrets.randbelow(tokens.MAX_PASS_ID) + 1,
                    fallback=f"{secrets.randbelow(1_000_000):06}",
                )  # fmt: skip
        except (
            IntegrityError
        ):  # made by a second tab at the same moment, or the six digits are somebody else's
            found = Pass.objects.filter(member=member, hub=hub, day=day).first()
            if found is not None:
                return found
    raise RuntimeError("no free fallback code")


def token_of(row: Pass) -> str:
    """What the QR of ``row`` holds (`tokens`)."""
    return tokens.issue(hub=row.hub.slug, member=row.member.code, day=row.day, pass_id=row.pass_id)
