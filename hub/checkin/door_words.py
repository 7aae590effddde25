"""One answer of the door as a full page: word, shape, sentence, and what can be done next (ux.md page 6).

Nothing here speaks of health: the door knows names, times, seats, and how many children (ux.md 2.7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hub.booking import quotes, words
from hub.booking.presenters import seat_words
from hub.booking.services import may_change
from hub.booking.templatetags.booking import named
from hub.checkin.answers import Answer
from hub.checkin.enums import ACCEPTED, Result
from hub.checkin.undo import WITHIN
from hub.checkin.walk_in import SEATLESS
from hub.childcare.queries import in_care_through
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.templatetags.hidamari import duration, jdate, jtime, period
from hub.members.models import Member
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Hub

#: Circle, person in a frame, octagon, signpost: shape and colour of each word (ux.md page 6).
SHAPES = {
    Result.OK: "ok", Result.OUT: "ok", Result.ALREADY_IN: "in", Result.NOT_IN: "in",
    Result.CHILDREN_INSIDE: "in", Result.WRONG_HUB: "wrong",
}  # fmt: skip


# ---------------------------------------------------------------- one answer


@dataclass(frozen=True)
class ResultPage:
    """One scan's answer in words; what can be done next follows from the flags."""

    answer: Answer
    at: datetime
    shape: str  # ok, in, none, wrong, undone
    word: str
    sentence: str
    rows: tuple[tuple[str, str], ...]  # icon, text
    undo_left: int = 0  # seconds
    move_url: str = ""

    @property
    def code(self) -> str:
        return self.answer.result

    @property
    def returns(self) -> bool:
        """Whether the camera comes back by itself."""
        return self.code == Result.OK and not self.answer.is_undone

    @property
    def alerts(self) -> bool:
        return self.shape not in ("ok", "undone")

    @property
    def can_seat(self) -> bool:
        return self.code in SEATLESS and self.answer.member is not None and not self.is_past

    @property
    def is_past(self) -> bool:
        """An answer of another day is history: nothing to do with it."""
        return clock.now() - self.answer.scan.received_at > timedelta(hours=1)


def page_of(answer: Answer, reader: Member) -> ResultPage:
    """The result as a page for ``reader``."""
    hub = answer.hub
    undo_left = 0
    if answer.result in ACCEPTED and not answer.is_undone:
        gone = clock.now() - answer.scan.received_at
        undo_left = max(0, int((WITHIN - gone).total_seconds()))
    if answer.is_undone:
        shape, word, sentence = "undone", _("取り消しました"), _("この読みとりは なかったことに なりました")
    else:
        shape = SHAPES.get(Result(answer.result), "none")
        word, sentence = str(Result(answer.result).label), _sentence(answer)
    return ResultPage(
        answer=answer, at=answer.scan.scanned_at.astimezone(hub.tz), shape=shape, word=word, sentence=sentence,
        rows=tuple(_rows(answer)), undo_left=undo_left, move_url=_move_url(answer, reader),
    )  # fmt: skip


def _clock(moment: datetime, hub: Hub) -> str:
    return jtime(moment.astimezone(hub.tz))


def _sentence(answer: Answer) -> str:
    hub, visit, presence = answer.hub, answer.visit, answer.presence
    match answer.result, answer.reason:
        case Result.OK, "re_entry":
            return _("おかえりなさい。入館を 記録しました")
        case Result.OK, "staff":
            return _("スタッフの 入館を 記録しました")
        case Result.OK, _reason:
            return _("入館を 記録しました")
        case Result.OUT, "children_stay":
            return _("退館を 記録しました。子どもは へやに います")
        case Result.OUT, _reason:
            return _("退館を 記録しました")
        case Result.ALREADY_IN, _reason if presence is not None:
            return _("%(time)s に 入りました（受付：%(who)s）") % {
                "time": _clock(presence.entered_at, hub), "who": presence.entered_by,
            }  # fmt: skip
        case Result.NOT_IN, "elsewhere" if presence is not None:
            return _("いまは %(hub)sに います") % {"hub": named(presence.hub)}
        case Result.NOT_IN, _reason:
            return _("入館の 記録が ありません")
        case Result.NOT_BOOKED, "released":
            return _("時間に 来なかったので、席を 空けました")
        case Result.NOT_BOOKED, _reason:
            return _("いま 入れる 予約が ありません")
        case Result.WRONG_HUB, "other_pass":
            other = answer.other_hub
            return _("%(hub)sの QR です") % {"hub": named(other) if other else _("ほかの ハブ")}
        case Result.WRONG_HUB, _reason if visit is not None:
            return _("%(hub)sの 予約です") % {"hub": named(visit.hub)}
        case Result.NOT_TODAY, _reason:
            return _("きょうの QR では ありません。QR の 画面を 開き直してください")
        case Result.TOO_EARLY, _reason if visit is not None:
            opens = visit.starts_at - timedelta(minutes=hub.early_minutes)
            return _("%(time)s から 入れます") % {"time": _clock(opens, hub)}
        case Result.CANCELLED, VisitStatus.CANCELLED_BY_HUB:
            return _("ハブの 都合で 中止に なった 予約です")
        case Result.CANCELLED, _reason:
            return _("本人が やめた 予約です")
        case Result.CHILDREN_INSIDE, _reason:
            return _("先に こどものへやへ お迎えを お願いします")
        case Result.BLOCKED, _reason:
            return _("ハブの 責任者を 呼んでください")
        case Result.INVALID, "unknown_code":
            return _("この番号は、きょうの このハブの ものでは ありません")
        case Result.INVALID, "unreadable":
            return _("ここで 使う QR では ありません")
    return _("この QR は 使えません。画面を 開き直してください")


def _rows(answer: Answer) -> list[tuple[str, str]]:
    """What stands on the slip below the name: hours, seat, how many children; or the next visit."""
    hub, visit = answer.hub, answer.visit
    found: list[tuple[str, str]] = []
    result = answer.result
    if visit is not None:
        when = visit.period.in_zone(visit.hub.tz)
        hours = period(when.starts_at, when.ends_at)
        same_day = when.starts_at.date() == answer.scan.scanned_at.astimezone(visit.hub.tz).date()
        if result in (Result.NOT_BOOKED, Result.NOT_TODAY):
            where = "" if visit.hub_id == hub.pk else f"　{named(visit.hub)}"
            found.append(
                (
                    "cal",
                    _("つぎの予約は %(when)s")
                    % {"when": f"{jdate(when.starts_at)} {jtime(when.starts_at)}{where}"},
                )
            )
        else:
            found.append(("clock", hours if same_day else f"{jdate(when.starts_at)} {hours}"))
        if result == Result.WRONG_HUB:
            found.append(("pin", named(visit.hub)))
        if visit.seat is not None and result in (Result.OK, Result.ALREADY_IN, Result.TOO_EARLY):
            found.append(
                (
                    "seat",
                    _("席 %(label)s　%(about)s")
                    % {"label": visit.seat.label, "about": seat_words(visit.seat)},
                )
            )
    elif (
        answer.presence is not None
        and answer.presence.visit is None
        and result in (*ACCEPTED, Result.ALREADY_IN)
    ):
        found.append(("user", _("スタッフ")))
    found += _children(answer)
    return found


def _children(answer: Answer) -> list[tuple[str, str]]:
    if answer.result == Result.OK and answer.children:
        n = answer.children
        text = ngettext("子ども %(n)s人　こどものへやへ ご案内", "子ども %(n)s人　こどものへやへ ご案内", n)
        return [("child", text % {"n": n})]
    if answer.result in (Result.ALREADY_IN, Result.CHILDREN_INSIDE) and answer.member is not None:
        n = in_care_through(answer.member).count()
        if n:
            return [
                (
                    "child",
                    ngettext("子ども %(n)s人が へやに います", "子ども %(n)s人が へやに います", n)
                    % {"n": n},
                )
            ]
    return []


def _move_url(answer: Answer, reader: Member) -> str:
    """Where a booking of another hub is moved here, for whoever may change it there."""
    visit = answer.visit
    if answer.result != Result.WRONG_HUB or visit is None or not may_change(reader, visit):
        return ""
    when = visit.period.in_zone(visit.hub.tz)
    asked = {
        "visit": visit.code, "hub": answer.hub.slug, "d": when.starts_at.date().isoformat(), "p": "own",
        "from": f"{when.starts_at:%H:%M}", "to": f"{when.ends_at:%H:%M}",
    }  # fmt: skip
    return f"{reverse('book')}?{urlencode(asked)}"


# ---------------------------------------------------------------- no seat


@dataclass(frozen=True)
class Refusal:
    """Why there is no seat now, and what else would do."""

    title: str
    why: str
    offers: Sequence[tuple[str, str, str]] = ()  # address, when, why this one


def refusal_of(error: DomainError, actor: Member) -> Refusal:
    """The booking's own reason and alternatives, each a link into the two steps for that person."""
    wish = error.facts.get("request")
    if wish is None:
        return Refusal(str(error.message), "")
    blocker = words.blocker_of(error, wish)
    offers = []
    for one in quotes.next_best(actor=actor, request=wish) if error.status == 409 else []:
        when = one.request.period.in_zone(one.request.hub.tz)
        query = [
            ("for", wish.member.code), ("hub", one.request.hub.slug), ("d", when.starts_at.date().isoformat()),
            ("p", "own"), ("from", f"{when.starts_at:%H:%M}"), ("to", f"{when.ends_at:%H:%M}"),
            *[("c", want.child.code) for want in one.request.children],
        ]  # fmt: skip
        is_here = one.request.hub.pk == wish.hub.pk
        note = duration(one.request.period.length) if is_here else named(one.request.hub)
        title = f"{jdate(when.starts_at)} {period(when.starts_at, when.ends_at)}"
        offers.append((f"{reverse('book')}?{urlencode(query)}", title, note))
    return Refusal(blocker.title, blocker.why, tuple(offers))
