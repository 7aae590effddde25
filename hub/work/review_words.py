"""What is told about work that was looked at: never the client, the order's title, or anything that stands in a unit."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from hub.booking.templatetags.booking import named
from hub.core import clock
from hub.core.templatetags.hidamari import jdate
from hub.notices import services as notices
from hub.notices.models import Notice
from hub.notices.topics import Example, Message
from hub.spaces import made_up
from hub.spaces.models import Hub
from hub.work.enums import AppealState, DeliveryState, Level, OrderKind, UnitState
from hub.work.models import Appeal, Delivery, Question, Skill, Unit

RETURNED, REJECTED, ASKED, ANSWERED, LEVEL, APPEAL, APPEALED = (
    "work.returned", "work.rejected", "work.asked", "work.answered", "work.level", "work.appeal", "work.appealed"
)  # fmt: skip
APPEAL_WITHIN = timedelta(days=7)


def tell_returned(delivery: Delivery) -> None:
    """Once for an assignment while she has not looked: ten corrections are one evening's work, not ten notices."""
    assignment = delivery.notice.assignment
    events = f"work/{assignment.code}/returned/"
    if Notice.objects.filter(member=assignment.member, event__startswith=events, read_at=None).exists():
        return
    notices.tell(
        assignment.member, RETURNED, event=f"{events}{delivery.code}", data={"delivery": delivery.code}
    )


def tell_rejected(delivery: Delivery) -> None:
    notices.tell(
        delivery.notice.assignment.member, REJECTED, event=f"work/{delivery.code}/rejected",
        data={"delivery": delivery.code},
    )  # fmt: skip


def tell_asked(question: Question) -> None:
    """The order's director is told once while she has not looked."""
    order = question.unit.order
    if order.director is None:
        return
    events = f"work/{order.code}/asked/"
    if not Notice.objects.filter(member=order.director, event__startswith=events, read_at=None).exists():
        notices.tell(
            order.director, ASKED, event=f"{events}{question.code}", data={"question": question.code}
        )


def tell_answered(question: Question) -> None:
    notices.tell(
        question.asked_by, ANSWERED, event=f"work/{question.code}/answered", data={"question": question.code}
    )


def tell_level(skill: Skill) -> None:
    data = {"hub": skill.hub.slug, "kind": skill.kind, "level": skill.level}
    notices.tell(skill.member, LEVEL, event=f"work/level/{skill.pk}/{skill.opened_at.isoformat()}", data=data)


def tell_appeal(appeal: Appeal) -> None:
    notices.tell(appeal.to, APPEAL, event=f"work/{appeal.code}/appeal", data={"appeal": appeal.code})


def tell_appeal_decided(appeal: Appeal) -> None:
    member = appeal.delivery.notice.assignment.member
    notices.tell(member, APPEALED, event=f"work/{appeal.code}/appealed", data={"appeal": appeal.code})


# ---------------------------------------------------------------- words


def _delivery(code: str) -> Delivery | None:
    return Delivery.objects.filter(code=code).select_related("unit__order__hub").first()


def compose_returned(data: dict[str, Any]) -> Message | None:
    """The words of ``work.returned``; None when nothing of that assignment has to be mended any more."""
    found = _delivery(data["delivery"])
    if found is None:
        return None
    back = (
        Unit.objects.filter(lease__assignment=found.notice_id, state=UnitState.RETURNED)
        .order_by("number")
        .first()
    )
    return _returned(found.unit.order.hub, back.code) if back else None


def _returned(hub: Hub, unit: str) -> Message:
    text = _("%(hub)s：なおすところに 印が ついています。なおして もう一度 送ってください。") % {
        "hub": named(hub)
    }
    return Message(
        title=_("しごとの なおしの おねがいです"), text=text, path=reverse("job_unit", args=[unit])
    )


def compose_rejected(data: dict[str, Any]) -> Message | None:
    """The words of ``work.rejected``, with the last day of an appeal."""
    found = _delivery(data["delivery"])
    if found is None or found.state != DeliveryState.REJECTED or found.decided_at is None:
        return None
    hub = found.unit.order.hub
    last = (found.decided_at + APPEAL_WITHIN).astimezone(hub.tz).date()
    return _rejected(hub, found.unit.code, last)


def _rejected(hub: Hub, unit: str, last: date) -> Message:
    text = _("%(hub)s：わけと 例が 書いてあります。%(day)sまで、見なおしを たのめます。") % {
        "hub": named(hub), "day": jdate(last)
    }  # fmt: skip
    return Message(title=_("1件が 不合格に なりました"), text=text, path=reverse("job_unit", args=[unit]))


def compose_asked(data: dict[str, Any]) -> Message | None:
    """The words of ``work.asked``, to the director; None when it is answered."""
    found = (
        Question.objects.filter(code=data["question"], answered_at=None)
        .select_related("unit__order__hub")
        .first()
    )
    return _asked(found.unit.order.hub) if found else None


def _asked(hub: Hub) -> Message:
    text = _("%(hub)s：働く人が 待っています。読んで 答えてください。") % {"hub": named(hub)}
    return Message(
        title=_("しごとの 質問が 来ました"), text=text, path=reverse("desk_questions", args=[hub.slug])
    )


def compose_answered(data: dict[str, Any]) -> Message | None:
    """The words of ``work.answered``."""
    found = Question.objects.filter(code=data["question"]).select_related("unit__order__hub").first()
    return _answered(found.unit.order.hub, found.unit.code) if found else None


def _answered(hub: Hub, unit: str) -> Message:
    text = _("%(hub)s：しごとの ページで 読めます。") % {"hub": named(hub)}
    return Message(title=_("質問に 答えが 来ました"), text=text, path=reverse("job_unit", args=[unit]))


def compose_level(data: dict[str, Any]) -> Message | None:
    """The words of ``work.level``."""
    hub = Hub.objects.filter(slug=data["hub"]).first()
    return _level(hub, OrderKind(data["kind"]), Level(data["level"])) if hub else None


def _level(hub: Hub, kind: OrderKind, level: Level) -> Message:
    text = _("%(hub)s：「%(kind)s」の しごとで「%(level)s」に なりました。") % {
        "hub": named(hub), "kind": kind.label, "level": level.label
    }  # fmt: skip
    return Message(title=_("受けられる しごとが ふえました"), text=text, path=reverse("jobs"))


def compose_appeal(data: dict[str, Any]) -> Message | None:
    """The words of ``work.appeal``, to the named person; None when it was answered."""
    found = Appeal.objects.filter(code=data["appeal"]).select_related("delivery__unit__order__hub").first()
    if found is None or found.state != AppealState.OPEN:
        return None
    return _appeal(found.delivery.unit.order.hub, found.code)


def _appeal(hub: Hub, code: str) -> Message:
    text = _("%(hub)s：不合格に なった しごとです。働く人の ことばを 読んで、答えてください。") % {
        "hub": named(hub)
    }
    return Message(
        title=_("見なおしを たのまれました"), text=text, path=reverse("desk_appeal", args=[hub.slug, code])
    )


def compose_appealed(data: dict[str, Any]) -> Message | None:
    """The words of ``work.appealed``."""
    found = Appeal.objects.filter(code=data["appeal"]).select_related("delivery__unit__order__hub").first()
    if found is None or found.state == AppealState.OPEN:
        return None
    unit = found.delivery.unit
    return _appealed(unit.order.hub, unit.code, upheld=found.state == AppealState.UPHELD)


def _appealed(hub: Hub, unit: str, *, upheld: bool) -> Message:
    if upheld:
        text = _("%(hub)s：合格に かわりました。しはらいに 入ります。") % {"hub": named(hub)}
    else:
        text = _("%(hub)s：答えを 読んでください。") % {"hub": named(hub)}
    return Message(title=_("見なおしの 答えが 来ました"), text=text, path=reverse("job_unit", args=[unit]))


UNIT = "EXAMPLE000"


def _examples(*cases: Callable[[], Example]) -> Callable[[], list[Example]]:
    return lambda: [case() for case in cases]


examples_returned = _examples(lambda: Example(_("なおしを おねがいするとき"), _returned(made_up.hub(), UNIT)))
examples_rejected = _examples(
    lambda: Example(
        _("不合格に したとき"),
        _rejected(made_up.hub(), UNIT, clock.today(made_up.hub().tz) + APPEAL_WITHIN),
    )
)
examples_asked = _examples(lambda: Example(_("質問が 来たとき"), _asked(made_up.hub())))
examples_answered = _examples(lambda: Example(_("質問に 答えたとき"), _answered(made_up.hub(), UNIT)))
examples_level = _examples(
    lambda: Example(_("レベルが 上がったとき"), _level(made_up.hub(), OrderKind.WRITING, Level.SECOND))
)
examples_appeal = _examples(lambda: Example(_("見なおしを たのまれたとき"), _appeal(made_up.hub(), UNIT)))
examples_appealed = _examples(
    lambda: Example(_("見なおしで 合格に したとき"), _appealed(made_up.hub(), UNIT, upheld=True)),
    lambda: Example(_("見なおしても 同じだったとき"), _appealed(made_up.hub(), UNIT, upheld=False)),
)
