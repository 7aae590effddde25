"""What the pages of the waiting list show, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from hub.booking import waiting
from hub.booking.enums import EntryState, OfferState, Priority
from hub.booking.forms import Answers, presets_of
from hub.booking.models import Offer, WaitEntry
from hub.booking.presenters import seat_words
from hub.booking.quotes import Alternative
from hub.booking.requests import VisitRequest
from hub.booking.templatetags.booking import named
from hub.booking.waiting import Place
from hub.core import clock
from hub.core.quarters import Period, quarter_of, start_of
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub


@dataclass(frozen=True)
class Window:
    """A stretch of the day in which it may be: as one choice of the form."""

    code: str
    label: str
    period: Period  # in the hub's zone


def windows_of(answers: Answers) -> list[Window]:
    """This very time, the morning, the afternoon, any time that day; only what is longer than the wish, each once."""
    hub, when = answers.hub, answers.period.in_zone(answers.hub.tz)
    found = [Window("exact", _("この時間だけ"), when)]
    now = clock.now()
    opening = facts_of(hub).day(answers.day).period
    if opening is None:
        return found
    soonest = start_of(quarter_of(now) + 1).astimezone(hub.tz)
    hours = opening.in_zone(hub.tz)
    wider = [
        Window(preset.code, _("午前なら いつでも") if preset.code == "am" else _("午後なら いつでも"),
               Period(datetime.combine(answers.day, preset.starts, hub.tz), datetime.combine(answers.day, preset.ends, hub.tz)))
        for preset in presets_of(hub, answers.day, now)
    ]  # fmt: skip
    day = Period(max(hours.starts_at, soonest), hours.ends_at)
    if day.starts_at < day.ends_at:
        wider.append(Window("day", _("この日なら いつでも"), day))
    seen = {when}
    for window in wider:
        if window.period.length > when.length and window.period not in seen:
            seen.add(window.period)
            found.append(window)
    return found


def why_of(place: Place) -> list[str]:
    """The order in words: how many stand before her, each class of the hub and whether she is in it, then the time."""
    out = []
    for name, inside in place.classes:
        match name, inside:
            case Priority.NO_VISIT, True:
                out.append(_("この週に ほかの 予約が ないので、先の 組です。"))
            case Priority.NO_VISIT, False:
                out.append(_("この週に 予約が ない人が 先です。あなたは もう 予約が あります。"))
            case Priority.WITH_CHILDREN, True:
                out.append(_("子どもを 預けるので、先の 組です。"))
            case Priority.WITH_CHILDREN, False:
                out.append(_("子どもを 預ける人が 先です。"))
    out.append(_("おなじ 組の 中では、申しこんだ 順です。"))
    return out


@dataclass(frozen=True)
class EntryCard:
    """Somebody's waiting as she sees it. Times are the hub's wall clock."""

    entry: WaitEntry
    starts: datetime
    ends: datetime
    place: Place | None
    offer: Offer | None  # open

    @property
    def waits(self) -> bool:
        return self.entry.state == EntryState.WAITING

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.entry.minutes)

    @property
    def where(self) -> str:
        if not self.entry.wants_seat:
            return _("席なし")
        return named(self.entry.zone) if self.entry.zone else _("どの席でも")

    @property
    def names(self) -> str:
        return _("・").join(row.child.name for row in self.entry.children.all())

    @property
    def whys(self) -> list[str]:
        return why_of(self.place) if self.place else []

    @property
    def state(self) -> tuple[str, str]:
        """The kind of a tag and a word."""
        if self.offer is not None:
            return "ok", _("空きました")
        kinds = {EntryState.WAITING: "primary", EntryState.BOOKED: "ok"}
        return kinds.get(EntryState(self.entry.state), ""), self.entry.get_state_display()


def entry_cards(entries: list[WaitEntry]) -> list[EntryCard]:
    """``entries`` with their places in the line: a few queries per day that is waited for."""
    places = waiting.places_of(entries)
    cards = []
    for entry in entries:
        when = entry.window.in_zone(entry.hub.tz)
        offer = next((one for one in entry.offers.all() if one.state == OfferState.OPEN), None)
        cards.append(EntryCard(entry, when.starts_at, when.ends_at, places.get(entry.pk), offer))
    return cards


@dataclass(frozen=True)
class OfferCard:
    """What is held for her, until when, and what became of it."""

    offer: Offer
    starts: datetime
    ends: datetime
    until: datetime

    @property
    def hub(self) -> Hub:
        return self.offer.visit.hub

    @property
    def open(self) -> bool:
        return self.offer.state == OfferState.OPEN and self.offer.expires_at > clock.now()

    @property
    def today(self) -> bool:
        """Whether the time until which it holds is today."""
        return self.until.date() == clock.today(self.hub.tz)

    @property
    def seat(self) -> str:
        seat = self.offer.visit.seat
        return _("席 %(label)s") % {"label": seat.label} if seat else _("席なし")

    @property
    def seat_about(self) -> str:
        return seat_words(self.offer.visit.seat) if self.offer.visit.seat else ""

    @property
    def names(self) -> str:
        return _("・").join(row.child.name for row in self.offer.entry.children.all())

    @property
    def title(self) -> str:
        """What became of it, as a heading."""
        if self.open:
            return _("席が 空きました。行けますか")
        return {
            OfferState.ACCEPTED: _("予約できました"),
            OfferState.DECLINED: _("やめました"),
            OfferState.WITHDRAWN: _("空いた席が 使えなくなりました"),
        }.get(OfferState(self.offer.state), _("返事の 時間が すぎました"))


def offer_card(offer: Offer) -> OfferCard:
    tz = offer.visit.hub.tz
    when = offer.visit.period.in_zone(tz)
    return OfferCard(offer, when.starts_at, when.ends_at, offer.expires_at.astimezone(tz))


@dataclass(frozen=True)
class LineRow:
    """One who waits, for the desk: no child's name, only how many."""

    entry: WaitEntry
    number: int
    starts: datetime
    ends: datetime
    asked: datetime
    length: timedelta
    children: int
    offer: Offer | None  # open: her turn
    classes: str
    where: str


def line_rows(hub: Hub, day: date) -> list[LineRow]:
    """Who waits at ``hub`` on ``day``, in the order in which it is offered."""
    opened = Offer.objects.filter(state=OfferState.OPEN, entry__hub=hub, entry__day=day)
    offers = {offer.entry_id: offer for offer in opened}
    rows = []
    for number, one in enumerate(waiting.line_of(hub, day), 1):
        entry, when = one.entry, one.entry.window.in_zone(hub.tz)
        where = named(entry.zone) if entry.zone else _("どの席でも") if entry.wants_seat else _("席なし")
        rows.append(
            LineRow(
                entry, number, when.starts_at, when.ends_at, entry.asked_at.astimezone(hub.tz),
                timedelta(minutes=entry.minutes), len(entry.children.all()), offers.get(entry.pk),
                _("・").join(str(name.label) for name in one.classes), where,
            )
        )  # fmt: skip
    return rows


@dataclass(frozen=True)
class Another:
    """Another time that would fit, as a link."""

    query: str
    starts: datetime
    ends: datetime
    hub: Hub


def others_of(
    question: VisitRequest, found: Sequence[Alternative], *, as_staff: bool = False
) -> list[Another]:
    """Alternatives as links to the booking page; ``as_staff``: to be booked for her."""
    out = []
    for one in found:
        wish, when = one.request, one.request.period.in_zone(one.request.hub.tz)
        query: list[tuple[str, str]] = [
            ("hub", wish.hub.slug), ("d", when.starts_at.date().isoformat()), ("p", "own"),
            ("from", f"{when.starts_at:%H:%M}"), ("to", f"{when.ends_at:%H:%M}"),
        ]  # fmt: skip
        query += [("c", want.child.code) for want in wish.children]
        query += [("for", question.member.code)] if as_staff else []
        out.append(Another(urlencode(query), when.starts_at, when.ends_at, wish.hub))
    return out
