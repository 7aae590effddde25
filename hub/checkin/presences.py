"""Somebody comes in, somebody goes out: the presence and what it writes on her visit. In the caller's transaction.

The member's row is locked before (`lock_member`), so two doors come one after the other; should that ever be
forgotten, the unique constraint on open presences refuses the second (I7).
"""

from datetime import datetime

from hub.checkin.enums import PresenceEnd, PresenceKind
from hub.checkin.models import Presence
from hub.core import live
from hub.core.db import columns_of, moment, prepared, require_transaction, rows_of
from hub.members.models import Member
from hub.spaces import arrivals
from hub.spaces.models import Hub, Visit

KIND = "presence"


def lock_member(pk: int) -> Member:
    """The member's row, held until the transaction ends. Rows that only refer to her (a booking) do not wait."""
    require_transaction()
    return Member.objects.select_for_update(no_key=True).get(pk=pk)


def open_of(member: Member, hub: Hub | None = None) -> Presence | None:
    """Where she is now. Ask after locking her. ``hub`` spares asking for it where she is inside that one."""
    sql = f"SELECT {columns_of(Presence, 'here')} FROM checkin_presence here WHERE member_id = %s AND left_at IS NULL"  # noqa: S608  no value in it
    found = next(iter(rows_of(Presence, sql, [member.pk])), None)
    if found is not None:
        found.member = member
        if hub is not None and found.hub_id == hub.pk:
            found.hub = hub
    return found


_ENTER = """
INSERT INTO checkin_presence (code, hub_id, member_id, visitor_name, kind, visit_id, entered_at, entered_by_id, ended_as)
VALUES (%s, %s, %s, '', %s, %s, %s, %s, '') RETURNING id
"""


def open_for(
    member: Member, hub: Hub, visit: Visit | None, kind: PresenceKind, at: datetime, by: Member
) -> Presence:
    """She is inside from ``at`` on; her visit has begun."""
    require_transaction()
    if visit is not None:
        arrivals.arrive(visit, at)
    presence = Presence(member=member, hub=hub, visit=visit, kind=kind, entered_at=at, entered_by=by)
    with prepared() as cursor:  # written out: on the path of every scan (decision 0006)
        cursor.execute(
            _ENTER,
            [presence.code, hub.pk, member.pk, kind.value, visit.pk if visit else None, moment(at), by.pk],
        )
        [presence.pk] = cursor.fetchone()
    presence._state.adding = False
    tell(hub, member)
    return presence


def close(presence: Presence, at: datetime, how: PresenceEnd, by: Member | None) -> None:
    """She is out from ``at`` on (never before she came). Her visit keeps its claims (`spaces.arrivals`)."""
    require_transaction()
    presence.left_at, presence.left_by, presence.ended_as = max(at, presence.entered_at), by, how
    presence.save(update_fields=["left_at", "left_by", "ended_as"])
    if presence.visit is not None:
        arrivals.leave(presence.visit, presence.left_at)
    tell(presence.hub, presence.member)


def reopen(presence: Presence) -> None:
    """As if she had not gone."""
    require_transaction()
    presence.left_at, presence.left_by, presence.ended_as = None, None, ""
    presence.save(update_fields=["left_at", "left_by", "ended_as"])
    if presence.visit is not None:
        arrivals.undo_leave(presence.visit)
    tell(presence.hub, presence.member)


def tell(hub: Hub, member: Member | None) -> None:
    """Word to open pages that somebody came or went; the message says no more than that."""
    for prefix in ("door", "day", "care"):
        live.broadcast(f"{prefix}.{hub.slug}", KIND)
    if member is not None:
        live.broadcast(f"me.{member.code}", KIND)
