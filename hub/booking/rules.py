"""The rules of booking, named, in reading order, without a lock. Each raises `DomainError`.

The order is what a person should hear first: is the question well formed, is it in time, is the hub open, may you,
may the children.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.db import connection
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from hub.booking.requests import VisitRequest
from hub.childcare.enums import ChildStatus
from hub.childcare.models import Child
from hub.childcare.places import ChildBusy
from hub.childcare.queries import age_class_in, rooms_of
from hub.childcare.ratio import SCHOOL_AGE, class_age
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import MINUTES, Period, local, on_grid, quarter_of
from hub.members.models import Guardian, Member
from hub.spaces.access import Action, allowed, roles_for
from hub.spaces.enums import LIVE_STATUSES, MembershipStatus, VisitSource
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub, Seat, Visit

MAX_CHILDREN = 10


def check_shape(request: VisitRequest) -> None:
    """On the 15-minute grid, forward, within one local day (422)."""
    period = request.period
    if period.ends_at <= period.starts_at:
        raise DomainError("not_forward", _("終わりの時間を、始まりより あとに してください。"), 422)
    local_period = period.in_zone(request.hub.tz)
    if not (on_grid(local_period.starts_at, MINUTES) and on_grid(local_period.ends_at, MINUTES)):
        raise DomainError("off_grid", _("時間は 15分きざみで えらんでください。"), 422)
    if local_period.starts_at.date() != (local_period.ends_at - timedelta(microseconds=1)).date():
        raise DomainError(
            "across_midnight", _("予約は 1日の 中だけです。日を またぐことは できません。"), 422
        )
    if len(request.children) > MAX_CHILDREN:
        raise DomainError("too_many_children", _("1回に 預けられるのは 10人までです。"), 422)
    if len({want.child.pk for want in request.children}) != len(request.children):
        raise DomainError("child_twice", _("同じ お子さんが 2回 入っています。"), 422)
    for want in request.children:
        part = want.period
        if part is None:
            continue
        if part.ends_at <= part.starts_at or not period.contains(part):
            raise DomainError("part_outside", _("預ける時間は、来ている時間の 中に してください。"), 422)
        if not (on_grid(part.starts_at) and on_grid(part.ends_at)):
            raise DomainError("off_grid", _("時間は 15分きざみで えらんでください。"), 422)


def check_not_past(period: Period, now: datetime) -> None:
    """The quarter that runs now may still be booked (somebody stands at the door); an earlier one not."""
    if quarter_of(period.starts_at) < quarter_of(now):
        raise DomainError("in_past", _("この時間は もう すぎました。これからの 時間を えらんでください。"))


def check_horizon(hub: Hub, period: Period, now: datetime) -> None:
    """Measured to the end of the visit. Dates beyond are not open yet, never full."""
    last = now.astimezone(hub.tz).date() + timedelta(days=hub.horizon_days)
    if period.ends_at.astimezone(hub.tz).date() > last:
        opens_on = period.ends_at.astimezone(hub.tz).date() - timedelta(days=hub.horizon_days)
        raise DomainError(
            "not_open_yet", _("この日の 予約は まだ 始まっていません。"), opens_on=opens_on.isoformat()
        )


def check_open(hub: Hub, period: Period) -> None:
    """Inside the opening hours of that day, no closure, no closed holiday (RULE-33)."""
    day = period.starts_at.astimezone(hub.tz).date()
    info = facts_of(hub).day(day, translation.get_language() or "ja")
    if info.period is None:
        message = (
            _("この日は お休みです（%(reason)s）。") % {"reason": info.reason}
            if info.reason
            else _("この日は お休みです。")
        )
        raise DomainError("hub_closed", message, reason=info.reason)
    if not info.period.contains(period):
        hours = info.period.in_zone(hub.tz)
        raise DomainError(
            "hub_closed",
            _("この日は %(opens)s から %(closes)s まで 開いています。その中で えらんでください。")
            % {"opens": f"{hours.starts_at:%-H:%M}", "closes": f"{hours.ends_at:%-H:%M}"},
            opens=f"{hours.starts_at:%H:%M}",
            closes=f"{hours.ends_at:%H:%M}",
        )


def _zone_closed(reason: str) -> DomainError:
    text = _("この場所は その時間 お休みです（%(reason)s）。ほかの場所を えらんでください。")
    return DomainError("zone_closed", text % {"reason": reason}, reason=reason)


def check_zone(options: list[Seat], closed: Mapping[int, str]) -> list[Seat]:
    """Those of ``options`` whose zone is open; ``closed``: `HubFacts.zones_closed`. Raises `DomainError` ``zone_closed``."""
    left = [seat for seat in options if seat.zone_id not in closed]
    if options and not left:
        raise _zone_closed(closed[options[0].zone_id])
    return left


def closed_zone_of(request: VisitRequest) -> DomainError | None:
    """The refusal of a request for a zone, or a seat in one, that is closed then."""
    wish = request.seat
    zone_id = wish.seat.zone_id if wish.seat is not None else wish.zone.pk if wish.zone is not None else None
    closed = facts_of(request.hub).zones_closed(request.period)
    return _zone_closed(closed[zone_id]) if zone_id in closed else None


def check_length(hub: Hub, period: Period) -> None:
    if period.minutes > hub.max_visit_minutes:
        hours = hub.max_visit_minutes / 60
        raise DomainError("too_long", _("1回の 予約は %(hours)s時間までです。") % {"hours": f"{hours:g}"})


_ROLES = """
SELECT membership.hub_id, membership.role, membership.status, membership.reason
FROM members_member member LEFT JOIN spaces_membership membership ON membership.member_id = member.id
WHERE member.id = %s
"""


def check_member(actor: Member, member: Member, hub: Hub, *, hold: bool = False) -> None:
    """The member is an active worker of the network and not blocked here; a stranger's booking needs the right.

    ``hold`` locks the member's row until the transaction ends: two bookings of one person then count her visits one
    after the other (`check_open_visits`). Not the whole row: rows that refer to her may still be written.
    """
    if actor.pk != member.pk and not allowed(actor, Action.BOOK_FOR_OTHERS, hub):
        raise DomainError("not_allowed", _("この方の 予約は できません。"), 403)
    lock = " FOR NO KEY UPDATE OF member" if hold and connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(_ROLES + lock, [member.pk])
        rows = cursor.fetchall()
    for hub_id, _role, status, reason in rows:
        if hub_id == hub.pk and status == MembershipStatus.BLOCKED:
            raise DomainError(
                "blocked", _("いまは 予約を 止めています。ハブに 電話してください。"), 403, reason=reason
            )
    may_book = roles_for(Action.BOOK)
    if not member.is_active or not any(
        status == MembershipStatus.ACTIVE and role in may_book for _hub, role, status, _reason in rows
    ):
        raise DomainError("not_member", _("予約には 登録が いります。"), 403)


#: Dates of a usual week count by the limit of series (decision 0016), not by this one; nor does moving one of them.
_OPEN_VISITS = f"""
SELECT COUNT(*) FROM spaces_visit visit WHERE member_id = %s AND ends_at > %s AND id <> %s
AND status IN ({", ".join(f"'{status}'" for status in sorted(LIVE_STATUSES))})
AND NOT EXISTS (SELECT 1 FROM booking_seriesdate day WHERE day.visit_id IN (visit.id, %s))
"""  # noqa: S608  our own words


def check_open_visits(member: Member, hub: Hub, now: datetime, *, ignore: Visit | None) -> None:
    """How many single bookings one person may hold, counted until each one's end."""
    with connection.cursor() as cursor:
        moment = connection.ops.adapt_datetimefield_value(now)
        left_out = ignore.pk if ignore else 0
        cursor.execute(_OPEN_VISITS, [member.pk, moment, left_out, left_out])
        (count,) = cursor.fetchone()
    if count >= hub.max_open_visits:
        raise DomainError(
            "too_many_open",
            _("先に 持てる 予約は %(count)s件までです。終わるか やめると また 予約できます。")
            % {"count": hub.max_open_visits},
        )


def households_of(member: Member) -> set[int]:
    return set(Guardian.objects.filter(member=member).values_list("household_id", flat=True))


def check_children(request: VisitRequest, households: set[int]) -> None:
    """Children of the member's ``households`` (404), papers approved, not of school age on that day."""
    for want in request.children:
        check_child(want.child, households, request.hub, request.period)


def check_child(child: Child, households: set[int], hub: Hub, period: Period) -> None:
    if child.household_id not in households or child.status == ChildStatus.ENDED:
        raise DomainError("child_unknown", _("お子さんが 見つかりません。"), 404)
    if child.status != ChildStatus.APPROVED:
        raise DomainError(
            "papers_missing",
            _("%(name)sさんは まだ 預けられません。登録の 確認を 待っています。") % {"name": child.name},
            child=child,
        )
    day = period.starts_at.astimezone(hub.tz).date()
    if child.birthday > day:
        raise DomainError(
            "not_born",
            _("%(name)sさんの 生年月日を たしかめてください。") % {"name": child.name},
            child=child,
        )
    ages = [age_class_in(room, child.birthday, day) for room in rooms_of(hub)] or [
        class_age(child.birthday, day)
    ]
    if min(ages) >= SCHOOL_AGE:
        raise DomainError(
            "school_age",
            _("%(name)sさんは 小学生に なるので、この日は 預かれません。") % {"name": child.name},
            child=child,
        )


_CARED_FOR = """
SELECT claim.child_id, claim.quarter FROM childcare_childclaim claim JOIN childcare_careplace place ON place.id = claim.place_id
WHERE place.visit_id <> %s AND claim.quarter >= %s AND claim.quarter < %s
"""


def check_children_free(request: VisitRequest, *, ignore: Visit | None) -> None:
    """The friendly check before the unique constraint, which could not name the child.

    The member's own time needs none: the constraint on her claims says just as much (`MemberBusy`).
    """
    if not request.children:
        return
    wishes = request.wishes
    quarters = request.period.quarters
    marks = ", ".join(["%s"] * len(wishes))
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_CARED_FOR} AND claim.child_id IN ({marks})",
            [ignore.pk if ignore else 0, quarters.start, quarters.stop, *(wish.child.pk for wish in wishes)],
        )
        taken = set(cursor.fetchall())
    for wish in wishes:
        if any((wish.child.pk, quarter) in taken for quarter in wish.period.quarters):
            raise ChildBusy(wish.child)


def change_deadline(visit: Visit) -> datetime:
    """Until when a change is early: on the day before the visit ends, at the hub's hour."""
    return deadline_of(visit.hub, visit.ends_at.astimezone(visit.hub.tz).date())


def deadline_of(hub: Hub, day: date) -> datetime:
    """`change_deadline` of a visit that ends on ``day``."""
    return local(day - timedelta(days=1), hub.change_deadline, hub.tz)


def check_time_and_place(
    request: VisitRequest, now: datetime, *, source: VisitSource = VisitSource.SELF
) -> None:
    """Everything about the period and the hub that needs no look at other bookings."""
    check_shape(request)
    check_not_past(request.period, now)
    check_horizon(request.hub, request.period, now)
    check_open(request.hub, request.period)
    check_length(request.hub, request.period)


def check_all(
    actor: Member,
    request: VisitRequest,
    households: set[int],
    *,
    ignore: Visit | None = None,
    in_series: bool = False,
) -> None:
    """Every rule, in reading order. ``households``: those of the children in the request that the member guards.

    ``in_series``: a date of a usual week, which counts by a limit of its own (decision 0016).
    """
    now = clock.now()
    check_time_and_place(request, now)
    check_member(actor, request.member, request.hub, hold=True)
    if not in_series:
        check_open_visits(request.member, request.hub, now, ignore=ignore)
    check_children(request, households)
    check_children_free(request, ignore=ignore)
