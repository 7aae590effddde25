"""Refusals in words: which child, which limit, which hours, how many are missing (ux.md sections 4 and 6)."""

from dataclasses import dataclass
from datetime import tzinfo

from django.utils.translation import gettext as _

from hub.booking import rules
from hub.booking.availability import Verdict
from hub.booking.requests import SeatMode, VisitRequest
from hub.childcare.capacity import ratios_on
from hub.childcare.enums import Limit
from hub.childcare.places import Binding, CareFull, ChildBusy
from hub.childcare.ratio import qualified, required
from hub.core.errors import DomainError
from hub.core.quarters import runs


@dataclass(frozen=True)
class Blocker:
    """One reason against, in words: ``code`` for machines, ``title`` and ``why`` for people."""

    code: str
    title: str
    why: str = ""
    status: int = 409


def class_words(age_class: int) -> str:
    """The group in which a class is counted, as people say it."""
    if age_class == 0:
        return _("0さい")
    if age_class in (1, 2):
        return _("1・2さい")
    return _("3さい") if age_class == 3 else _("4・5さい")


def when(binding: Binding, tz: tzinfo) -> str:
    """The refusing hours: 11:00 – 13:00, the first of several runs."""
    found = runs(binding.quarters)
    if not found:
        return ""
    local = found[0].in_zone(tz)
    return f"{local.starts_at:%-H:%M} – {local.ends_at:%-H:%M}"


def care_title(binding: Binding) -> str:
    name = binding.wish.child.name
    if binding.limit == Limit.NO_ROOM:
        return _("%(name)sさんを 預かる へやが ありません") % {"name": name}
    if binding.limit == Limit.CLOSED:
        return _("その時間は こどものへやが お休みです")
    return _("%(name)sさんの 預かりが いっぱいです") % {"name": name}


def care_why(binding: Binding, tz: tzinfo) -> str:
    """One or two short sentences: the hours, then the limit with its numbers."""
    group, hours = class_words(binding.age_class), when(binding, tz)
    row = binding.row
    match binding.limit:
        case Limit.STAFF:
            assert row is not None
            wanted = binding.counts.plus(binding.age_class)
            need = required(wanted, ratios_on(row), main_hours=row.in_main_hours)
            return _(
                "%(group)sは 保育者が %(missing)s人 足りません。"
                "%(hours)s は 子ども %(children)s人に 保育者 %(need)s人が きまりで、いるのは %(staff)s人です。"
            ) % {
                "group": group, "missing": binding.missing, "hours": hours, "children": wanted.children,
                "need": need, "staff": row.staff,
            }  # fmt: skip
        case Limit.QUALIFIED:
            assert row is not None
            need = qualified(binding.counts.plus(binding.age_class), ratios_on(row))
            return _("%(hours)s は 保育士が %(missing)s人 足りません。きまりでは %(need)s人 いります。") % {
                "hours": hours,
                "missing": binding.missing,
                "need": need,
            }
        case Limit.PLACES:
            return _("%(hours)s は 定員 %(places)s人まで うまっています。") % {
                "hours": hours, "places": row.places if row else 0,
            }  # fmt: skip
        case Limit.AREA_INFANT | Limit.AREA_TODDLER:
            most = (
                (row.infant_limit if binding.limit == Limit.AREA_INFANT else row.toddler_limit) if row else 0
            )
            return _("%(hours)s は へやの 広さで %(most)s人までです。もう いっぱいです。") % {
                "hours": hours,
                "most": most,
            }
        case Limit.SHORTFALL:
            return _("%(hours)s は 保育者が 足りなくなりました。新しい 予約は できません。") % {
                "hours": hours
            }
        case Limit.NO_ROOM:
            return _("%(group)sクラスは このハブでは 預かっていません。") % {"group": group}
    return _("%(hours)s は 預かりを していません。") % {"hours": hours}


def blocker_of(error: DomainError, request: VisitRequest) -> Blocker:
    """A rule's refusal as a blocker."""
    if isinstance(error, CareFull) and error.facts.get("binding"):
        binding = error.facts["binding"]
        return Blocker(error.code, care_title(binding), care_why(binding, request.hub.tz), error.status)
    if isinstance(error, ChildBusy) and error.facts.get("child"):
        return Blocker(error.code, _child_busy(error.facts["child"].name), "", error.status)
    return Blocker(error.code, str(error.message), "", error.status)


def _child_busy(name: str) -> str:
    return _("%(name)sさんは その時間に もう 預かりの 予約が あります") % {"name": name}


def blockers_of(verdict: Verdict, request: VisitRequest) -> list[Blocker]:
    """Everything that a look at the bookings says against ``request``."""
    found: list[Blocker] = []
    if verdict.member_busy:
        found.append(Blocker("member_busy", _("その時間には もう 別の 予約が あります")))
    if verdict.child_busy is not None:
        found.append(Blocker("child_busy", _child_busy(verdict.child_busy.name)))
    if verdict.binding is not None and verdict.child_busy is None:
        title, why = care_title(verdict.binding), care_why(verdict.binding, request.hub.tz)
        found.append(Blocker("care_full", title, why))
    if not verdict.seat_ok:
        closed = rules.closed_zone_of(request)
        if closed is not None:
            return [*found, Blocker(closed.code, str(closed.message))]
        if request.seat.mode == SeatMode.SEAT and request.seat.seat is not None:
            title = _("席 %(label)s は その時間 うまっています") % {"label": request.seat.seat.label}
        else:
            title = _("その時間の 席が いっぱいです")
        found.append(Blocker("seat_taken", title))
    return found


def bare(title: str) -> str:
    """A title without its full stop, as headings have none."""
    return title.rstrip("。.")


def joined(title: str, why: str) -> str:
    """A heading and its reason as two sentences of one paragraph."""
    return _("%(title)s。%(why)s") % {"title": bare(title), "why": why}
