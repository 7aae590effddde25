"""Work by the API: what is in my hands, what stands in a unit, sending it in. The rules live in `hub.work`, as for the pages."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.pagination import paginate

from hub.api import REFUSALS, WRITE_REFUSALS, Pages, Problem, _member
from hub.work import doing, leases, material, review, units
from hub.work.enums import UnitState
from hub.work.models import Delivery, Lease

router = Router()


class TaskOut(Schema):
    id: str = Field(description="code of the unit")
    title: str
    kind: str
    state: str = Field(description="held, returned (mend it), sent (waits for review)")
    number: int = Field(description="within its order")
    minutes: int = Field(description="expected")
    yen: int = Field(description="what it brings when it is accepted")
    due_at: datetime


class MaterialOut(Schema):
    id: str
    reference: str = Field(description="the client's own number, or empty")
    content: str
    note: str


class SubmitIn(Schema):
    text: Annotated[str, Field(max_length=100_000)]


class SubmitOut(Schema):
    id: str
    state: str
    number: int = Field(description="which sending in of this unit it is")
    sent_at: datetime


class TaskPages(Pages):
    def paginate_queryset(self, queryset: Any, pagination: Any, request: HttpRequest, **params: Any) -> Any:
        page = super().paginate_queryset(queryset, pagination, request=request, **params)
        return {**page, "items": [_out(lease) for lease in page["items"]]}


def _out(lease: Any) -> dict[str, Any]:
    """``lease`` as `units.hands_of` reads it."""
    unit = lease.unit
    due = lease.assignment.due_at
    if unit.state == UnitState.RETURNED and lease.assignment.ended_at and lease.sent_back_at:
        due = lease.sent_back_at + review.MEND_WITHIN
    return {
        "id": unit.code, "title": unit.order.title, "kind": unit.order.kind, "state": unit.state,
        "number": unit.number, "minutes": unit.order.minutes_per_unit, "yen": lease.yen or 0,
        "due_at": due.astimezone(unit.order.hub.tz),
    }  # fmt: skip


@router.get(
    "/tasks", response={200: list[TaskOut], 401: Problem, 422: Problem}, summary="Units of work in my hands"
)
@paginate(TaskPages, page_size=50)
def tasks(request: HttpRequest) -> Any:
    """What came back for mending first, then by due time and number."""
    return units.hands_of(_member(request))


@router.get(
    "/tasks/{id}/material",
    response={200: MaterialOut, **REFUSALS, 403: Problem},
    summary="What stands in a unit of mine; confidential work is refused (403 gate_closed)",
)
def task_material(request: HttpRequest, id: str) -> dict[str, Any]:
    member = _member(request)
    lease: Lease | None = (
        leases.held_by(member.pk).filter(unit__code=id).select_related("unit__order__hub").first()
    )
    if lease is None:
        raise doing.unknown()
    found = material.open_unit(actor=member, unit=lease.unit)
    doing.begin(member=member, unit_code=id)
    return {"id": id, "reference": found.reference, "content": found.content, "note": found.note}


@router.post(
    "/tasks/{id}/submit",
    response={200: SubmitOut, **WRITE_REFUSALS},
    summary="Send a unit in; the same text again is the same delivery",
)
def submit(request: HttpRequest, id: str, body: SubmitIn) -> dict[str, Any]:
    found: Delivery = doing.send_in(member=_member(request), unit_code=id, text=body.text)
    tz = found.unit.order.hub.tz
    return {"id": id, "state": found.state, "number": found.number, "sent_at": found.sent_at.astimezone(tz)}
