"""What the door was told for one scan, read from its row: the first asking and every repeat say the same (I6)."""

from dataclasses import dataclass
from datetime import date, datetime

from hub.checkin.models import Pass, Presence, Scan
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace
from hub.members.models import Member
from hub.spaces.models import Hub, Visit

#: What an answer shows beside the row itself.
SHOWN = ("hub", "member", "visit__hub", "visit__seat__zone", "presence__entered_by", "scanned_by")


@dataclass(frozen=True)
class Answer:
    """One scan with everything that belongs to it; ``replayed`` when this very id was asked before.

    ``visit`` is the one the answer speaks of: entered, too early, cancelled, at another hub, or the next one.
    """

    scan: Scan
    replayed: bool = False

    @property
    def result(self) -> str:
        return self.scan.result

    @property
    def reason(self) -> str:
        return self.scan.reason

    @property
    def hub(self) -> Hub:
        return self.scan.hub

    @property
    def member(self) -> Member | None:
        return self.scan.member

    @property
    def visit(self) -> Visit | None:
        return self.scan.visit

    @property
    def presence(self) -> Presence | None:
        return self.scan.presence

    @property
    def is_undone(self) -> bool:
        return self.scan.undone_at is not None

    @property
    def children(self) -> int:
        """How many children the visit brings."""
        if self.visit is None:
            return 0
        counted: int | None = getattr(self.visit, "children_booked", None)
        if counted is None:
            counted = CarePlace.objects.filter(visit=self.visit, status=PlaceStatus.BOOKED).count()
            self.visit.children_booked = counted  # type: ignore[attr-defined]  # as the door's query names it
        return counted

    @property
    def other_hub(self) -> Hub | None:
        """Where she is expected instead (``wrong_hub``): the hub of her visit, or the one whose pass was shown."""
        if self.visit is not None and self.visit.hub_id != self.hub.pk:
            return self.visit.hub
        if self.member is None:
            return None
        day = local_day(self.scan.scanned_at, self.hub)
        rows = Pass.objects.filter(member=self.member, day=day).exclude(hub=self.hub).select_related("hub")
        found = rows.order_by("-pk").first()
        return found.hub if found else None


def local_day(moment: datetime, hub: Hub) -> date:
    """The hub's calendar day at ``moment``."""
    return moment.astimezone(hub.tz).date()
