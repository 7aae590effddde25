"""The door in the API (design 6): every scan that can be read answers 200 with a ``result``; the rules are `hub.checkin`'s."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema
from pydantic import BaseModel

from hub.api import REFUSALS, WRITE_REFUSALS, Moment, Problem, _member, api
from hub.checkin import services, showing
from hub.checkin import undo as undoing
from hub.checkin.answers import Answer
from hub.checkin.models import Scan
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.access import Action, workplace
from hub.spaces.models import Hub

router = Router(tags=["checkin"])


# --- the pass -----------------------------------------------------------------------------------------------


class PassOut(Schema):
    payload: str
    fallback_code: str
    valid_until: datetime


@router.get(
    "/visits/{code}/pass",
    response={200: PassOut, **REFUSALS, 409: Problem},
    summary="What the QR of my visit holds",
)
def visit_pass(request: HttpRequest, code: str) -> dict[str, Any]:
    """The text of the QR, the six digits beside it, and until when (exclusive) both hold. 409 once it is over."""
    shown = showing.of_visit(_member(request), code)
    if shown is None:
        raise DomainError("visit_unknown", _("その予約は 見つかりません。"), 404)
    if shown.row is None:
        raise DomainError("not_live", _("この予約は もう 終わっているか、やめた あとです。"))
    return {"payload": shown.token, "fallback_code": shown.row.fallback, "valid_until": shown.valid_until}


# --- scans ---------------------------------------------------------------------------------------------------


class ScanIn(BaseModel):  # a ninja Schema looks at each field in Python, for objects that are not dicts
    id: UUID = Field(description="made by the door, one per reading: the same id counts once")
    hub: Annotated[str, Field(max_length=50)]
    direction: Literal["in", "out"] = "in"
    payload: Annotated[str, Field(max_length=8192)] = Field("", description="the text of the QR")
    code: Annotated[str, Field(max_length=20)] = Field("", description="or the six digits below it")
    scanned_at: Moment | None = Field(None, description="counts for an offline scan, for up to 12 hours")
    offline: bool = False
    confirmed: bool = Field(False, description="out although her children stay in care")


class ScanOut(Schema):
    id: UUID
    result: str = Field(
        description="ok, out, already_in, not_in, not_booked, wrong_hub, not_today, too_early, ..."
    )
    reason: str
    direction: str
    hub: str
    scanned_at: datetime
    name: str | None = Field(description="of the person, for the eyes at the door")
    visit: str | None = Field(description="code of the visit that the answer speaks of")
    starts_at: datetime | None
    ends_at: datetime | None
    seat: str | None
    children: int = Field(description="how many the visit brings")
    presence: str | None
    entered_at: datetime | None
    other_hub: str | None = Field(description="where she is expected, when the hub is the wrong one")


class UndoneOut(ScanOut):
    undone_at: datetime


def _out(answer: Answer) -> dict[str, Any]:
    row, visit, presence = answer.scan, answer.visit, answer.presence
    tz = answer.hub.tz
    other = answer.other_hub if answer.result == "wrong_hub" else None
    return {
        "id": row.scan_id,
        "result": answer.result,
        "reason": answer.reason,
        "direction": row.direction,
        "hub": answer.hub.slug,
        "scanned_at": row.scanned_at.astimezone(tz),
        "name": answer.member.name if answer.member else None,
        "visit": visit.code if visit else None,
        "starts_at": visit.starts_at.astimezone(tz) if visit else None,
        "ends_at": visit.ends_at.astimezone(tz) if visit else None,
        "seat": visit.seat.label if visit and visit.seat else None,
        "children": answer.children,
        "presence": presence.code if presence else None,
        "entered_at": presence.entered_at.astimezone(tz) if presence else None,
        "other_hub": other.slug if other else None,
    }


def _door(request: HttpRequest, slug: str) -> tuple[Member, Hub]:
    """Who asks, and the hub where she may scan. 404 for strangers to its staff, 403 without the right."""
    member = request.user
    assert isinstance(member, Member)
    try:
        return member, workplace(member, slug, Action.SCAN)
    except Http404:
        raise DomainError("not_found", _("見つかりません。"), 404) from None
    except PermissionDenied:
        raise DomainError("not_allowed", _("入口の 仕事が できる人だけです。"), 403) from None


@router.post(
    "/checkin/scans", response={200: ScanOut, **WRITE_REFUSALS}, summary="Somebody is at the door: in or out?"
)
def scan(request: HttpRequest, body: ScanIn) -> HttpResponse:
    """One of ``payload`` and ``code`` says who. The same id again is the same answer, whoever sends it."""
    member, hub = _door(request, body.hub)
    answer = services.scan(
        actor=member, hub=hub, scan_id=body.id, direction=body.direction, payload=body.payload, code=body.code,
        scanned_at=body.scanned_at, offline=body.offline, confirmed=body.confirmed,
    )  # fmt: skip
    # Somebody waits at the door: what we have just made in this shape is not checked against it once more.
    return api.create_response(request, _out(answer), status=200)


@router.post(
    "/checkin/scans/{id}/undo",
    response={200: UndoneOut, 403: Problem, 409: Problem, **REFUSALS},
    summary="Take a scan back within 30 seconds; again is harmless",
)
def undo(request: HttpRequest, id: UUID) -> dict[str, Any]:
    slug = Scan.objects.filter(scan_id=id).values_list("hub__slug", flat=True).first()
    member, hub = _door(request, slug or "")
    answer = undoing.undo(actor=member, hub=hub, scan_id=id)
    return {**_out(answer), "undone_at": answer.scan.undone_at}
