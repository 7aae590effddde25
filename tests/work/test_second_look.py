"""What a second look at doing and review found: nothing typed is lost, nobody decides about herself, everybody is told."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.notices import services as notices
from hub.notices.models import Notice
from hub.spaces.enums import Role
from hub.spaces.models import Membership
from hub.work import doing, leases, returning, review, skills
from hub.work.enums import EndReason
from hub.work.models import Delivery, Earning, Skill, Unit
from tests.work import hands_desk as hands
from tests.work import work

pytestmark = [pytest.mark.django_db]
OTHER = "ふたつめの 長い文"


@pytest.mark.parametrize("button", ["send", "keep"])
@pytest.mark.parametrize("meanwhile", ["sent", "accepted", "gone"])
def test_text_of_a_second_tab_is_shown_when_it_cannot_be_written_any_more(
    button: str, meanwhile: str, as_: Any, cast: SimpleNamespace
) -> None:
    taken = hands.take(cast.misaki, work.accepted_order(cast, units=1), 1)
    unit = Unit.objects.get(lease__assignment=taken)
    me, url = as_(cast.misaki), f"/jobs/units/{unit.code}/"
    opened = re.search(r'name="since" value="([^"]*)"', me.get(url).content.decode())
    assert opened
    first = {"text": "ひとつめ", "since": opened[1], "tried": ""}
    if meanwhile == "gone":
        doing.save_draft(member=cast.misaki, unit_code=unit.code, text="ひとつめ", since=opened[1])
        run_write(lambda: leases.give_back(taken, EndReason.TIME_UP))
    else:
        assert me.post(url, first).status_code == 302
        if meanwhile == "accepted":
            review.accept(actor=cast.director, hub=cast.ekimae, code=unit.deliveries.get().code)
    answer = me.post(url if button == "send" else f"{url}draft/", first | {"text": OTHER})

    assert answer.status_code == 409
    body = answer.content.decode()
    assert f'id="typed" lang="ja">{OTHER}</p>' in body
    assert 'role="alert"' in body


def test_work_returned_just_before_its_time_is_up_can_be_mended_for_a_week(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    taken = hands.take(cast.misaki, work.accepted_order(cast, units=2), 2, days=3)
    one, _other = hands.send(taken, 2)
    now.shift(timedelta(days=2, hours=23, minutes=55))
    hands.send_back(cast, one)
    now.shift(timedelta(minutes=6))
    returning.sweep()

    assert doing.send_in(member=cast.misaki, unit_code=one.unit.code, text="なおしました").number == 2


@pytest.mark.parametrize("what", ["accept", "send_back", "reject"])
def test_nobody_decides_about_her_own_work(what: str, cast: SimpleNamespace) -> None:
    Membership.objects.create(member=cast.misaki, hub=cast.ekimae, role=Role.DIRECTOR)
    delivery = hands.sent(cast, 4)[0]
    more: dict[str, Any] = {
        "accept": {},
        "send_back": {"marks": [], "reason": "もう一度"},
        "reject": {"reason": "ちがう", "example": "こう"},
    }[what]
    with pytest.raises(DomainError) as error:
        getattr(review, what)(actor=cast.misaki, hub=cast.ekimae, code=delivery.code, **more)

    assert (error.value.code, error.value.status) == ("own_work", 403)
    assert (Delivery.objects.get(pk=delivery.pk).state, Earning.objects.count()) == ("sent", 0)


def test_several_at_once_leave_her_own_out(as_: Any, cast: SimpleNamespace) -> None:
    Membership.objects.create(member=cast.misaki, hub=cast.ekimae, role=Role.DIRECTOR)
    delivery = hands.sent(cast, 1)[0]
    as_(cast.misaki).post("/desk/ekimae/work/review/bulk/", {"code": [delivery.code]})

    assert Delivery.objects.get(pk=delivery.pk).state == "sent"


def test_a_manager_is_not_asked_about_her_own_work(cast: SimpleNamespace) -> None:
    Membership.objects.filter(hub=cast.ekimae, role=Role.MANAGER).delete()
    Membership.objects.create(member=cast.misaki, hub=cast.ekimae, role=Role.MANAGER)

    assert review.asked_person(cast.ekimae, cast.misaki, cast.director) is None
    assert review.asked_person(cast.ekimae, cast.kenta, cast.director) == cast.misaki


def test_a_later_return_is_told_once_the_first_was_read(cast: SimpleNamespace) -> None:
    one, two, three = hands.sent(cast, 3)
    returned = Notice.objects.filter(member=cast.misaki, topic="work.returned")
    hands.send_back(cast, one)
    hands.send_back(cast, two)
    assert returned.count() == 1
    notices.mark_read(returned)
    doing.send_in(member=cast.misaki, unit_code=one.unit.code, text="なおしました")
    hands.send_back(cast, three)

    assert returned.filter(read_at=None).count() == 1


def test_questions_are_told_to_the_director_once_while_she_has_not_looked(cast: SimpleNamespace) -> None:
    one, two = hands.sent(cast, 2)
    for delivery in (one, two):
        doing.ask(member=cast.misaki, unit_code=delivery.unit.code, text="これで よいですか")

    assert list(Notice.objects.filter(member=cast.director).values_list("topic", flat=True)) == ["work.asked"]


def test_a_level_raised_again_is_told_again(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    for level in (2, 1, 2):
        now.shift(timedelta(minutes=1))
        skills.set_level(
            actor=cast.director, hub=cast.ekimae, member_code=cast.misaki.code, kind="writing", level=level
        )

    assert Skill.objects.get().level == 2
    assert Notice.objects.filter(member=cast.misaki, topic="work.level").count() == 2
