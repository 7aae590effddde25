"""A storm day in steps (RULE-32): what a warning, or its end, means for today. The hours are the hub's own settings.

A warning that stands before opening keeps the hub closed; lifted early it changes nothing, lifted later the hub opens
some time after; later still it stays closed. A warning that comes while the hub is open closes it from now on, and who
has a child there is asked to fetch her. People decide; this only reckons, so that everybody hears the same at each step.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from hub.booking.closures import change_open_time
from hub.booking.conflicts import Changed
from hub.booking.templatetags.booking import named
from hub.core import clock, tasks
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.ids import new_code
from hub.core.quarters import MINUTES, Period, local
from hub.core.templatetags.hidamari import jtime
from hub.members.models import Member
from hub.notices import services as notices
from hub.notices.topics import Example, Message
from hub.spaces import facts, made_up
from hub.spaces.enums import LIVE_STATUSES, Cause
from hub.spaces.models import Closure, Hub, Visit

TOPIC = "storm"
TELL = "hub.booking.weather.tell"


class Step(StrEnum):
    WATCH = "watch"  # in force, but early enough that it may still be lifted in time
    LATER = "later"  # in force: not open before `Plan.at`, perhaps later still
    LATE = "late"  # lifted: opens at `Plan.at`
    CLOSED = "closed"  # all day
    NOW = "now"  # came while the hub is open: closes at `Plan.at`
    USUAL = "usual"  # lifted in time


@dataclass(frozen=True)
class Plan:
    """What becomes of today. ``at``: the local time of `Step.LATER`, `LATE` and `NOW`; ``lunch``: whether there is any."""

    step: Step
    at: time | None = None
    lunch: bool = True


def _steps_of(hub: Hub, day: date) -> dict[str, Any]:
    """What marks the closure of a step of ``day``, which the next step replaces: made on the day itself.

    One that somebody made the evening before, for a typhoon that is sure to come, stands.
    """
    made = {"created_at__gte": local(day, time(0), hub.tz)}
    return {"cause": Cause.WEATHER, "starts_on": day, "ends_on": day, **made}


def usual_hours(hub: Hub, day: date) -> Period | None:
    """When ``hub`` would be open on ``day`` without the steps of that day."""
    known = facts.facts_of(hub)
    if day in known.holidays or day.weekday() not in known.hours or not known.is_open:
        return None
    opens, closes = known.hours[day.weekday()]
    usual = Period(local(day, opens, known.tz), local(day, closes, known.tz))
    rows = Closure.objects.filter(hub=hub, zone=None).exclude(**_steps_of(hub, day))
    return facts.still_open([facts.closed_of(row) for row in rows], usual, day, known.tz)


def plan(hub: Hub, *, lifted_at: time | None, now: datetime | None = None) -> Plan:
    """The step of RULE-32 for today: the warning is in force (``lifted_at`` None) or was lifted at that local time.

    Raises `DomainError` ``closed_anyway`` (409) on a day on which the hub does not open, ``in_future`` (422).
    """
    here = (now or clock.now()).astimezone(hub.tz)
    usual = usual_hours(hub, here.date())
    if usual is None or here >= usual.ends_at:
        raise DomainError("closed_anyway", _("きょうは もう 開いていません。"))
    opening = facts.facts_of(hub).day(here.date()).period
    if lifted_at is None:
        if opening is not None and here >= opening.starts_at:  # or it closed already, at an earlier step
            return Plan(Step.NOW, min(next_quarter(here), opening.ends_at.astimezone(hub.tz).time()))
        if here.time() >= hub.storm_late_by:
            return Plan(Step.CLOSED)
        if here.time() < hub.storm_normal_by:
            return Plan(Step.WATCH)
        return _opening(Step.LATER, hub, usual, here)
    lifted = local(here.date(), lifted_at, hub.tz)
    if lifted > here:
        raise DomainError("in_future", _("解除の 時間が まだ 来ていません。"), 422, field="lifted_at")
    if lifted_at <= hub.storm_normal_by:
        return Plan(Step.USUAL)
    if lifted_at > hub.storm_late_by:
        return Plan(Step.CLOSED)
    return _opening(Step.LATE, hub, usual, lifted)


def _opening(step: Step, hub: Hub, usual: Period, since: datetime) -> Plan:
    ready = since + timedelta(minutes=hub.storm_wait_minutes)
    lunch = since.time() <= hub.storm_lunch_by
    if ready.date() != since.date():  # no time of today any more
        return Plan(Step.CLOSED)
    opens = local(since.date(), next_quarter(ready), hub.tz)
    if opens <= usual.starts_at:
        if step == Step.LATE:
            return Plan(Step.USUAL, lunch=lunch)
        opens = usual.starts_at  # in force: nobody may say that it was lifted
    at = opens.astimezone(hub.tz).time()
    return Plan(step, at, lunch) if opens < usual.ends_at else Plan(Step.CLOSED)


def next_quarter(moment: datetime) -> time:
    """The first quarter of an hour that is not before ``moment`` (of the same day)."""
    late = moment.minute % MINUTES or moment.second or moment.microsecond
    up = moment + timedelta(minutes=MINUTES - moment.minute % MINUTES if late else 0)
    return up.time().replace(second=0, microsecond=0)


def carry_out(
    *, actor: Member, hub: Hub, lifted_at: time | None, reason: str, confirm: bool = False
) -> tuple[Plan, Changed]:
    """Reckon the step for now and make today's storm closure what it says; everybody who comes today is told.

    A closure of an earlier step is replaced, so opening earlier than said frees the time again; visits that were cut stay cut.
    Raises `VisitsAffected` unless ``confirm``, and as `plan`.
    """
    day = clock.today(hub.tz)
    made: list[Plan] = []
    coming: set[str] = set()

    def work(fresh: Hub) -> None:
        done = plan(fresh, lifted_at=lifted_at)
        made[:] = [done]
        coming.clear()
        coming.update(_coming(fresh, day))
        Closure.objects.filter(hub=fresh, zone=None, **_steps_of(fresh, day)).delete()
        if done.step in (Step.WATCH, Step.USUAL):
            return
        Closure.objects.create(
            hub=fresh, starts_on=day, ends_on=day, cause=Cause.WEATHER, reason=reason, created_by=actor,
            closed_until=done.at if done.step in (Step.LATER, Step.LATE) else None,
            closed_from=done.at if done.step == Step.NOW else None,
        )  # fmt: skip

    def then(fresh: Hub, changed: Changed) -> None:
        """Whose visit changed hears it with that, who is asked to fetch a child or to leave with that; everybody else who
        comes today hears the step."""
        done = made[0]
        told = [visit for _what, visit in changed.touched]
        if done.step == Step.NOW:
            told += changed.inside
        others = coming - {visit.member.code for visit in told}
        data = {
            "hub": fresh.slug, "day": day.isoformat(), "step": str(done.step),
            "at": done.at.isoformat() if done.at else None, "lunch": done.lunch,
        }  # fmt: skip
        tasks.enqueue(TELL, members=sorted(others), event=f"storm/{new_code()}", data=data)

    changed = change_open_time(
        hub, work, reason=reason, confirm=confirm, actor=actor, cause=Cause.WEATHER, days=[day], then=then
    )
    return made[0], changed


# ---------------------------------------------------------------- telling


def _coming(hub: Hub, day: date) -> set[str]:
    """Codes of everybody who comes, or is here, on ``day``."""
    rows = Visit.objects.filter(
        hub=hub, status__in=LIVE_STATUSES, ends_at__gt=clock.now(), starts_at__gte=local(day, time(0), hub.tz),
        starts_at__lt=local(day + timedelta(days=1), time(0), hub.tz),
    )  # fmt: skip
    return set(rows.values_list("member__code", flat=True))


def tell(*, members: list[str], event: str, data: dict[str, Any]) -> None:
    """Tell these members the step, at night too: it is about this morning. Safe to run twice."""

    def work() -> None:
        for member in Member.objects.filter(code__in=members).order_by("pk"):
            notices.tell(member, TOPIC, event=event, data=data, urgent=True)

    run_write(work)


def compose(data: dict[str, Any]) -> Message | None:
    """The words of the topic ``storm``; None on another day: what it said is over."""
    hub = Hub.objects.filter(slug=data["hub"]).first()
    if hub is None or clock.today(hub.tz).isoformat() != data["day"]:
        return None
    at = time.fromisoformat(data["at"]) if data["at"] else None
    return _words(hub, Plan(Step(data["step"]), at, data["lunch"]))


def sentence(hub: Hub, done: Plan) -> str:
    """What a step means for people, in one or two sentences."""
    at = f"{done.at:%-H:%M}" if done.at else ""
    match done.step:
        case Step.WATCH:
            text = _("警報が 出ています。%(time)s までに 解除されれば、いつも通り 開きます。")
            return text % {"time": jtime(hub.storm_normal_by)}
        case Step.LATER:
            text = _(
                "警報が 出ています。早くても %(at)s まで 開きません。%(time)s までに 解除されなければ、きょうは お休みです。"
            )
            return text % {"at": at, "time": jtime(hub.storm_late_by)}
        case Step.LATE:
            found = _("警報が 解除されました。%(at)s に 開きます。") % {"at": at}
        case Step.CLOSED:
            return _("警報の ため、きょうは お休みです。")
        case Step.NOW:
            return _("警報が 出ました。%(at)s に 閉めます。お子さんの お迎えを お願いします。") % {"at": at}
        case _:
            found = _("警報が 解除されました。いつも通り 開きます。")
    return found if done.lunch else found + _("昼食は ありません。おべんとうを 持ってきてください。")


def _words(hub: Hub, done: Plan) -> Message:
    titles = {Step.CLOSED: _("きょうは お休みです"), Step.NOW: _("まもなく 閉めます")}
    title = titles.get(done.step, _("きょうの 開く時間"))
    text = _("%(hub)s：%(text)s") % {"hub": named(hub), "text": sentence(hub, done)}
    return Message(title=title, text=text, path=reverse("today"))


def examples() -> list[Example]:
    """Each step."""
    hub = made_up.hub()
    cases = {
        _("警報が 出ている朝"): Plan(Step.WATCH),
        _("まだ 解除されない"): Plan(Step.LATER, time(10)),
        _("解除された"): Plan(Step.LATE, time(11, 30), lunch=False),
        _("1日 お休み"): Plan(Step.CLOSED),
        _("開いている あいだに 出た"): Plan(Step.NOW, time(13, 15)),
        _("いつも通り"): Plan(Step.USUAL),
    }
    return [Example(case, _words(hub, done)) for case, done in cases.items()]
