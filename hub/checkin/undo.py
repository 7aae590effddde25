"""Taking back what a scan did, within 30 seconds: the wrong person, or the wrong direction. Recorded on the scan."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from hub.checkin import presences
from hub.checkin.answers import SHOWN, Answer
from hub.checkin.enums import ACCEPTED, PresenceEnd, Result
from hub.checkin.models import Presence, Scan
from hub.childcare.models import Custody
from hub.core import clock
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces import arrivals
from hub.spaces.access import Action, allowed
from hub.spaces.models import Hub, Visit

WITHIN = timedelta(seconds=30)


def undo(*, actor: Member, hub: Hub, scan_id: UUID) -> Answer:
    """Take back an accepted scan of this hub; a second tap is harmless.

    An entry undone ends its presence as ``undone``, and the visit is booked again if nobody had come before. An exit
    undone leaves the presence open. Raises `DomainError` ``not_allowed`` (403), ``scan_unknown`` (404), and 409:
    ``not_undoable`` (a refusal changed nothing), ``undo_too_late``, ``undo_not_newest``, ``children_received``.
    """
    if not allowed(actor, Action.SCAN, hub):
        raise DomainError("not_allowed", _("入口の 仕事が できる人だけです。"), 403)

    def work() -> Answer:
        rows = Scan.objects.filter(scan_id=scan_id, hub=hub)
        member_id = rows.values_list("member_id", flat=True).first()
        if member_id is not None:
            presences.lock_member(member_id)  # first, as every scan does
        row = rows.select_related(*SHOWN).first()
        if row is None:
            raise DomainError("scan_unknown", _("その読みとりは 見つかりません。"), 404)
        if row.undone_at is not None:
            return Answer(row, replayed=True)
        presence = _undoable(row, clock.now())
        if row.result == Result.OUT:
            _undo_exit(presence)
        else:
            _undo_entry(row, presence, actor)
        row.undone_at, row.undone_by = clock.now(), actor
        row.save(update_fields=["undone_at", "undone_by"])
        return Answer(row)

    return run_write(work)


def _undoable(row: Scan, now: datetime) -> Presence:
    """The presence that the scan opened or closed, if it may be taken back."""
    presence = row.presence
    if row.result not in ACCEPTED or presence is None:
        raise DomainError("not_undoable", _("この読みとりは 何も 変えていません。"))
    if now > row.received_at + WITHIN:
        raise DomainError("undo_too_late", _("30秒を すぎました。もう一度 読みとって なおしてください。"))
    newer = Scan.objects.filter(
        member=row.member, hub=row.hub, result__in=ACCEPTED, undone_at=None, pk__gt=row.pk
    )
    if newer.exists():
        raise DomainError(
            "undo_not_newest", _("このあとに また 読みとりました。新しい方から 取り消してください。")
        )
    return Presence.objects.select_related("hub", "member", "visit").get(pk=presence.pk)


def _undo_exit(presence: Presence) -> None:
    if (
        presence.member is not None and presences.open_of(presence.member) is not None
    ):  # meanwhile at another hub
        raise DomainError(
            "undo_not_newest", _("このあとに また 読みとりました。新しい方から 取り消してください。")
        )
    if presence.ended_as == PresenceEnd.OUT:
        presences.reopen(presence)


def _undo_entry(row: Scan, presence: Presence, actor: Member) -> None:
    if presence.left_at is not None:
        raise DomainError("undo_not_newest", _("もう 帰っています。取り消せません。"))
    before = _before(presence)
    visit = presence.visit
    if visit is not None:
        visit = Visit.objects.select_for_update(no_key=True).get(pk=visit.pk)
        if Custody.objects.filter(place__visit=visit, received_at__gte=presence.entered_at).exists():
            raise DomainError(
                "children_received", _("お子さんを もう 預かっています。こどものへやに 知らせてください。")
            )
    presences.close(presence, clock.now(), PresenceEnd.UNDONE, actor)
    if visit is not None and row.reason == "booked":
        arrivals.undo_arrival(visit)
    elif visit is not None and before is not None and before.left_at is not None:
        arrivals.leave(visit, before.left_at)  # she had gone out, and has not come back
    if before is not None and before.ended_as == PresenceEnd.MOVED and before.left_at == presence.entered_at:
        presences.reopen(before)  # it was not she who moved on to this hub


def _before(presence: Presence) -> Presence | None:
    """Where the member was last before this presence."""
    rows = Presence.objects.filter(member=presence.member, pk__lt=presence.pk).exclude(
        ended_as=PresenceEnd.UNDONE
    )
    return rows.select_related("hub", "member", "visit").order_by("-pk").first()
