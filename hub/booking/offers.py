"""How an offer of the waiting list ends, and what its person is told. Both the engine and the waiting list call this."""

from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from hub.booking.enums import EntryState, OfferState
from hub.booking.mail import made_up_visit
from hub.booking.models import Offer
from hub.booking.templatetags.booking import named
from hub.core import clock, live
from hub.core.db import require_transaction
from hub.core.templatetags.hidamari import jdate, jtime, period
from hub.notices import quiet
from hub.notices import services as notices
from hub.notices.topics import Example, Message
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Visit

TOPIC = "offer"
#: What becomes of an entry with its offer. After a withdrawal, which is nobody's answer, she keeps her place in the line.
_ENTRY = {
    OfferState.ACCEPTED: EntryState.BOOKED,
    OfferState.DECLINED: EntryState.DECLINED,
    OfferState.EXPIRED: EntryState.UNANSWERED,
}


def end(offer: Offer, state: OfferState) -> None:
    """Give ``offer`` its final state, and its entry the one that follows, in the caller's transaction."""
    require_transaction()
    now = clock.now()
    offer.state, offer.ended_at = state, now
    offer.save(update_fields=["state", "ended_at"])
    entry = offer.entry
    if state in _ENTRY:
        entry.state, entry.ended_at = _ENTRY[state], now
        entry.save(update_fields=["state", "ended_at"])
    notices.settle(entry.member, f"offer/{offer.code}")
    if state == OfferState.WITHDRAWN:
        tell(offer, "gone")
    live.broadcast(f"me.{entry.member.code}", "offer")


def end_with_visit(visit: Visit) -> None:
    """The offer of a visit that was ended by another way (a closure, a block, the desk's cancel) ends with it."""
    rows = Offer.objects.select_related("entry__member").filter(visit=visit, state=OfferState.OPEN)
    offer = rows.first()
    if offer is not None:
        offer.visit = visit
        declined = visit.status == VisitStatus.CANCELLED
        end(offer, OfferState.DECLINED if declined else OfferState.WITHDRAWN)


def tell(offer: Offer, kind: str) -> None:
    """Tell her: ``kind`` is made or gone. Urgent only where quiet hours would keep it back until it is too late."""
    now = clock.now()
    due = quiet.not_before(now)
    urgent = kind == "made" and due > now and offer.expires_at <= due
    event = f"offer/{offer.code}" if kind == "made" else f"offer/{offer.code}/{kind}"
    notices.tell(
        offer.entry.member, TOPIC, event=event, data={"offer": offer.code, "kind": kind}, urgent=urgent
    )
    live.broadcast(f"me.{offer.entry.member.code}", "offer")


def compose(data: dict[str, Any]) -> Message | None:
    """The words of the topic ``offer``; None when the offer stands no more as it is told. No child is named."""
    offer = Offer.objects.select_related("visit__hub", "entry").filter(code=data["offer"]).first()
    wanted = OfferState.OPEN if data["kind"] == "made" else OfferState.WITHDRAWN
    if offer is None or offer.state != wanted:
        return None
    if data["kind"] == "made" and offer.expires_at <= clock.now():
        return None
    return _words(offer.visit, offer.code, offer.expires_at, data["kind"])


def _words(visit: Visit, code: str, expires_at: datetime, kind: str) -> Message:
    hub = visit.hub
    when = visit.period.in_zone(hub.tz)
    where = f"{named(hub)} {jdate(when.starts_at)} {period(when.starts_at, when.ends_at)}"
    path = reverse("offer", args=[code])
    if kind == "gone":
        text = _("%(where)s。ハブの 都合で なくなりました。つぎに 空いたら 知らせます。") % {"where": where}
        return Message(title=_("空いた席が 使えなくなりました"), text=text, path=path)
    until = expires_at.astimezone(hub.tz)
    text = _("%(where)s。%(day)s %(time)s までに 返事を してください。") % {
        "where": where, "day": jdate(until), "time": jtime(until),
    }  # fmt: skip
    return Message(title=_("席が 空きました。行けますか"), text=text, path=path)


def examples() -> list[Example]:
    """An offer, and one that the hub had to take back."""
    visit = made_up_visit()
    until = clock.now() + timedelta(minutes=visit.hub.offer_minutes)
    return [
        Example(case, _words(visit, visit.code, until, kind))
        for case, kind in ((_("席が 空いたとき"), "made"), (_("ハブの 都合で なくなったとき"), "gone"))
    ]
