"""The API of the door. Shape only: every rule lives in the services that the pages call too."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema

from hub.api import REFUSALS, Problem, _member
from hub.checkin import showing
from hub.core.errors import DomainError

router = Router()


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
