"""A child who did not come: the hub asks and records it (RULE-12)."""

from datetime import time, timedelta

from django.utils.translation import gettext_lazy as _

from hub.childcare.custody import COMING, AlreadyInCare, open_custody
from hub.childcare.duty import check_right, tell
from hub.childcare.enums import ContactOutcome, PlaceStatus
from hub.childcare.models import AbsenceContact, CarePlace
from hub.core import clock
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.forms import nfkc
from hub.core.quarters import local
from hub.members.models import Member
from hub.spaces.models import Hub, Visit

#: RULE-12 (CFG): so long after the expected time somebody asks.
LATE_AFTER = timedelta(minutes=15)
DOUBLE_TAP = timedelta(seconds=10)


def record_contact(*, actor: Member, hub: Hub, child: str, outcome: str, note: str = "") -> AbsenceContact:
    """Somebody asked after a child who is booked today and not here; what came of it.

    Raises `DomainError` ``no_place`` (404), `AlreadyInCare`, ``outcome_missing`` (422). A double tap is one contact.
    """

    def work() -> AbsenceContact:
        check_right(actor, hub)
        now = clock.now()
        day = now.astimezone(hub.tz).date()
        start = local(day, time(0), hub.tz)
        rows = CarePlace.objects.filter(
            child__code=child, room__hub=hub, status=PlaceStatus.BOOKED, visit__status__in=COMING,
            starts_at__gte=start, starts_at__lt=start + timedelta(days=1),
        )  # fmt: skip
        # Who asks after a child at half past one means the place that began last.
        begun = rows.filter(starts_at__lte=now).order_by("-starts_at", "-pk")
        place = begun.select_related("child").first() or rows.order_by("starts_at").first()
        if place is None:
            raise DomainError("no_place", _("きょうの 預かりの 予約が ありません。"), 404)
        Visit.objects.select_for_update().get(pk=place.visit_id)
        if outcome not in ContactOutcome.values:
            raise DomainError("outcome_missing", _("どうだったかを えらんでください。"), 422, field="outcome")
        inside = open_custody(place.child)
        if inside is not None:
            raise AlreadyInCare(inside)
        same = AbsenceContact.objects.filter(
            place=place, contacted_by=actor, outcome=outcome, contacted_at__gt=now - DOUBLE_TAP
        ).first()
        if same is not None:
            return same
        made = AbsenceContact.objects.create(
            place=place, contacted_at=now, contacted_by=actor, outcome=outcome, note=nfkc(note)[:200]
        )
        tell(hub, place.child)
        return made

    return run_write(work)
