"""「もう 帰りましたか」: somebody went home without scanning, and says so on her own phone."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from hub.checkin.enums import PresenceEnd
from hub.checkin.models import Presence
from hub.childcare.queries import in_care_through
from hub.core import clock, live
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces import arrivals
from hub.spaces.models import Visit


def left_already(*, member: Member, presence_code: str, at: datetime) -> Presence:
    """Close ``member``'s own presence as of ``at``, after its visit is over. Saying it again changes nothing.

    Raises `DomainError` ``presence_unknown`` (404), ``not_over`` (409: the visit still runs, so the door or
    「早く 帰る」 ends it), ``left_time`` (422: before she came, or not yet), and ``children_inside`` (409) while a child
    whom her visit brought is in the carers' hands: only a hand-over ends that (I7).
    """

    def work() -> Presence:
        found = Presence.objects.filter(code=presence_code, member=member).first()
        if found is None:
            raise DomainError("presence_unknown", _("この 入館は 見つかりません。"), 404)
        # Member, then visit, then presence: the order of the door, so that neither waits for the other crosswise.
        Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        visit = None
        if found.visit_id is not None:
            visit = Visit.objects.select_for_update(of=("self",)).get(pk=found.visit_id)
        row = Presence.objects.select_for_update(of=("self",)).select_related("hub").get(pk=found.pk)
        if row.left_at is not None:
            return row
        now = clock.now()
        if visit is None or visit.ends_at > now:
            raise DomainError("not_over", _("まだ 予約の 時間です。帰るときは 入口で QR を 見せてください。"))
        if not row.entered_at <= at <= now:
            raise DomainError("left_time", _("帰った 時間を えらび直してください。"), 422)
        child = in_care_through(member).first()
        if child is not None:
            raise DomainError(
                "children_inside",
                _("お子さんが まだ こどものへやに います。お迎えの あとに 答えてください。"),
                name=child.name,
            )
        row.left_at, row.left_by, row.ended_as = at, member, PresenceEnd.TOLD
        row.save(update_fields=["left_at", "left_by", "ended_as"])
        arrivals.leave(visit, at)
        for group in (
            f"door.{row.hub.slug}",
            f"day.{row.hub.slug}",
            f"care.{row.hub.slug}",
            f"me.{member.code}",
        ):
            live.broadcast(group, "presence")
        return row

    return run_write(work)
