"""A forgotten exit: asked on the phone, answered once, never past a child in care."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from hub.checkin.enums import PresenceEnd
from hub.checkin.models import Presence
from hub.checkin.told import left_already
from hub.childcare.models import CarePlace, Carer, Custody
from hub.core.errors import DomainError
from hub.spaces.models import Visit
from tests import factories as make
from tests.checkin.test_pass_pages import book, comes, text_of

END = make.at(11, 0, make.TODAY)
ASKED = "もう 帰りましたか"


@pytest.fixture
def presence(cast: Any, now: Any) -> Presence:
    """Misaki came at 9:58 for 10:00 to 11:00 with Haru, and it is 11:20."""
    visit = book(cast, 10, 11, children=[cast.haru])
    found = comes(cast, visit, make.at(9, 58, make.TODAY))
    now.move_to(make.at(11, 20, make.TODAY))
    return found


def receive(cast: Any, visit: Visit) -> Custody:
    place, carer = CarePlace.objects.get(visit=visit), Carer.objects.filter(hub=cast.ekimae).first()
    assert carer is not None
    return Custody.objects.create(
        place=place, child=place.child, room=place.room, age_class=4, received_at=make.at(10, 2, make.TODAY),
        received_by=carer, recorded_by=cast.carer, brought_by=cast.misaki, temperature=Decimal("36.5"),
    )  # fmt: skip


def test_answer_closes_the_presence_and_marks_the_visit(cast: Any, presence: Presence) -> None:
    row = left_already(member=cast.misaki, presence_code=presence.code, at=END)
    assert (row.left_at, row.left_by, row.ended_as) == (END, cast.misaki, PresenceEnd.TOLD)
    assert Visit.objects.get().left_at == END


def test_second_answer_changes_nothing(cast: Any, presence: Presence) -> None:
    left_already(member=cast.misaki, presence_code=presence.code, at=END)
    again = left_already(member=cast.misaki, presence_code=presence.code, at=END + timedelta(minutes=9))
    assert again.left_at == END
    assert Visit.objects.get().left_at == END


def test_nobody_answers_for_another(cast: Any, presence: Presence) -> None:
    with pytest.raises(DomainError, match="presence_unknown"):
        left_already(member=cast.kenta, presence_code=presence.code, at=END)


def test_visit_that_runs_is_ended_by_the_door(cast: Any, presence: Presence, now: Any) -> None:
    now.move_to(make.at(10, 50, make.TODAY))
    with pytest.raises(DomainError, match="not_over"):
        left_already(member=cast.misaki, presence_code=presence.code, at=make.at(10, 40, make.TODAY))
    assert Presence.objects.get().left_at is None


@pytest.mark.parametrize("at", [make.at(9, 50, make.TODAY), make.at(11, 21, make.TODAY)])
def test_time_before_she_came_or_after_now_is_refused(cast: Any, presence: Presence, at: Any) -> None:
    with pytest.raises(DomainError, match="left_time") as refusal:
        left_already(member=cast.misaki, presence_code=presence.code, at=at)
    assert refusal.value.status == 422


def test_child_in_care_keeps_her_inside(cast: Any, presence: Presence) -> None:
    receive(cast, Visit.objects.get())
    with pytest.raises(DomainError, match="children_inside"):
        left_already(member=cast.misaki, presence_code=presence.code, at=END)
    assert Presence.objects.get().left_at is None
    assert Visit.objects.get().left_at is None


# ---------------------------------------------------------------- the pages


def test_today_asks_a_quarter_of_an_hour_after_the_end(
    as_: Any, cast: Any, presence: Presence, now: Any
) -> None:
    client = as_(cast.misaki)
    now.move_to(make.at(11, 14, make.TODAY))
    assert ASKED not in text_of(client.get("/"))
    now.move_to(make.at(11, 15, make.TODAY))
    text = text_of(client.get("/"))
    assert ASKED in text
    assert "駅前ハブの 予約は 11:00 に 終わりました。" in text
    assert "はい、11:00 に 帰りました はい、いま 帰りました まだ います" in text


@pytest.mark.parametrize(("when", "left"), [("end", END), ("now", make.at(11, 20, make.TODAY)), ("", END)])
def test_button_says_when(as_: Any, cast: Any, presence: Presence, when: str, left: Any) -> None:
    client = as_(cast.misaki)
    answer = client.post(reverse("presence_left", args=[presence.code]), {"when": when})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert Presence.objects.get().left_at == left
    text = text_of(client.get("/"))
    assert "帰ったことを 記録しました。" in text
    assert ASKED not in text


def test_refusal_names_the_child(as_: Any, cast: Any, presence: Presence) -> None:
    receive(cast, Visit.objects.get())
    client = as_(cast.misaki)
    client.post(reverse("presence_left", args=[presence.code]), {"when": "end"})
    assert "はるさんは まだ こどものへやに います。お迎えの あとに 答えてください。" in text_of(
        client.get("/")
    )


def test_still_inside_is_not_asked_again_for_half_an_hour(
    as_: Any, cast: Any, presence: Presence, now: Any
) -> None:
    client = as_(cast.misaki)
    answer = client.post(reverse("presence_still", args=[presence.code]))
    assert answer.status_code == 303
    assert "わかりました。" in text_of(client.get("/"))
    assert ASKED not in text_of(client.get("/"))
    now.shift(timedelta(minutes=30))
    assert ASKED in text_of(client.get("/"))


@pytest.mark.parametrize("name", ["presence_left", "presence_still"])
def test_answers_are_her_own_and_posted(
    client: Any, as_: Any, cast: Any, presence: Presence, name: str
) -> None:
    path = reverse(name, args=[presence.code])
    assert client.post(path).headers["Location"].startswith("/accounts/login/")
    assert as_(cast.kenta).post(path).status_code == 404
    assert as_(cast.misaki).get(path).status_code == 405
    assert Presence.objects.get().left_at is None
