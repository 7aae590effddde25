"""Households: the link for a second guardian, who may use it, pick-up adults, leaving."""

import re
from datetime import timedelta
from typing import Any

import pytest

from hub.childcare.children import leave_household
from hub.childcare.models import CarePlace
from hub.core.errors import DomainError
from hub.members import queries, services
from hub.members.models import Guardian, Household, HouseholdInvitation, PickupAdult
from hub.spaces.models import Visit
from tests import factories as make

pytestmark = pytest.mark.django_db
ADULT = {"name": "山田 花", "kana": "ヤマダ ハナ", "relation": "祖母", "phone": "090-1234-5678"}


def link_in(answer: Any) -> str:
    found = re.search(r'value="http://testserver(/join/[\w-]{43}/)"', answer.content.decode())
    assert found is not None
    return found[1]


# ---------------------------------------------------------------- inviting


def test_invitation_is_shown_once_and_stored_as_a_hash(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    path = link_in(client.post("/me/household/invite/", {"household": cast.household.code}))
    secret = path.split("/")[2]
    row = HouseholdInvitation.objects.get()
    assert secret not in row.token_hash
    assert row.expires_at - row.created_at == timedelta(days=7)
    page = client.get("/me/household/").content.decode()
    assert secret not in page
    assert "招待の リンクが まだ 使われていません。" in page


def test_second_guardian_joins_and_the_link_is_used_up(as_: Any, cast: Any) -> None:
    path = link_in(as_(cast.misaki).post("/me/household/invite/", {"household": cast.household.code}))
    visitor = as_(cast.stranger)
    page = visitor.get(path).content.decode()
    assert "山田 みさきさんの 家族に 入りますか" in page
    assert "はる" not in page  # the link alone tells nothing about the children
    assert visitor.post(path).headers["Location"] == "/me/"
    assert "はるさん" in visitor.get("/me/children/").content.decode()
    again = as_(cast.town).post(path)
    assert again.status_code == 410
    assert not Guardian.objects.filter(member=cast.town).exists()


def test_invitation_needs_signing_in_first(client: Any, cast: Any) -> None:
    _row, secret = services.invite_guardian(cast.household, by=cast.misaki)
    answer = client.get(f"/join/{secret}/")
    assert answer.headers["Location"] == f"/accounts/login/?next=/join/{secret}/"


def test_invitation_of_my_own_does_not_use_itself_up(as_: Any, cast: Any) -> None:
    _row, secret = services.invite_guardian(cast.household, by=cast.misaki)
    assert "これは あなたが 作った リンクです。" in as_(cast.misaki).get(f"/join/{secret}/").content.decode()
    assert as_(cast.misaki).post(f"/join/{secret}/").status_code == 409
    assert services.open_invitation(secret).used_at is None


def test_guardian_of_the_household_is_told_that_she_is_one(as_: Any, cast: Any) -> None:
    _row, secret = services.invite_guardian(cast.household, by=cast.misaki)
    answer = as_(cast.kenta).post(f"/join/{secret}/")
    assert answer.status_code == 409
    assert "もう この 家族の 保護者に なっています。" in answer.content.decode()


def test_invitation_ends_after_seven_days(cast: Any, now: Any) -> None:
    _row, secret = services.invite_guardian(cast.household, by=cast.misaki)
    now.shift(timedelta(days=7) - timedelta(seconds=1))
    assert services.open_invitation(secret).household == cast.household
    now.shift(timedelta(seconds=1))
    with pytest.raises(DomainError) as caught:
        services.accept_invitation(secret, member=cast.stranger)
    assert caught.value.code == "invitation_gone"


def test_invitation_revoked_or_replaced_opens_nothing(as_: Any, cast: Any) -> None:
    _row, first = services.invite_guardian(cast.household, by=cast.misaki)
    _row, second = services.invite_guardian(cast.household, by=cast.kenta)
    with pytest.raises(DomainError):
        services.open_invitation(first)
    assert as_(cast.misaki).post(f"/me/household/{cast.household.code}/revoke/").status_code == 302
    with pytest.raises(DomainError):
        services.open_invitation(second)


def test_invitation_of_somebody_who_left_opens_nothing(cast: Any) -> None:
    _row, secret = services.invite_guardian(cast.household, by=cast.kenta)
    leave_household(cast.household, member=cast.kenta)
    with pytest.raises(DomainError):
        services.accept_invitation(secret, member=cast.stranger)


@pytest.mark.parametrize("secret", ["x", "../../etc", "あ" * 50, "a" * 5000])
def test_nonsense_instead_of_a_link_is_gone(as_: Any, cast: Any, secret: str) -> None:
    assert as_(cast.stranger).get(f"/join/{secret}/").status_code in (404, 410)


def test_invitation_before_the_first_child_makes_the_household(as_: Any, cast: Any) -> None:
    client = as_(cast.stranger)
    assert "まだ 家族は ありません" in client.get("/me/household/").content.decode()
    link_in(client.post("/me/household/invite/"))
    link_in(client.post("/me/household/invite/"))
    assert queries.households_of(cast.stranger).count() == 1


# ---------------------------------------------------------------- strangers


@pytest.mark.parametrize("action", ["revoke/", "pickup/", "leave/"])
def test_stranger_meets_404_at_every_address_of_a_household(as_: Any, cast: Any, action: str) -> None:
    services.invite_guardian(cast.household, by=cast.misaki)
    client = as_(cast.stranger)
    assert client.post(f"/me/household/{cast.household.code}/{action}", ADULT).status_code == 404
    assert client.post("/me/household/invite/", {"household": cast.household.code}).status_code == 404
    assert HouseholdInvitation.objects.get().revoked_at is None
    assert PickupAdult.objects.count() == 0


# ---------------------------------------------------------------- pick-up adults


def test_pickup_adult_is_added_and_ended(as_: Any, cast: Any) -> None:
    client, base = as_(cast.misaki), f"/me/household/{cast.household.code}/pickup/"
    assert client.post(base, ADULT).headers["Location"] == "/me/household/"
    adult = PickupAdult.objects.get()
    assert (adult.kana, adult.phone, adult.ended_at) == ("やまだ はな", "09012345678", None)
    assert "090-1234-5678" in client.get("/me/household/").content.decode()
    assert client.post(f"{base}{adult.code}/end/").status_code == 302
    assert PickupAdult.objects.get().ended_at is not None
    assert client.post(f"{base}{adult.code}/end/").status_code == 404


def test_pickup_adult_with_gaps_comes_back_with_the_answers(as_: Any, cast: Any) -> None:
    answer = as_(cast.misaki).post(f"/me/household/{cast.household.code}/pickup/", {"name": "山田 花"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "なおすところが 3つ あります" in page
    assert 'value="山田 花"' in page
    assert PickupAdult.objects.count() == 0


def test_pickup_adult_of_another_household_cannot_be_ended(as_: Any, cast: Any) -> None:
    adult = services.add_pickup_adult(cast.household, **ADULT)
    other = make.make_household(cast.stranger)
    client = as_(cast.stranger)
    assert client.post(f"/me/household/{other.code}/pickup/{adult.code}/end/").status_code == 404
    assert PickupAdult.objects.get().ended_at is None


def test_eleventh_pickup_adult_is_refused(as_: Any, cast: Any) -> None:
    for n in range(10):
        services.add_pickup_adult(cast.household, **{**ADULT, "name": f"人{n}"})
    answer = as_(cast.misaki).post(f"/me/household/{cast.household.code}/pickup/", ADULT)
    assert answer.status_code == 409
    assert "むかえの人は 10人 までです。" in answer.content.decode()


# ---------------------------------------------------------------- leaving


def test_second_guardian_leaves(as_: Any, cast: Any) -> None:
    client = as_(cast.kenta)
    assert "はるさん" in client.get(f"/me/household/{cast.household.code}/leave/").content.decode()
    assert client.post(f"/me/household/{cast.household.code}/leave/").headers["Location"] == "/me/"
    assert client.get(f"/me/children/{cast.haru.code}/").status_code == 404


def test_last_guardian_cannot_leave_children_behind(as_: Any, cast: Any) -> None:
    leave_household(cast.household, member=cast.kenta)
    answer = as_(cast.misaki).post(f"/me/household/{cast.household.code}/leave/")
    assert answer.status_code == 409
    assert "保護者が いなくなるので、ぬけられません。" in answer.content.decode()
    assert Guardian.objects.filter(member=cast.misaki).exists()


def test_guardian_with_booked_places_cannot_leave(cast: Any) -> None:
    when = make.period(10, 12)
    visit = Visit.objects.create(
        member=cast.kenta,
        booked_by=cast.kenta,
        hub=cast.ekimae,
        starts_at=when.starts_at,
        ends_at=when.ends_at,
    )
    CarePlace.objects.create(
        visit=visit, child=cast.haru, room=cast.room, starts_at=when.starts_at, ends_at=when.ends_at
    )
    with pytest.raises(DomainError) as caught:
        leave_household(cast.household, member=cast.kenta)
    assert caught.value.code == "places_booked"


def test_empty_household_may_be_left(cast: Any) -> None:
    household = make.make_household(cast.stranger)
    leave_household(household, member=cast.stranger)
    assert Household.objects.get(pk=household.pk).guardians.count() == 0
