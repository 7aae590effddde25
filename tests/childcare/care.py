"""A morning in the children's room for tests: Misaki's children booked from 9:30 on, two carers at work at 9:40."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from hub.booking import services
from hub.childcare import attendance, custody
from hub.childcare.enums import Identified
from hub.childcare.models import CarePlace, Carer, Child, Custody
from hub.members.models import Member
from hub.members.services import add_pickup_adult
from hub.spaces.models import Visit
from tests import factories as make


def morning(cast: SimpleNamespace, now: Any, *, children: tuple[Child, ...] | None = None) -> SimpleNamespace:
    """Adds to the cast: ``visit`` (9:30 to 12:30 today), ``carers`` at work, ``granny``; the clock says 9:40."""
    now.move_to(make.at(8, 0, make.TODAY))
    wanted = children if children is not None else (cast.haru, cast.yui)
    request = make.request_for(
        cast.misaki, cast.ekimae, make.period(9.5, 12.5, make.TODAY), children=list(wanted)
    )
    visit = services.book_visit(actor=cast.misaki, request=request).visit
    carers = list(Carer.objects.filter(hub=cast.ekimae).order_by("pk"))
    Carer.objects.filter(pk=carers[0].pk).update(member=cast.carer)
    for carer in carers:
        attendance.clock_in(actor=cast.carer, hub=cast.ekimae, carer=carer.code, room=cast.room)
    granny = add_pickup_adult(
        cast.household, name="山田 うめ", kana="やまだ うめ", relation="祖母", phone="0900000002"
    )
    now.move_to(make.NOW)
    return SimpleNamespace(**vars(cast), visit=visit, carers=carers, granny=granny)


def receive(here: SimpleNamespace, child: Child | None = None, **changes: Any) -> custody.Received:
    call = {
        "actor": here.carer, "hub": here.ekimae, "child": (child or here.haru).code, "adult": here.misaki.code,
        "temperature": Decimal("36.5"), "carer": here.carers[0].code,
    }  # fmt: skip
    return custody.receive(**call | changes)


def hand_over(here: SimpleNamespace, row: Custody, **changes: Any) -> Custody:
    call = {
        "actor": here.carer, "hub": here.ekimae, "custody": row.code, "adult": here.misaki.code,
        "carer": here.carers[1].code, "identified_by": Identified.KNOWN,
    }  # fmt: skip
    return custody.hand_over(**call | changes)


def place_of(child: Child) -> CarePlace:
    return CarePlace.objects.get(child=child)


def book(
    member: Member, child: Child, here: SimpleNamespace, *, start: float = 9.5, end: float = 12.5
) -> Visit:
    """Another family's visit of today; call it with the clock before ``start``."""
    request = make.request_for(member, here.ekimae, make.period(start, end, make.TODAY), children=[child])
    return services.book_visit(actor=member, request=request).visit
