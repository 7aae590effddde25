"""What the pages of booking show, as plain values: templates only read, no rule lives in them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from unicodedata import east_asian_width

from django.urls import reverse
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from hub.booking import words
from hub.booking.availability import Snapshot, sign, snapshot
from hub.booking.enums import ExcuseKind
from hub.booking.forms import STRIP_DAYS, Answers, Preset, presets_of, running_quarter, steps_between
from hub.booking.quotes import NEXT_DAYS, Alternative, Kind, Quote, quote
from hub.booking.requests import ChildWish, SeatMode, SeatWish, VisitRequest
from hub.booking.rules import change_deadline, deadline_of
from hub.booking.templatetags.booking import named
from hub.childcare.enums import ChildStatus
from hub.childcare.models import CarePlace, Child
from hub.childcare.places import Binding, Wish
from hub.childcare.queries import rooms_of
from hub.childcare.ratio import SCHOOL_AGE, class_age
from hub.core import clock
from hub.core.quarters import MINUTES, Period, local, quarter_of, start_of
from hub.core.templatetags.hidamari import duration
from hub.members.models import Member
from hub.spaces.enums import VisitStatus
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub, Seat, Visit, Zone

RECEPTION = timedelta(minutes=10)  # with children: so much earlier at the reception
PLAN_ROWS = 48


def language() -> str:
    return get_language() or "ja"


def _state(kind: str) -> str:
    """The word of `availability.sign` as the templates' filters know it."""
    return "free" if kind == "ok" else kind


# ---------------------------------------------------------------- step 1


@dataclass(frozen=True)
class DayChoice:
    """One day of the strip: a mark, a word for it, and whether it can be chosen."""

    date: date
    state: str
    word: str
    chosen: bool = False

    @property
    def off(self) -> bool:
        return self.state in ("closed", "none")


@dataclass(frozen=True)
class Cell:
    state: str
    word: str
    on: bool = False


@dataclass(frozen=True)
class Row:
    label: str
    cells: list[Cell]


@dataclass(frozen=True)
class ChildCard:
    """A child on the first step: chosen or not, for which part of the time, or why she cannot be chosen."""

    child: Child
    age_class: int
    chosen: bool
    why_not: str = ""
    part_from: time | None = None
    part_to: time | None = None


@dataclass(frozen=True)
class ChildLine:
    """One child in the result: does she fit?"""

    child: Child
    age_class: int
    state: str
    word: str
    period: Period


@dataclass(frozen=True)
class Offer:
    """Another request that would fit, as a link to the same page."""

    query: str
    title: str
    starts: datetime | None = None
    ends: datetime | None = None
    note: str = ""
    icon: str = "clock"


@dataclass
class StepOne:
    """The first step, complete."""

    answers: Answers
    quote: Quote
    days: list[DayChoice]
    presets: list[Preset]
    start_options: list[time]
    end_options: list[time]
    cards: list[ChildCard]
    starts: datetime
    ends: datetime
    hours: list[int] = field(default_factory=list)
    bar: list[Row] = field(default_factory=list)
    zones: list[tuple[Zone, int, str]] = field(default_factory=list)
    lines: list[ChildLine] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    others: list[Offer] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)  # field, sentence (422)

    @property
    def ok(self) -> bool:
        return self.quote.ok

    @property
    def title(self) -> str:
        """The verdict as a heading."""
        if self.ok:
            return _("予約できます")
        return words.bare(self.quote.blockers[0].title)

    @property
    def short(self) -> str:
        """What stands beside the verdict in the bar."""
        if not self.ok:
            return ""
        return _("席も 子どもも 空き") if self.answers.children else _("席が 空いています")

    @property
    def whys(self) -> list[str]:
        """Reasons with their numbers, each once."""
        found: list[str] = []
        for n, blocker in enumerate(self.quote.blockers):
            text = blocker.why if n == 0 else words.joined(blocker.title, blocker.why)
            if text and text not in found:
                found.append(text)
        return found

    @property
    def can_wait(self) -> bool:
        """Full, and nothing else: what could come true when somebody else makes room."""
        full = {"seat_taken", "care_full"}
        return self.answers.visit is None and not self.ok and {b.code for b in self.quote.blockers} <= full

    @property
    def month(self) -> date:
        return self.answers.day

    @property
    def deadline(self) -> time:
        return self.answers.hub.change_deadline

    @property
    def late(self) -> bool:
        """Whether cancelling what is booked now would be a late change already."""
        answers = self.answers
        return answers.day > date.min and clock.now() > deadline_of(answers.hub, answers.day)


def look(answers: Answers) -> tuple[Quote, Snapshot, date]:
    """The verdict on the answers, the picture it was made from, and the first day of the strip: one look for all."""
    hub, today = answers.hub, clock.today(answers.hub.tz)
    horizon = today + timedelta(days=hub.horizon_days)
    first = today if answers.day < today + timedelta(days=STRIP_DAYS) else answers.day - timedelta(days=3)
    first = min(first, horizon)
    last = min(max(first + timedelta(days=STRIP_DAYS - 1), answers.day + timedelta(days=NEXT_DAYS)), horizon)
    last = max(last, first)
    shot = snapshot(
        hub, first, last, member=answers.member, children=list(answers.children), ignore=answers.visit
    )
    request = answers.request()
    verdict = quote(actor=answers.actor, request=request, visit=answers.visit, shot=shot)
    return verdict, shot, first


def step_one(answers: Answers) -> StepOne:
    """Everything that the first step shows."""
    verdict, shot, first = look(answers)
    hub, now = answers.hub, clock.now()
    when = answers.period
    options = _options(answers, shot, now)
    page = StepOne(
        answers=answers,
        quote=verdict,
        days=_days(answers, shot, first, now),
        presets=presets_of(hub, answers.day, now),
        start_options=sorted({*options[:-1], answers.starts}),
        end_options=sorted({*options[1:], answers.ends}),
        cards=[_card(answers, child) for child in answers.family],
        starts=when.starts_at,
        ends=when.ends_at,
        errors=[(_field_of(b.code), b.title) for b in verdict.blockers if b.status == 422],
    )
    if page.errors:
        return page
    page.hours, page.bar = _bar(answers, shot, now)
    if verdict.verdict is not None:
        closed = shot.facts.zones_closed(when)
        page.zones = [
            (zone, free, "closed" if zone.pk in closed else _state(sign(free, total)))
            for zone, free, total in shot.free_by_zone(when)
            if total
        ]
        page.lines = _lines(answers, verdict, shot)
    page.offers = [_offer(answers, one) for one in verdict.alternatives]
    page.others = _others(answers, verdict, shot)
    return page


def _field_of(code: str) -> str:
    return {"part_outside": "kids", "too_many_children": "kids", "child_twice": "kids"}.get(code, "to")


def _options(answers: Answers, shot: Snapshot, now: datetime) -> list[time]:
    """Times to choose from on that day: the hub's steps inside its hours, of today only those to come."""
    opening = shot.facts.day(answers.day).period
    if opening is None:
        opening = next((shot.facts.day(answers.day + timedelta(days=n)).period for n in range(1, 8)), None)
    if opening is None:
        return [answers.starts, answers.ends]
    hours = opening.in_zone(answers.hub.tz)
    opens, closes = hours.starts_at.time(), hours.ends_at.time()
    here = now.astimezone(answers.hub.tz)
    if answers.day == here.date():
        opens = max(opens, running_quarter(here))
    found = steps_between(opens, closes, answers.hub.page_step)
    return [*found, closes] if found and found[-1] != closes else found


def _card(answers: Answers, child: Child) -> ChildCard:
    age_class = class_age(child.birthday, answers.day)
    why = ""
    if age_class >= SCHOOL_AGE:
        why = _("小学生からは お預かり できません。")
    elif child.status == ChildStatus.RETURNED:
        why = _("登録に なおす ところが あります。")
    elif child.status != ChildStatus.APPROVED:
        why = _("登録の 確認を 待っています。")
    starts, ends = answers.parts.get(child.code, (None, None))
    return ChildCard(child, age_class, child in answers.children, why, starts, ends)


def _days(answers: Answers, shot: Snapshot, first: date, now: datetime) -> list[DayChoice]:
    """The strip: each day with the chosen time and children, so that × means × for this family."""
    hub = answers.hub
    today = now.astimezone(hub.tz).date()
    out = []
    for n in range(STRIP_DAYS):
        day = first + timedelta(days=n)
        state, word = _day_state(answers, shot, day, today, now)
        out.append(DayChoice(day, state, word, day == answers.day))
    return out


def _day_state(answers: Answers, shot: Snapshot, day: date, today: date, now: datetime) -> tuple[str, str]:
    hub = answers.hub
    if day > today + timedelta(days=hub.horizon_days):
        return "none", _("まだ えらべません")
    info = shot.facts.day(day, language())
    if info.period is None:
        return "closed", _("お休み %(reason)s") % {"reason": info.reason} if info.reason else _("お休み")
    if answers.ends <= answers.starts:
        return "free", _("空きあり")  # no marks to work out before the times make sense
    when = _same_time(answers, day, info.period, now)
    if when is None:
        return "none", _("きょうは 終わりました") if day == today else _("この時間は 開いていません")
    request = answers.request().at(when)
    verdict = shot.verdict(request)
    if not verdict.ok:
        return "full", _("もう 予約が あります") if verdict.member_busy else _("いっぱい")
    state = _state(sign(len(verdict.seats), len(shot.facts.seats)))
    return state, _("のこり少し") if state == "few" else _("空きあり")


def _same_time(answers: Answers, day: date, opening: Period, now: datetime) -> Period | None:
    """The chosen time on another day: that day's preset, or the same hours cut to what is open and to come."""
    tz = answers.hub.tz
    starts, ends = answers.starts, answers.ends
    if answers.preset != "own":
        found = presets_of(answers.hub, day, now)
        if not found:
            return None
        one = next((preset for preset in found if preset.code == answers.preset), found[0])
        starts, ends = one.starts, one.ends
    earliest = max(opening.starts_at, start_of(quarter_of(now)).astimezone(tz))
    cut = Period(max(local(day, starts, tz), earliest), min(local(day, ends, tz), opening.ends_at))
    return cut if cut.starts_at < cut.ends_at else None


def _bar(answers: Answers, shot: Snapshot, now: datetime) -> tuple[list[int], list[Row]]:
    """The day by the hour: seats, and the chosen children (or, before choosing, all that could come)."""
    opening = shot.facts.day(answers.day).period
    if opening is None or answers.day > shot.last:
        return [], []
    hub, tz = answers.hub, answers.hub.tz
    hours_open = opening.in_zone(tz)
    hours = list(range(hours_open.starts_at.hour, hours_open.ends_at.hour + (hours_open.ends_at.minute > 0)))
    children = list(answers.children) or [
        card.child for card in (_card(answers, child) for child in answers.family) if not card.why_not
    ]
    seats: list[Cell] = []
    care: list[Cell] = []
    when = answers.period
    for hour in hours:
        start = local(answers.day, time(hour), tz)
        whole = Period(max(start, hours_open.starts_at), min(start + timedelta(hours=1), hours_open.ends_at))
        on = whole.overlaps(when)
        left = Period(max(whole.starts_at, start_of(quarter_of(now)).astimezone(tz)), whole.ends_at)
        if left.starts_at >= left.ends_at:
            seats.append(Cell("none", _("すぎました"), on))
            care.append(Cell("none", _("すぎました"), on))
            continue
        state = _state(sign(len(shot.free_seats(left)), len(shot.facts.seats)))
        seats.append(Cell(state, _word(state), on))
        state = _care_state(shot, [Wish(child, left) for child in children])
        care.append(Cell(state, _word(state), on))
    rows = [Row(pgettext("bar", "席"), seats)]
    if children and rooms_of(hub):
        rows.append(Row(pgettext("bar", "子ども"), care))
    return hours, rows


def _word(state: str) -> str:
    return {"free": _("空きあり"), "few": _("のこり少し"), "full": _("いっぱい")}.get(state, _("お休み"))


def _care_state(shot: Snapshot, wishes: Sequence[Wish]) -> str:
    """○ when as many again would fit, △ when just these do, × when they do not."""
    for wish in wishes:
        busy = shot.children_busy.get(wish.child.pk, ())
        if any(quarter in busy for quarter in wish.period.quarters):
            return "full"
    if isinstance(shot.care(wishes), Binding):
        return "full"
    return "few" if isinstance(shot.care([*wishes, *wishes]), Binding) else "free"


def _lines(answers: Answers, verdict: Quote, shot: Snapshot) -> list[ChildLine]:
    """Each chosen child: fits, or not; if only all of them together do not fit, the one who is too many."""
    assert verdict.verdict is not None
    out = []
    binding = verdict.verdict.binding
    wishes = answers.request().wishes
    alone = [isinstance(shot.care([wish]), Binding) for wish in wishes]
    for wish, full in zip(wishes, alone, strict=True):
        together = binding is not None and not any(alone) and binding.wish.child.pk == wish.child.pk
        age_class = class_age(wish.child.birthday, answers.day)
        period = wish.period.in_zone(answers.hub.tz)
        if any(q in shot.children_busy.get(wish.child.pk, ()) for q in wish.period.quarters):
            out.append(ChildLine(wish.child, age_class, "full", _("もう 予約が あります"), period))
        elif full or together:
            out.append(ChildLine(wish.child, age_class, "full", _("いっぱい"), period))
        else:
            out.append(ChildLine(wish.child, age_class, "free", _("預かれます"), period))
    return out


def offer_note(answers: Answers, one: Alternative) -> str:
    """Why this alternative: おなじ日, 2時間, つぎの日・おなじ時間."""
    match one.kind:
        case Kind.SAME_DAY:
            return _("おなじ日・おなじ長さ")
        case Kind.SHORTER:
            return _("おなじ日・%(long)s") % {"long": duration(one.request.period.length)}
        case Kind.OTHER_HUB:
            return _("%(hub)s・おなじ時間") % {"hub": named(one.request.hub)}
    day = one.request.period.starts_at.astimezone(answers.hub.tz).date()
    return _("つぎの日・おなじ時間") if (day - answers.day).days == 1 else _("おなじ時間")


def _offer(answers: Answers, one: Alternative) -> Offer:
    when = one.request.period.in_zone(one.request.hub.tz)
    pictures = {Kind.OTHER_DAY: "cal", Kind.OTHER_HUB: "pin"}
    return Offer(
        query=answers.query_for(one.request), title="", starts=when.starts_at, ends=when.ends_at,
        note=offer_note(answers, one), icon=pictures.get(one.kind, "clock"),
    )  # fmt: skip


def offers_of(answers: Answers, found: Sequence[Alternative]) -> list[Offer]:
    return [_offer(answers, one) for one in found]


def _others(answers: Answers, verdict: Quote, shot: Snapshot) -> list[Offer]:
    """Other ways at the same time: only those children that fit, or the seat alone."""
    if verdict.ok or verdict.verdict is None or verdict.verdict.member_busy or not answers.children:
        return []
    request = answers.request()
    found = []
    for left_out in request.children:
        rest = tuple(want for want in request.children if want != left_out)
        smaller = replace(request, children=rest)
        if shot.verdict(smaller).ok:
            names = _("・").join(want.child.name for want in rest)
            title = (
                _("%(names)sだけ 預けて 予約する") % {"names": names}
                if rest
                else _("預けずに 席だけ 予約する")
            )
            found.append(Offer(answers.query_for(smaller), title, icon="child" if rest else "seat"))
    if not found and len(request.children) > 1 and shot.verdict(replace(request, children=())).ok:
        query = answers.query_for(replace(request, children=()))
        found.append(Offer(query, _("預けずに 席だけ 予約する"), icon="seat"))
    return found


# ---------------------------------------------------------------- step 2


@dataclass(frozen=True)
class SeatSpot:
    """A seat on the plan and in the list."""

    label: str
    about: str
    taken: bool
    x: int = 0
    y: int = 0


@dataclass(frozen=True)
class Mark:
    """Something on the plan that is no seat: a zone's name, a desk, the children's room, the entrance."""

    kind: str
    x: int
    y: int
    w: int
    h: int
    text: str = ""


@dataclass(frozen=True)
class ZoneList:
    zone: Zone
    seats: list[SeatSpot]
    free: int
    closed: str = ""  # why nobody sits there at that time

    @property
    def value(self) -> str:
        """What the form sends for "anywhere in this zone"."""
        return f"zone:{self.zone.slug}"


@dataclass
class StepTwo:
    answers: Answers
    starts: datetime
    ends: datetime
    spots: list[SeatSpot]
    marks: list[Mark]
    zones: list[ZoneList]
    picked: str
    key: str = ""

    @property
    def picked_words(self) -> str:
        """What was picked, in words: for the bar."""
        spot = next((spot for spot in self.spots if spot.label == self.picked), None)
        if spot is not None:
            return spot.about
        return ""

    @property
    def back(self) -> str:
        return f"{reverse('book')}?{self.answers.query()}"

    @property
    def any_query(self) -> str:
        return self.answers.query(seat=SeatMode.ANY.value)

    @property
    def map_query(self) -> str:
        return self.answers.query(seat=self.picked, view=None)

    @property
    def list_query(self) -> str:
        return self.answers.query(seat=self.picked, view="list")

    @property
    def picked_title(self) -> str:
        return seat_title(self.answers, self.picked)

    @property
    def action(self) -> str:
        return action_words(self.answers, self.picked)


def seat_title(answers: Answers, picked: str) -> str:
    """The picked seat or way to find one, short."""
    if picked == SeatMode.ANY or not picked:
        return _("おまかせ")
    if picked == SeatMode.NONE:
        return _("席なし")
    if picked.startswith("zone:"):
        zone = next((zone for zone in facts_of(answers.hub).zones if zone.slug == picked[5:]), None)
        return named(zone) if zone else _("おまかせ")
    return picked


def action_words(answers: Answers, picked: str) -> str:
    """The verb of the button: A3 で 予約する."""
    what = seat_title(answers, picked)
    if answers.visit is not None:
        return _("%(seat)s に 変える") % {"seat": what}
    if picked == SeatMode.NONE:
        return _("席なしで 予約する")
    return _("%(seat)s で 予約する") % {"seat": what}


def seat_words(seat: Seat) -> str:
    """What a seat offers, in words: まどぎわ・しずかな席・電源あり."""
    found = [_("まどぎわ")] if seat.has_window else []
    found.append(named(seat.zone))
    if seat.has_power:
        found.append(_("電源あり"))
    if seat.has_monitor:
        found.append(_("モニターあり"))
    return _("・").join(found)


def step_two(answers: Answers, shot: Snapshot, best: Sequence[Seat]) -> StepTwo:
    """The seats at that time, on the plan and as a list. ``best``: free seats, the best first."""
    facts = facts_of(answers.hub)
    free = {seat.pk for seat in shot.free_seats(answers.period)}
    closed = facts.zones_closed(answers.period)
    rows, marks = plan_of(facts.seats, has_room=bool(rooms_of(answers.hub)))
    spots = [
        SeatSpot(seat.label, seat_words(seat), seat.pk not in free, seat.plan_x * 4, rows.get(seat.plan_y, 0))
        for seat in facts.seats
    ]
    taken = {spot.label: spot.taken for spot in spots}
    picked = answers.seat
    if not picked or taken.get(picked, False):
        picked = best[0].label if best else SeatMode.ANY.value
    zones = [
        ZoneList(
            zone,
            [spot for seat, spot in zip(facts.seats, spots, strict=True) if seat.zone_id == zone.pk],
            sum(1 for seat in facts.seats if seat.zone_id == zone.pk and seat.pk in free),
            closed.get(zone.pk, ""),
        )
        for zone in facts.zones
    ]
    when = answers.period
    return StepTwo(answers, when.starts_at, when.ends_at, spots, marks, [z for z in zones if z.seats], picked)


def plan_of(seats: Sequence[Seat], *, has_room: bool) -> tuple[dict[int, int], list[Mark]]:
    """Where each row of seats stands on the plan of 24 columns, and what stands between them.

    Empty marks mean that no plan can be drawn (two seats on one spot, too many rows): then the list is shown.
    """
    spots = {(seat.plan_x, seat.plan_y) for seat in seats}
    if len(spots) != len(seats) or not seats:
        return {}, []
    marks: list[Mark] = []
    rows: dict[int, int] = {}
    y, seen, before = 0, set[int](), set[int]()
    for plan_y in sorted({seat.plan_y for seat in seats}):
        here = sorted((seat for seat in seats if seat.plan_y == plan_y), key=lambda seat: seat.plan_x)
        zones_here = {seat.zone_id for seat in here}
        fresh = [zone_id for zone_id in dict.fromkeys(seat.zone_id for seat in here) if zone_id not in seen]
        if plan_y == min(seat.plan_y for seat in seats) and any(seat.has_window for seat in here):
            marks.append(Mark("window", 0, 0, 24, 1))
            y = 1
        if fresh:
            y += 1 if rows else 0
            firsts = {zone_id: next(seat for seat in here if seat.zone_id == zone_id) for zone_id in fresh}
            found = _labels([(seat.plan_x * 4, named(seat.zone)) for seat in firsts.values()])
            high = 2 * max(_label_lines(label.text, label.w) for label in found)
            marks += [replace(label, y=y, h=high) for label in found]
            y += high
            seen |= set(fresh)
        elif zones_here == before and len(here) > 3:
            marks.append(Mark("desk", 0, y, 24, 1))
            y += 1
        rows[plan_y] = y
        for seat, after in itertools.pairwise(here):
            if after.plan_x - seat.plan_x == 2 and after.zone_id == seat.zone_id:
                marks.append(Mark("desk", seat.plan_x * 4 + 4, y, 4, 4))
        y += 4
        before = zones_here
    y += 1
    if has_room:
        marks.append(Mark("care-room", 0, y, 14, 6, _("こどものへや")))
    marks.append(Mark("door", 16, y + 3 if has_room else y, 8, 3, _("▲ 入口")))
    return (rows, marks) if y + 6 <= PLAN_ROWS else ({}, [])


def _label_columns(text: str) -> int:
    """How many of the 24 columns a zone's name takes in one line on the smallest phone (320 px: 10 px each)."""
    return -(-sum(17 if east_asian_width(letter) in "WF" else 10 for letter in text) // 10)


def _label_lines(text: str, wide: int) -> int:
    return min(3, -(-_label_columns(text) // wide))


def _labels(names: Sequence[tuple[int, str]]) -> list[Mark]:
    """Names of zones that begin in one row, each above its seats; a long one takes room that its left one leaves."""
    names = sorted(names)
    out: list[Mark] = []
    for n, (left, text) in enumerate(names):
        right = names[n + 1][0] if n + 1 < len(names) else 24
        kind = "zone-name"
        if out and _label_columns(text) > right - left:
            spare = out[-1].x + min(_label_columns(out[-1].text), out[-1].w) + 1
            if spare < left:
                out[-1] = replace(out[-1], w=spare - out[-1].x)
                left, kind = spare, "zone-name to-end"
        out.append(Mark(kind, left, 0, right - left, 2, text))
    return out


# ---------------------------------------------------------------- visits


@dataclass(frozen=True)
class PlaceLine:
    """A child's place in a visit; ``part`` where it is shorter than the visit."""

    child: Child
    age_class: int
    starts: datetime
    ends: datetime
    part: bool
    mine: bool = False  # a child of the reader's household: she may give the place back


@dataclass(frozen=True)
class VisitCard:
    """A visit as its reader may see it. Times are the hub's wall clock."""

    visit: Visit
    starts: datetime
    ends: datetime
    places: list[PlaceLine]
    own: bool
    may_change: bool
    now: datetime

    @property
    def hub(self) -> Hub:
        return self.visit.hub

    @property
    def as_staff(self) -> bool:
        """Neither her visit nor a child of hers in it: she reads it as staff, and goes back to the hub's day."""
        return not self.own and not any(place.mine for place in self.places)

    @property
    def series_code(self) -> str:
        """The usual week that this visit is a date of; empty for a single visit."""
        date = getattr(
            self.visit, "series_date", None
        )  # a reverse relation that nothing stands behind raises
        return date.series.code if date else ""

    @property
    def hub_changed(self) -> str:
        """Why the hub cut this visit short or took its children's places back; empty when it did not."""
        excuse = getattr(self.visit, "excuse", None)
        return excuse.reason if excuse and excuse.kind == ExcuseKind.CLOSED else ""

    @property
    def shows_series(self) -> bool:
        """Whether the reader may open the usual week: her own, or one that staff of this hub made for a caller."""
        date = getattr(self.visit, "series_date", None)
        if date is None or self.own:
            return date is not None
        made = date.series
        return (
            self.may_change
            and made.hub_id == self.visit.hub_id
            and made.made_by_id not in (None, made.member_id)
        )

    @property
    def seat_about(self) -> str:
        return seat_words(self.visit.seat) if self.visit.seat else ""

    @property
    def reception(self) -> datetime | None:
        """When to be at the children's reception; None without children."""
        return min(place.starts for place in self.places) - RECEPTION if self.places else None

    @property
    def live(self) -> bool:
        return self.visit.is_live and self.visit.ends_at > self.now

    @property
    def begun(self) -> bool:
        return self.visit.starts_at <= self.now or self.visit.arrived_at is not None

    @property
    def inside(self) -> bool:
        return self.live and self.visit.arrived_at is not None and self.visit.left_at is None

    @property
    def away(self) -> bool:
        """Came, and went out again before the end: perhaps only for lunch."""
        return self.live and self.visit.arrived_at is not None and self.visit.left_at is not None

    @property
    def guarding(self) -> bool:
        """Whether a child of the reader's household has a place in it."""
        return any(place.mine for place in self.places)

    @property
    def can_move(self) -> bool:
        return self.may_change and self.live and not self.begun

    @property
    def can_stay_or_leave(self) -> bool:
        """Begun and not over: stay longer or leave earlier."""
        return self.may_change and self.live and self.begun

    @property
    def can_cancel(self) -> bool:
        return self.may_change and self.live and self.visit.arrived_at is None

    @property
    def late(self) -> bool:
        """Whether a change now is a late one."""
        return self.now > change_deadline(self.visit)

    @property
    def deadline(self) -> datetime:
        return change_deadline(self.visit)

    @property
    def state(self) -> tuple[str, str]:
        """The visit's state as the kind of a tag and a word."""
        status = self.visit.status
        if self.inside:
            return "ok", _("いま 中にいます")
        if status == VisitStatus.BOOKED and self.visit.ends_at <= self.now:
            return "", _("終わりました")
        if status == VisitStatus.BOOKED:
            return ("primary", _("いまの 予約")) if self.begun else ("primary", pgettext("visit", "予約ずみ"))
        kinds = {VisitStatus.CANCELLED: "", VisitStatus.CANCELLED_BY_HUB: "stop", VisitStatus.NO_SHOW: "warn"}
        return kinds.get(VisitStatus(status), ""), self.visit.get_status_display()

    @property
    def names(self) -> str:
        return _("・").join(place.child.name for place in self.places)

    @property
    def short(self) -> str:
        """Where and with whom, in one line of a list."""
        seat = _("席 %(label)s") % {"label": self.visit.seat.label} if self.visit.seat else _("席なし")
        parts = [named(self.hub), seat]
        if self.places:
            parts.append(self.names)
        return _("・").join(parts)


def card_of(visit: Visit, reader: Member, *, may_change: bool, households: set[int]) -> VisitCard:
    """``visit`` (read by `queries.with_places`) for ``reader``: other families' children are left out."""
    own = visit.member_id == reader.pk
    tz = visit.hub.tz
    when = visit.period.in_zone(tz)
    rows: list[CarePlace] = visit.booked_places  # type: ignore[attr-defined]  # the prefetch of with_places
    places = [
        PlaceLine(
            row.child,
            class_age(row.child.birthday, when.starts_at.date()), row.starts_at.astimezone(tz),
            row.ends_at.astimezone(tz), row.period != visit.period, row.child.household_id in households,
        )
        for row in rows
        if own or may_change or row.child.household_id in households
    ]  # fmt: skip
    return VisitCard(visit, when.starts_at, when.ends_at, places, own, may_change, clock.now())


@dataclass(frozen=True)
class EndChoice:
    """A possible new end of a visit; ``why`` where it does not fit."""

    ends: datetime
    length: timedelta  # from now until then for leaving, from the old end for staying
    why: str = ""


def longer_ends(card: VisitCard) -> list[EndChoice]:
    """New ends that fit, each looked at; the first that does not fit stands last with its reason."""
    visit, hub = card.visit, card.visit.hub
    tz = hub.tz
    end = visit.ends_at.astimezone(tz)
    opening = facts_of(hub).day(end.date()).period
    if opening is None:
        return []
    children = [place for place in card.places if place.ends == end]
    shot = snapshot(
        hub,
        end.date(),
        end.date(),
        member=visit.member,
        children=[place.child for place in children],
        ignore=visit,
    )
    seat = SeatWish(SeatMode.SEAT, visit.seat) if visit.seat else SeatWish(SeatMode.NONE)
    found: list[EndChoice] = []
    most = min(opening.ends_at.astimezone(tz), card.starts + timedelta(minutes=hub.max_visit_minutes))
    for at in steps_between((end + timedelta(minutes=1)).time(), most.time(), hub.page_step):
        until = local(end.date(), at, tz)
        if not end < until <= most:
            continue
        request = VisitRequest(
            visit.member, hub, Period(end, until), seat, tuple(ChildWish(place.child) for place in children)
        )
        verdict = shot.verdict(request)
        if not verdict.ok:
            blocker = words.blockers_of(verdict, request)[0]
            why = words.joined(blocker.title, blocker.why)
            return [*found, EndChoice(until, until - end, why)]
        found.append(EndChoice(until, until - end))
    return found


def earlier_ends(card: VisitCard) -> list[EndChoice]:
    """Moments at which the rest can be given back: the next quarter, then the hub's steps."""
    tz = card.hub.tz
    now = card.now.astimezone(tz)
    soonest = start_of(quarter_of(card.now) + (card.now != start_of(quarter_of(card.now)))).astimezone(tz)
    soonest = max(soonest, card.starts + timedelta(minutes=MINUTES))
    ends = {soonest}
    ends |= {
        local(card.ends.date(), at, tz)
        for at in steps_between(soonest.time(), card.ends.time(), card.hub.page_step)
    }
    return [EndChoice(at, at - now) for at in sorted(ends) if soonest <= at < card.ends]


# ---------------------------------------------------------------- a hub, now


@dataclass(frozen=True)
class HubNow:
    """How a hub stands at this moment: free seats and, for small and bigger children, how many more could come."""

    hub: Hub
    opening: Period | None  # today, in the hub's zone
    open_now: bool
    seats_free: int
    seats: int
    care: list[tuple[str, int]]
    next_opening: Period | None
    reason: str = ""

    @property
    def seats_state(self) -> str:
        return _state(sign(self.seats_free, self.seats))


def hub_now(hub: Hub, *, with_care: bool = True) -> HubNow:
    """Free places of ``hub`` in the quarter that runs now; at most two queries."""
    now, facts = clock.now(), facts_of(hub)
    here = now.astimezone(hub.tz)
    today = here.date()
    info = facts.day(today, language())
    opening = info.period.in_zone(hub.tz) if info.period else None
    is_open = opening is not None and opening.starts_at <= here < opening.ends_at
    upcoming = None
    if not is_open:
        for n in range(hub.horizon_days):
            period = facts.day(today + timedelta(days=n)).period
            if period is not None and period.starts_at > here:
                upcoming = period.in_zone(hub.tz)
                break
    free, care = 0, list[tuple[str, int]]()
    if is_open:
        shot = snapshot(hub, today, today)
        quarter = quarter_of(now)
        free = len(shot.free_seats(Period(start_of(quarter), start_of(quarter + 1))))
        if with_care and rooms_of(hub):
            left = shot.care_left(quarter)
            young, older = (
                min(left[str(age)][0] for age in (0, 1, 2)),
                min(left[str(age)][0] for age in (3, 4, 5)),
            )
            care = [(_("0〜2さい"), young), (_("3さいから"), older)]
    return HubNow(hub, opening, is_open, free, len(facts.seats), care, upcoming, info.reason)


@dataclass(frozen=True)
class HoursLine:
    """Opening hours of some days of the week that follow each other."""

    first: date
    last: date
    opens: time | None
    closes: time | None


def hours_of(hub: Hub) -> list[HoursLine]:
    """The week's hours with equal neighbours joined: 月 – 金 8:00 – 18:00, 土・日 お休み. Dates stand for weekdays."""
    hours = facts_of(hub).hours
    monday = date(2024, 1, 1)
    out: list[HoursLine] = []
    for weekday in range(7):
        opens, closes = hours.get(weekday, (None, None))
        day = monday + timedelta(days=weekday)
        if out and (out[-1].opens, out[-1].closes) == (opens, closes):
            out[-1] = replace(out[-1], last=day)
        else:
            out.append(HoursLine(day, day, opens, closes))
    return out


def greeting(now: datetime) -> str:
    """By the hub's clock."""
    hour = now.hour
    if 4 <= hour < 11:
        return _("おはようございます")
    return _("こんにちは") if 11 <= hour < 18 else _("こんばんは")
