"""Nobody came: after a grace the desk may give the seat and the children's places on to somebody else.

Whoever scans at the same moment decides together with us over the visit's row: one of the two comes first, and the
other then sees what it did (docs/desk-day.md).
"""

from datetime import timedelta

from django.utils.translation import gettext as _

from hub.booking import services
from hub.childcare.models import Custody
from hub.core import clock, live
from hub.core.db import require_transaction, run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.access import Action, allowed
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Visit

#: A seat is kept for so long after the start of a visit (ux.md page 1: 席を 20分 とっておきました).
GRACE = timedelta(minutes=20)
GRACE_MINUTES = int(GRACE.total_seconds()) // 60


def locked(code: str) -> Visit | None:
    """The visit with its row locked; a scan of the same person waits here, or we wait for it."""
    require_transaction()
    rows = Visit.objects.select_for_update(of=("self",)).select_related("hub", "member", "seat__zone")
    return rows.filter(code=code).first()


def check_missed(visit: Visit) -> None:
    """Raises `DomainError` when ``visit`` may not be given on: it is over or ended, somebody came, or it is too soon."""
    now = clock.now()
    if visit.arrived_at is not None:
        raise DomainError("has_arrived", _("この人は もう 来ています。席は そのままです。"))
    services.check_live(visit)
    if visit.ends_at <= now:
        raise DomainError("in_past", _("この予約は もう 終わっています。"))
    if now < visit.starts_at + GRACE:
        text = _("始まりから %(minutes)s分 たつまでは、席を とっておきます。")
        raise DomainError("too_soon", text % {"minutes": GRACE_MINUTES})
    if Custody.objects.filter(place__visit=visit).exists():
        raise DomainError(
            "child_received", _("お子さんを もう 預かっています。こどものへやに たしかめてください。")
        )


def release(*, actor: Member, code: str) -> Visit:
    """Give the seat and the places of a visit to which nobody came to others; the person gets a mail.

    A second tap is harmless: the answer is the released visit. Raises `DomainError` ``visit_unknown`` (404) for
    everybody who may not book for others at that hub; ``has_arrived``, ``too_soon``, ``in_past``, ``not_live``,
    ``child_received`` (409).
    """

    def work() -> Visit:
        visit = locked(code)
        if visit is None or not allowed(actor, Action.BOOK_FOR_OTHERS, visit.hub):
            raise DomainError("visit_unknown", _("その予約は 見つかりません。"), 404)
        if visit.status == VisitStatus.RELEASED:
            return visit
        check_missed(visit)
        services.end_visit(visit, VisitStatus.RELEASED)
        live.broadcast(f"care.{visit.hub.slug}", "care")  # her children are expected no more
        return visit

    return run_write(work)
