"""The manager's day (きょうのハブ), giving the seat on of somebody who did not come, and who is inside."""

from datetime import date, datetime, timedelta

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from hub.booking import no_show
from hub.booking.views import see_other
from hub.checkin.queries import Inside, inside_of
from hub.childcare.enums import ChildStatus
from hub.childcare.models import Child, RoomQuarter
from hub.childcare.queries import rooms_of
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import in_calendar, quarter_of
from hub.desk.board import Board, Kpi, State, board_of, next_opening
from hub.desk.pages import lacks, local_visits, me, page, refused
from hub.spaces.access import Action, allowed, staff_hub_ids, staff_page
from hub.spaces.models import Hub, Visit

SHORTFALL_DAYS = 14


def _chosen_day(text: str | None, today: date) -> date:
    """The day of the address; today where it says nothing or something that is no day."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return today
    return day if in_calendar(day) else today


def _is_fragment(request: HttpRequest) -> bool:
    """Whether a part of the page asks for itself; Back and reload get the whole page."""
    htmx = request.htmx  # type: ignore[attr-defined]  # HtmxMiddleware
    return bool(htmx) and not htmx.history_restore_request


@staff_page(Action.SEE_DAY)
@require_GET
def day(request: HttpRequest, hub: Hub) -> HttpResponse:
    """A day of the hub: five numbers, seats x hours or the same as a table, who has not come, what is missing.

    ``?d=`` another day, ``?view=table`` the table. No health text and no child's name.
    """
    now = clock.now().astimezone(hub.tz)
    language = get_language() or "ja"
    board = board_of(hub, _chosen_day(request.GET.get("d"), now.date()), now, language)
    rows = _room_quarters(hub, now)
    current = [row for row in rows if row.quarter == quarter_of(now)]
    lacking = lacks(hub, [row for row in rows if row.frozen_children])
    inside = inside_of(hub) if board.is_today else None
    may_decide = allowed(request.user, Action.DECIDE_CHILD, hub)
    table = request.GET.get("view") == "table"
    context = {
        "board": board,
        "today": now.date(),
        "now": now,
        "table": table,
        "numbers": _numbers(board, current, inside),
        "previous": board.day - timedelta(days=1),
        "next": board.day + timedelta(days=1),
        "next_open": next_opening(hub, board.day) if board.period is None else None,
        "here": f"{reverse('desk', args=[hub.slug])}?d={board.day.isoformat()}{'&view=table' if table else ''}",
        "hubs": _own_hubs(request),
        "grace": hub.grace_minutes,
        "pending": Child.objects.filter(hub=hub, status=ChildStatus.PENDING).count() if may_decide else 0,
        "shortfalls": lacking,
        "shortfall_day": lacking[0]["start"].date().isoformat() if lacking else "",
        "may_decide": may_decide,
        "may_roster": allowed(request.user, Action.MANAGE_ROSTER, hub),
        "may_book": allowed(request.user, Action.BOOK_FOR_OTHERS, hub),
    }
    response = page(request, hub, "day.html#fresh" if _is_fragment(request) else "day.html", "desk", context)
    patch_vary_headers(response, ("HX-Request",))
    return response


def _own_hubs(request: HttpRequest) -> list[Hub]:
    """Hubs whose day this person may see, when there is more than one."""
    ids = staff_hub_ids(request.user)
    if len(ids) < 2:
        return []
    hubs = Hub.objects.filter(pk__in=ids).order_by("pk")
    return [hub for hub in hubs if allowed(request.user, Action.SEE_DAY, hub)]


def _room_quarters(hub: Hub, now: datetime) -> list[RoomQuarter]:
    """The quarter that runs now in each room, and those of the next two weeks that lack something."""
    first = quarter_of(now)
    last = quarter_of(now + timedelta(days=SHORTFALL_DAYS + 1))
    rooms = {room.pk: room for room in rooms_of(hub)}
    found = RoomQuarter.objects.filter(
        Q(quarter=first) | Q(quarter__gt=first, quarter__lt=last, frozen_children__gt=0),
        room__in=list(rooms),
    )
    rows = list(found.order_by("quarter"))
    for row in rows:
        row.room = rooms[row.room_id]
    return rows


def _people(label: str, count: int, note: str, *, warns: bool = False, link: str = "") -> Kpi:
    return Kpi(label, str(count), ngettext("人", "人", count), note, warns, link)


def _numbers(board: Board, current: list[RoomQuarter], inside: Inside | None) -> list[Kpi]:
    """Five numbers, each with its unit and a line that says what it is measured by."""
    booked = _("予約 %(n)s人") % {"n": board.expected}
    most = max((half.children for half in board.halves), default=0)
    children = _people(_("子ども"), most, _("多い時・定員 %(n)s人") % {"n": board.places})
    if inside is not None:
        return _today(board, current, inside, booked)
    if board.is_past:
        unknown = sum(block.state == State.OVER for block in board.blocks)
        return [
            _seats(board), _people(_("来た人"), board.came, booked),
            _people(_("来なかった人"), board.missed, booked), children,
            _people(_("記録の ない人"), unknown, _("入口の 記録が ありません")),
        ]  # fmt: skip
    coming = [block for block in board.blocks if block.uses]
    return [
        _seats(board), _people(_("予約"), len(coming), _("これから 来る人")),
        _people(_("子どもと 来る人"), sum(bool(block.children) for block in coming), booked), children,
        _people(_("席なしで 来る人"), sum(block.visit.seat_id is None for block in coming), booked),
    ]  # fmt: skip


def _seats(board: Board) -> Kpi:
    """How full it is: now, while the hub is open; otherwise over the whole day."""
    label = _("席の 使われ方")
    if board.is_today and board.period and board.period.starts_at <= board.now < board.period.ends_at:
        held = board.seats_at(board.now)
        share = round(100 * held / board.seats) if board.seats else 0
        return Kpi(label, str(share), "%", _("いま %(n)s / %(all)s席") % {"n": held, "all": board.seats})
    most = max((half.seats for half in board.halves), default=0)
    note = _("多い時 %(n)s / %(all)s席") % {"n": most, "all": board.seats}
    return Kpi(label, str(board.used_share), "%", note)


def _today(board: Board, current: list[RoomQuarter], inside: Inside, booked: str) -> list[Kpi]:
    late = len(board.late)
    waited = _("%(n)s分 すぎました") if late else _("%(n)s分 すぎた人は いません")
    missing = sum(row.shortfall for row in current)
    staff = sum(row.staff for row in current)
    care = _("定員 %(places)s人・保育者 %(carers)s人") % {"places": board.places, "carers": staff}
    if missing:
        care = _("保育者が %(n)s人 足りません") % {"n": missing}
    both = _("大人 %(adults)s人・子ども %(children)s人")
    return [
        _seats(board),
        _people(_("来た人"), board.came, booked),
        _people(_("まだ 来ていない"), late, waited % {"n": board.hub.grace_minutes}, warns=late > 0),
        _people(_("預かる 子ども"), board.children_at(board.now), care, warns=missing > 0),
        _people(
            _("中にいる人"), inside.total, both % {"adults": inside.adults, "children": inside.children},
            link=reverse("desk_inside", args=[board.hub.slug]),
        ),
    ]  # fmt: skip


@staff_page(Action.BOOK_FOR_OTHERS)
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """席を空ける: first who it is and what happens, then one button; refused once somebody came."""
    visit = Visit.objects.filter(hub=hub, code=code).select_related("member", "seat", "hub").first()
    if visit is None:
        raise Http404
    back = reverse("desk", args=[hub.slug])
    try:
        if request.method == "POST":
            no_show.release(actor=me(request), code=code)
            messages.success(request, _("%(name)sさんの 予約を 空けました。") % {"name": visit.member.name})
            return see_other(back)
        no_show.check_missed(visit)
    except DomainError as error:
        return refused(request, hub, error, "desk", back=back)
    context = {"visit": local_visits([visit], hub)[0], "back": back}
    return page(request, hub, "day_release.html", "desk", context)


@staff_page(Action.SEE_INSIDE)
@require_GET
def inside(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Who is inside: families, staff, visitors, with the numbers on top. Made to be printed and carried outside."""
    found = inside_of(hub)
    context = {"inside": found, "at": found.at.astimezone(hub.tz)}
    template = "inside.html#fresh" if _is_fragment(request) else "inside.html"
    response = page(request, hub, template, "desk_inside", context)
    patch_vary_headers(response, ("HX-Request",))
    return response
