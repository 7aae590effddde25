"""What the tests of the door share: a booked visit, a pass, a scan in one line."""

from typing import Any
from uuid import UUID, uuid4

from hub.booking import services as booking
from hub.checkin import passes, services
from hub.checkin.answers import Answer
from hub.checkin.enums import Direction
from hub.core.quarters import Period
from hub.members.models import Member
from hub.spaces.models import Hub, Visit
from tests import factories as make


def fresh(member: Member) -> Member:
    """As another request would load her, without what an earlier one cached on her."""
    return Member.objects.get(pk=member.pk)


def today(start: float, end: float) -> Period:
    """Today's hours in Tokyo; the tests' now is 9:40."""
    return make.period(start, end, make.TODAY)


def booked(member: Member, hub: Hub, when: Period | None = None, children: Any = ()) -> Visit:
    """A visit, today 9:30 to 12:30 unless said otherwise."""
    wish = make.request_for(member, hub, when or today(9.5, 12.5), children=children)
    return booking.book_visit(actor=member, request=wish).visit


def token(member: Member, hub: Hub, day: Any = make.TODAY) -> str:
    return passes.token_of(passes.pass_for(member=member, hub=hub, day=day))


def six(member: Member, hub: Hub, day: Any = make.TODAY) -> str:
    """The fallback code of her pass."""
    return passes.pass_for(member=member, hub=hub, day=day).fallback


def scan(
    actor: Member, hub: Hub, text: str = "", *, id: UUID | None = None, out: bool = False, **more: Any
) -> Answer:
    """One scan by ``actor``; ``text`` is what the QR holds."""
    return services.scan(
        actor=fresh(actor), hub=hub, scan_id=id or uuid4(), payload=text,
        direction=Direction.OUT if out else Direction.IN, **more,
    )  # fmt: skip


def told(answer: Answer) -> tuple[str, str]:
    return str(answer.result), answer.reason


def receive(visit: Visit, child: Any, *, carer: Any = None) -> Any:
    """The child of this visit is in the carers' hands."""
    from decimal import Decimal

    from hub.childcare.models import CarePlace, Carer, Custody
    from hub.core import clock

    place = CarePlace.objects.get(visit=visit, child=child)
    return Custody.objects.create(
        place=place, child=child, room=place.room, age_class=1, received_at=clock.now(),
        received_by=carer or Carer.objects.filter(hub=visit.hub).first(), recorded_by=visit.member,
        brought_by=visit.member, temperature=Decimal("36.5"),
    )  # fmt: skip
