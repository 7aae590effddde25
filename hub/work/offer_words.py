"""What is told about work that is handed out. Neither the client nor the title of the order stands in it."""

from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hub.booking.templatetags.booking import named
from hub.core import clock
from hub.core.templatetags.hidamari import jdate, jtime
from hub.notices import services as notices
from hub.notices.topics import Example, Message
from hub.spaces import made_up
from hub.spaces.models import Hub
from hub.work.enums import AssignmentState, EndReason, OrderKind
from hub.work.models import Assignment

OFFER, BACK = "work.offer", "work.back"


def event_of(assignment: Assignment) -> str:
    return f"work/{assignment.code}"


def tell_offered(assignment: Assignment) -> None:
    """Tell her that she is asked, in the caller's transaction."""
    notices.tell(assignment.member, OFFER, event=event_of(assignment), data={"assignment": assignment.code})


def tell_back(assignment: Assignment, reason: EndReason, units: int) -> None:
    """Tell her that ``units`` of hers are with nobody again, in the caller's transaction."""
    data = {"assignment": assignment.code, "reason": str(reason), "units": units}
    notices.tell(assignment.member, BACK, event=f"{event_of(assignment)}/back", data=data)


def _find(code: str) -> Assignment | None:
    return Assignment.objects.filter(code=code).select_related("lot__order__hub").first()


def compose_offer(data: dict[str, Any]) -> Message | None:
    """The words of the topic ``work.offer``; None when it waits for no answer any more."""
    found = _find(data["assignment"])
    if found is None or found.state != AssignmentState.OFFERED or found.answer_by is None:
        return None
    if found.answer_by <= clock.now():
        return None
    order = found.lot.order
    kind = str(order.get_kind_display())
    return _offer(order.hub, kind, found.unit_count, order.minutes_per_unit, found.answer_by, found.code)


def _offer(hub: Hub, kind: str, count: int, minutes: int, answer_by: datetime, code: str) -> Message:
    until = answer_by.astimezone(hub.tz)
    text = _("%(hub)s：%(kind)s %(count)s件（1件 %(minutes)s分）。%(day)s %(time)s までに 返事を してください。") % {
        "hub": named(hub), "kind": kind, "count": f"{count:,}", "minutes": minutes, "day": jdate(until),
        "time": jtime(until),
    }  # fmt: skip
    return Message(title=_("しごとの おねがいが あります"), text=text, path=reverse("job_offer", args=[code]))


def compose_back(data: dict[str, Any]) -> Message | None:
    """The words of the topic ``work.back``."""
    found = _find(data["assignment"])
    if found is None or found.state != AssignmentState.ENDED:
        return None
    return _back(found.lot.order.hub, EndReason(data["reason"]), data["units"])


def _back(hub: Hub, reason: EndReason, units: int) -> Message:
    shown = {"hub": named(hub), "units": f"{units:,}"}
    if reason == EndReason.CHILD_SICK:
        text = ngettext(
            "%(hub)s：まだの %(units)s件は、ほかの人に まわします。送った分は そのままです。お大事に してください。",
            "%(hub)s：まだの %(units)s件は、ほかの人に まわします。送った分は そのままです。お大事に してください。",
            units,
        )
        return Message(title=_("しごとは 気に しないで ください"), text=text % shown, path=reverse("jobs"))
    text = ngettext(
        "%(hub)s：まだの %(units)s件は、ほかの人に まわします。送った分は そのままです。",
        "%(hub)s：まだの %(units)s件は、ほかの人に まわします。送った分は そのままです。",
        units,
    )
    return Message(title=_("しごとの 期限に なりました"), text=text % shown, path=reverse("jobs"))


def examples_offer() -> list[Example]:
    hub, until = made_up.hub(), clock.now() + timedelta(hours=48)
    words = _offer(hub, str(OrderKind.WRITING.label), 18, 3, until, "EXAMPLE000")
    return [Example(_("しごとを 頼まれたとき"), words)]


def examples_back() -> list[Example]:
    hub = made_up.hub()
    return [
        Example(_("期限に なったとき"), _back(hub, EndReason.TIME_UP, 5)),
        Example(_("子どもが 病気のとき"), _back(hub, EndReason.CHILD_SICK, 5)),
    ]
