"""The account page: profile, mail, password, other sessions, and deleting with what has to stay."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client

from hub.childcare.enums import ChildStatus, PlaceStatus
from hub.childcare.models import CarePlace, Carer, Child
from hub.core.errors import DomainError
from hub.leaving import erase_member
from hub.members.models import ApiToken, Guardian, Member, PickupAdult
from hub.members.services import add_pickup_adult, create_member, invite_guardian, open_invitation
from hub.members.tokens import member_for_token, new_token
from hub.spaces.enums import MembershipStatus, VisitStatus
from hub.spaces.models import Membership, RoleInvitation, Visit
from tests import factories as make

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"
PROFILE = {
    "name": "山田 みさき",
    "kana": "やまだ みさき",
    "phone": "０９０-１２３４-５６７８",
    "language": "ja",
}


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


def visit_of(
    member: Member, hub: Any, status: VisitStatus = VisitStatus.BOOKED, day: Any = make.TOMORROW
) -> Visit:
    return Visit.objects.create(
        member=member,
        booked_by=member,
        hub=hub,
        starts_at=make.at(10, day=day),
        ends_at=make.at(12, day=day),
        status=status,
    )


def place_of(visit: Visit, child: Child, room: Any) -> CarePlace:
    return CarePlace.objects.create(
        visit=visit, child=child, room=room, starts_at=visit.starts_at, ends_at=visit.ends_at
    )


# ---------------------------------------------------------------- every page asks who is there


PAGES = [
    "/me/",
    "/me/hub/",
    "/me/account/",
    "/me/account/delete/",
    "/me/household/",
    "/me/tokens/",
    "/me/children/",
    "/me/children/new/",
    "/accounts/email/",
    "/accounts/password/set/",
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_page_of_mine_opens_in_both_languages(as_: Any, cast: Any, page: str, prefix: str) -> None:
    answer = as_(cast.misaki).get(prefix + page)
    assert answer.status_code == 200
    assert f'<html lang="{"en" if prefix else "ja"}">' in answer.content.decode()
    assert answer.headers["Cache-Control"].count("no-store") == 1


@pytest.mark.parametrize("page", PAGES)
def test_page_of_mine_sends_strangers_to_sign_in(client: Client, db: None, page: str) -> None:
    answer = client.get(page)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/accounts/login/?next={page}")


@pytest.mark.parametrize(
    "page",
    [
        "/me/account/sign-out-elsewhere/",
        "/me/household/invite/",
        "/me/tokens/X/revoke/",
        "/me/household/X/revoke/",
    ],
)
def test_address_that_changes_something_takes_post_only(as_: Any, cast: Any, page: str) -> None:
    assert as_(cast.misaki).get(page).status_code == 405


def test_me_shows_name_hub_children_and_family(as_: Any, cast: Any) -> None:
    page = as_(cast.misaki).get("/me/").content.decode()
    for words in ("山田 みさき", "駅前ハブ", "はるさん", "ゆいさん", "山田 けんたさん", "預けられます"):
        assert words in page
    assert "遠い 人" not in page


def test_me_leads_staff_to_their_pages_and_nobody_else(as_: Any, cast: Any) -> None:
    for person, links in ((cast.manager, 1), (cast.carer, 1), (cast.town, 1), (cast.misaki, 0)):
        page = as_(person).get("/me/").content.decode()
        assert page.count('href="/desk/ekimae/') == links


def test_me_says_that_booking_is_blocked_and_why(as_: Any, cast: Any) -> None:
    Membership.objects.filter(member=cast.misaki).update(
        status=MembershipStatus.BLOCKED, reason="話したいことが あります。"
    )
    page = as_(cast.misaki).get("/me/").content.decode()
    assert "いまは 予約できません。" in page
    assert "話したいことが あります。" in page


def test_me_asks_the_database_as_often_for_one_child_as_for_three(
    as_: Any, cast: Any, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    client = as_(cast.misaki)
    with django_assert_max_num_queries(14) as first:
        client.get("/me/")
    make.make_child(cast.household, cast.ekimae, 3, name="そら")
    make.make_child(cast.household, cast.ekimae, 2, name="りく")
    with django_assert_num_queries(len(first.captured_queries)):
        client.get("/me/")


# ---------------------------------------------------------------- profile


def test_profile_is_repaired_and_kept(as_: Any, cast: Any) -> None:
    answer = as_(cast.misaki).post("/me/account/", {**PROFILE, "kana": "ヤマダ　ﾐｻｷ"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/me/account/")
    fresh = Member.objects.get(pk=cast.misaki.pk)
    assert (fresh.kana, fresh.phone) == ("やまだ みさき", "09012345678")


def test_profile_with_gaps_keeps_the_old_one(as_: Any, cast: Any) -> None:
    answer = as_(cast.misaki).post(
        "/me/account/", {"name": " ", "kana": "", "phone": "123", "language": "fr"}
    )
    assert answer.status_code == 422
    assert "なおすところが 4つ あります" in answer.content.decode()
    assert Member.objects.get(pk=cast.misaki.pk).name == "山田 みさき"


def test_profile_in_english_goes_on_in_english(as_: Any, cast: Any) -> None:
    answer = as_(cast.misaki).post("/me/account/", {**PROFILE, "language": "en"})
    assert answer.headers["Location"] == "/en/me/account/"


def test_markup_in_a_name_is_shown_as_text(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    client.post("/me/account/", {**PROFILE, "name": "<b>みさき</b>"})
    page = client.get("/me/").content.decode()
    assert "<b>みさき</b></h2>" not in page
    assert "&lt;b&gt;みさき&lt;/b&gt;" in page


def test_home_hub_changes_and_stays_one(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    assert client.post("/me/hub/", {"hub": "nowhere"}).status_code == 422
    assert client.post("/me/hub/", {"hub": "yagi"}).headers["Location"] == "/me/"
    rows = (
        Membership.objects.filter(member=cast.misaki)
        .order_by("pk")
        .values_list("hub__slug", "is_home", "status")
    )
    assert list(rows) == [("ekimae", False, "active"), ("yagi", True, "active")]


def test_home_hub_that_blocked_her_stays_blocked(as_: Any, cast: Any) -> None:
    Membership.objects.create(
        member=cast.misaki, hub=cast.yagi, role="worker", status=MembershipStatus.BLOCKED
    )
    as_(cast.misaki).post("/me/hub/", {"hub": "yagi"})
    assert Membership.objects.get(member=cast.misaki, hub=cast.yagi).status == MembershipStatus.BLOCKED


# ---------------------------------------------------------------- mail and password


def test_mail_changes_when_the_new_address_is_confirmed(as_: Any, db: None) -> None:
    member = create_member(email="old@example.com", name="山田 みさき")
    client = as_(member)
    client.post("/accounts/email/", {"action_add": "1", "email": "Neu@Example.com"})
    assert Member.objects.get(pk=member.pk).email == "old@example.com"
    found = re.search(r"^\s*(\d{6})\s*$", str(mail.outbox[-1].body), re.M)
    assert found is not None
    client.post("/accounts/confirm-email/", {"code": found[1]})
    assert Member.objects.get(pk=member.pk).email == "neu@example.com"
    assert list(EmailAddress.objects.filter(user=member).values_list("email", "verified", "primary")) == [
        ("neu@example.com", True, True)
    ]
    told = mail.outbox[-1]
    assert (told.to, told.subject) == (["old@example.com"], "メールアドレスが 変わりました | ひだまり")


def test_mail_of_somebody_else_cannot_be_taken(as_: Any, db: None) -> None:
    member = create_member(email="mine@example.com", name="山田 みさき")
    create_member(email="other@example.com", name="ほかの人")
    client = as_(member)
    client.post("/accounts/email/", {"action_add": "1", "email": "other@example.com"})
    found = re.search(r"^\s*(\d{6})\s*$", str(mail.outbox[-1].body), re.M)
    assert mail.outbox[-1].to == ["other@example.com"]  # only who reads that mailbox learns anything
    page = client.post("/accounts/confirm-email/", {"code": found[1] if found else ""}).content.decode()
    assert page.count("この メールアドレスは 使えません。") == 2
    assert Member.objects.get(pk=member.pk).email == "mine@example.com"
    assert EmailAddress.objects.filter(email="other@example.com").count() == 1


def test_password_change_tells_the_owner_and_keeps_this_session(as_: Any, db: None) -> None:
    member = create_member(email="anna@example.com", name="Anna", password="ひなたぼっこ-2026")
    client, other = as_(member), Client()
    other.force_login(member, backend=BACKEND)
    data = {
        "oldpassword": "ひなたぼっこ-2026",
        "password1": "あたらしい-ことば-7",
        "password2": "あたらしい-ことば-7",
    }
    assert client.post("/accounts/password/change/", data).headers["Location"] == "/me/account/"
    assert mail.outbox[-1].subject == "パスワードを 変えました | ひだまり"
    assert client.get("/me/account/").status_code == 200
    assert other.get("/me/account/").headers["Location"] == "/accounts/login/?next=/me/account/"


def test_password_change_with_wrong_old_one_is_refused(as_: Any, db: None) -> None:
    member = create_member(email="anna@example.com", name="Anna", password="ひなたぼっこ-2026")
    data = {"oldpassword": "ちがう", "password1": "あたらしい-ことば-7", "password2": "あたらしい-ことば-7"}
    page = as_(member).post("/accounts/password/change/", data).content.decode()
    assert page.count("いまの パスワードが ちがいます。") == 2
    assert Member.objects.get(pk=member.pk).check_password("ひなたぼっこ-2026")


def test_sign_out_elsewhere_ends_the_other_sessions_only(as_: Any, cast: Any) -> None:
    here, there = as_(cast.misaki), Client()
    there.force_login(cast.misaki, backend=BACKEND)
    assert there.get("/me/").status_code == 200
    assert here.post("/me/account/sign-out-elsewhere/").headers["Location"] == "/me/account/"
    assert there.get("/me/").headers["Location"] == "/accounts/login/?next=/me/"
    assert here.get("/me/").status_code == 200


# ---------------------------------------------------------------- deleting


def test_delete_page_says_what_goes_and_what_stays(as_: Any, cast: Any) -> None:
    page = as_(cast.misaki).get("/me/account/delete/").content.decode()
    for words in ("すぐに 消える もの", "のこる もの", "5年間"):
        assert words in page


def test_delete_without_the_tick_deletes_nothing(as_: Any, cast: Any) -> None:
    answer = as_(cast.misaki).post("/me/account/delete/", {})
    assert answer.status_code == 422
    assert Member.objects.get(pk=cast.misaki.pk).erased_at is None


def test_delete_is_refused_while_a_visit_is_open(as_: Any, cast: Any) -> None:
    visit_of(cast.misaki, cast.ekimae)
    answer = as_(cast.misaki).post("/me/account/delete/", {"sure": "on"})
    assert answer.status_code == 409
    assert "予約が のこっています。先に 予約を やめてください。" in answer.content.decode()
    assert Member.objects.get(pk=cast.misaki.pk).is_active


def test_last_guardian_with_future_places_cannot_delete(cast: Any) -> None:
    Guardian.objects.filter(member=cast.kenta).delete()
    place_of(visit_of(cast.kenta, cast.ekimae), cast.haru, cast.room)
    with pytest.raises(DomainError) as caught:
        erase_member(cast.misaki)
    assert caught.value.code == "places_booked"
    assert Guardian.objects.filter(member=cast.misaki).exists()


def test_one_of_two_guardians_may_delete_while_places_stand(cast: Any) -> None:
    place_of(visit_of(cast.kenta, cast.ekimae), cast.haru, cast.room)
    erase_member(cast.misaki)
    assert Child.objects.get(pk=cast.haru.pk).status == ChildStatus.APPROVED
    assert list(cast.household.guardians.values_list("member", flat=True)) == [cast.kenta.pk]


def test_delete_erases_the_person_and_keeps_the_visits(as_: Any, cast: Any) -> None:
    member = create_member(
        email="anna@example.com", name="Anna 田中", kana="アンナ", phone="0901234567", password="x" * 12
    )
    Membership.objects.create(member=member, hub=cast.ekimae, role="worker", is_home=True)
    RoleInvitation.objects.create(hub=cast.yagi, email="anna@example.com", role="door")
    Carer.objects.create(hub=cast.ekimae, member=member, name="Anna", qualification="nurse")
    visit = visit_of(member, cast.ekimae, VisitStatus.DONE, make.TODAY)
    _token, raw = new_token(member, "cli")
    client, other = as_(member), Client()
    other.force_login(member, backend=BACKEND)

    answer = client.post("/me/account/delete/", {"sure": "on"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    gone = Member.objects.get(pk=member.pk)
    assert (gone.name, gone.kana, gone.email, gone.phone, gone.is_active) == ("", "", None, "", False)
    assert gone.erased_at is not None
    assert not gone.has_usable_password()
    assert Visit.objects.get(pk=visit.pk).member_id == member.pk
    assert not EmailAddress.objects.filter(email="anna@example.com").exists()
    assert not RoleInvitation.objects.filter(email="anna@example.com").exists()
    assert Membership.objects.get(member=member).status == MembershipStatus.ENDED
    assert Carer.objects.get(name="Anna").member is None
    assert member_for_token(raw) is None
    assert ApiToken.objects.get(member=member).revoked_at is not None
    assert other.get("/me/").headers["Location"] == "/accounts/login/?next=/me/"
    assert create_member(email="anna@example.com").pk != member.pk  # the address is free again


def test_children_left_alone_end_and_lose_their_health_text(cast: Any) -> None:
    cast.haru.allergy = "たまご"
    cast.haru.save()
    done = visit_of(cast.misaki, cast.ekimae, VisitStatus.DONE, make.TODAY)
    CarePlace.objects.create(
        visit=done, child=cast.haru, room=cast.room, starts_at=done.starts_at, ends_at=done.ends_at,
        status=PlaceStatus.CANCELLED,
    )  # fmt: skip
    add_pickup_adult(cast.household, name="山田 花", kana="やまだ はな", relation="祖母", phone="0901234567")
    _row, secret = invite_guardian(cast.household, by=cast.misaki)
    erase_member(cast.kenta)
    assert Child.objects.get(pk=cast.haru.pk).allergy == "たまご"
    erase_member(cast.misaki)
    haru = Child.objects.get(pk=cast.haru.pk)
    assert (haru.status, haru.allergy, haru.name) == (ChildStatus.ENDED, "", "はる")
    adult = PickupAdult.objects.get()
    assert (adult.name, adult.phone) == ("", "")
    with pytest.raises(DomainError):
        open_invitation(secret)
    assert CarePlace.objects.count() == 1
