"""Signing up and in: one minute on a phone, codes first, nothing told about who has an account."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client

from hub.members.models import Member
from hub.members.services import create_member
from hub.spaces.enums import MembershipStatus, Role
from hub.spaces.models import Membership, RoleInvitation
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


def code_in(message: Any) -> str:
    found = re.search(r"^\s*(\d{6})\s*$", message.body, re.M)
    assert found is not None
    return found[1]


def sign_up(client: Client, email: str = "New@Example.com ") -> None:
    """E-mail and code; the next page asks for the name."""
    assert (
        client.post("/accounts/signup/", {"email": email}).headers["Location"] == "/accounts/confirm-email/"
    )
    code = code_in(mail.outbox[-1])
    answer = client.post("/accounts/confirm-email/", {"code": f" {code[:3]}-{code[3:]} "})
    assert answer.headers["Location"] == "/after-sign-in/"


WELCOME = {"name": "新田　はるか", "kana": "ﾆｯﾀ ハルカ", "hub": "ekimae", "language": "ja"}


# ---------------------------------------------------------------- signing up


def test_sign_up_needs_email_code_and_name(client: Client, cast: Any) -> None:
    sign_up(client)
    assert client.get("/after-sign-in/").headers["Location"] == "/welcome/"
    answer = client.post("/welcome/", WELCOME)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    member = Member.objects.get(email="new@example.com")
    assert (member.name, member.kana, member.language) == ("新田 はるか", "にった はるか", "ja")
    home = Membership.objects.get(member=member)
    assert (home.hub, home.role, home.status, home.is_home) == (
        cast.ekimae,
        Role.WORKER,
        MembershipStatus.ACTIVE,
        True,
    )
    address = EmailAddress.objects.get(user=member)
    assert (address.email, address.verified, address.primary) == ("new@example.com", True, True)


def test_sign_up_mail_is_plain_japanese_with_six_digits(client: Client, db: None) -> None:
    client.post("/accounts/signup/", {"email": "new@example.com"})
    message = mail.outbox[0]
    assert message.subject == "登録の 番号 | ひだまり"
    assert message.to == ["new@example.com"]
    assert len(code_in(message)) == 6


def test_sign_up_of_known_address_looks_the_same(client: Client, cast: Any) -> None:
    create_member(email="known@example.com", name="前から いる人")
    answers = []
    for email in ("known@example.com", "fresh@example.com"):
        visitor = Client()
        answer = visitor.post("/accounts/signup/", {"email": email}, follow=True)
        answers.append((answer.redirect_chain, answer.status_code, answer.content.decode().count(email)))
    assert answers[0] == answers[1]
    assert Member.objects.filter(email="known@example.com").count() == 1
    assert mail.outbox[0].subject == "もう 登録されています | ひだまり"
    assert re.search(r"\d{6}", mail.outbox[0].body.replace("0000-00-0000", "")) is None


def test_wrong_code_five_times_ends_the_code(client: Client, db: None) -> None:
    client.post("/accounts/signup/", {"email": "new@example.com"})
    right = code_in(mail.outbox[-1])
    wrong = "000000" if right != "000000" else "111111"
    for _try in range(4):
        answer = client.post("/accounts/confirm-email/", {"code": wrong})
        assert "番号が ちがいます" in answer.content.decode()
    assert client.post("/accounts/confirm-email/", {"code": wrong}).status_code == 302
    client.post("/accounts/confirm-email/", {"code": right})
    assert "_auth_user_id" not in client.session


def test_bad_address_is_explained(client: Client, db: None) -> None:
    answer = client.post("/accounts/signup/", {"email": "わたし"})
    assert "name@example.jp のように" in answer.content.decode()
    assert Member.objects.count() == 0


def test_full_width_address_is_repaired(client: Client, db: None) -> None:
    client.post("/accounts/signup/", {"email": "ＮＥＷ＠example．com"})
    assert mail.outbox[0].to == ["new@example.com"]


def test_role_waiting_for_the_address_is_granted(client: Client, cast: Any) -> None:
    RoleInvitation.objects.create(
        hub=cast.yagi, email="new@example.com", role=Role.DOOR, invited_by=cast.manager
    )
    sign_up(client)
    client.post("/welcome/", WELCOME)
    member = Member.objects.get(email="new@example.com")
    rows = Membership.objects.filter(member=member).order_by("pk").values_list("hub__slug", "role", "is_home")
    assert list(rows) == [("ekimae", "worker", True), ("yagi", "door", False)]
    assert RoleInvitation.objects.get().accepted_at is not None
    assert client.session.get_expiry_age() == 12 * 3600


# ---------------------------------------------------------------- welcome


def test_welcome_comes_before_every_other_page(client: Client, cast: Any) -> None:
    sign_up(client)
    assert client.get("/me/").headers["Location"] == "/welcome/"
    assert client.get("/sign-out/").status_code == 200


def test_welcome_without_answers_names_each_gap(client: Client, cast: Any) -> None:
    sign_up(client)
    answer = client.post("/welcome/", {"language": "ja"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "なおすところが 3つ あります" in page
    for sentence in (
        "氏名を 入れてください",
        "ふりがなを 入れてください",
        "よく使う ハブを えらんでください",
    ):
        assert page.count(sentence) == 2  # in the summary and at the field


def test_welcome_with_kanji_as_furigana_is_refused(client: Client, cast: Any) -> None:
    sign_up(client)
    answer = client.post("/welcome/", {**WELCOME, "kana": "新田"})
    assert "ふりがなは、ひらがなか カタカナで 書いてください" in answer.content.decode()
    assert Member.objects.get(email="new@example.com").name == ""


def test_welcome_does_not_offer_a_closed_hub(client: Client, cast: Any) -> None:
    cast.yagi.is_open = False
    cast.yagi.save()
    sign_up(client)
    assert client.post("/welcome/", {**WELCOME, "hub": "yagi"}).status_code == 422
    assert not Membership.objects.filter(member__email="new@example.com").exists()


def test_welcome_in_english_goes_on_in_english(client: Client, cast: Any) -> None:
    sign_up(client)
    assert client.get("/en/welcome/").status_code == 200
    assert client.post("/en/welcome/", {**WELCOME, "language": "en"}).headers["Location"] == "/en/"


def test_welcome_returns_to_the_page_asked_for(client: Client, cast: Any) -> None:
    sign_up(client)
    assert (
        client.get("/after-sign-in/?next=/join/abc/").headers["Location"] == "/welcome/?next=%2Fjoin%2Fabc%2F"
    )
    assert client.post("/welcome/", {**WELCOME, "next": "/join/abc/"}).headers["Location"] == "/join/abc/"


def test_welcome_of_somebody_with_a_name_changes_nothing(as_: Any, cast: Any) -> None:
    answer = as_(cast.misaki).post("/welcome/", {**WELCOME, "hub": "yagi"})
    assert answer.status_code == 302
    assert Member.objects.get(pk=cast.misaki.pk).name == "山田 みさき"


# ---------------------------------------------------------------- signing in


def test_sign_in_by_code_leads_home_in_her_language(client: Client, cast: Any) -> None:
    create_member(email="anna@example.com", name="Anna", kana="アナ", language="en")
    client.post("/accounts/login/code/", {"email": " ANNA@example.com"})
    code = code_in(mail.outbox[-1])
    answer = client.post("/accounts/login/code/confirm/", {"code": code})
    assert answer.headers["Location"] == "/after-sign-in/"
    assert client.get("/after-sign-in/").headers["Location"] == "/en/"
    assert client.session.get_expiry_age() == 90 * 24 * 3600


def test_sign_in_code_works_once(client: Client, cast: Any) -> None:
    create_member(email="anna@example.com", name="Anna")
    client.post("/accounts/login/code/", {"email": "anna@example.com"})
    code = code_in(mail.outbox[-1])
    client.post("/accounts/login/code/confirm/", {"code": code})
    client.post("/sign-out/")
    client.post("/accounts/login/code/confirm/", {"code": code})
    assert "_auth_user_id" not in client.session


def test_sign_in_code_is_too_old_after_ten_minutes(client: Client, cast: Any, now: Any) -> None:
    create_member(email="anna@example.com", name="Anna")
    client.post("/accounts/login/code/", {"email": "anna@example.com"})
    code = code_in(mail.outbox[-1])
    now.shift(timedelta(minutes=11))
    client.post("/accounts/login/code/confirm/", {"code": code})
    assert "_auth_user_id" not in client.session


def test_sign_in_by_code_of_unknown_address_looks_the_same(client: Client, cast: Any) -> None:
    create_member(email="known@example.com", name="いる人")
    seen = []
    for email in ("known@example.com", "nobody@example.com"):
        visitor = Client()
        answer = visitor.post("/accounts/login/code/", {"email": email}, follow=True)
        seen.append((answer.redirect_chain, answer.status_code))
    assert seen[0] == seen[1]
    assert [message.subject for message in mail.outbox] == [
        "入るための 番号 | ひだまり",
        "まだ 登録されていません | ひだまり",
    ]


def test_sign_in_by_password(client: Client, cast: Any) -> None:
    create_member(email="anna@example.com", name="Anna", password="ひなたぼっこ-2026")
    answer = client.post("/accounts/login/", {"login": "Anna@example.com", "password": "ひなたぼっこ-2026"})
    assert answer.headers["Location"] == "/after-sign-in/"


def test_sign_in_by_wrong_password_says_so_and_stays_out(client: Client, cast: Any) -> None:
    create_member(email="anna@example.com", name="Anna", password="ひなたぼっこ-2026")
    for login in ("anna@example.com", "nobody@example.com"):
        page = client.post("/accounts/login/", {"login": login, "password": "x"}).content.decode()
        assert page.count("メールアドレスか パスワードが ちがいます。") == 1
    assert "_auth_user_id" not in client.session


def test_sixth_wrong_password_in_a_minute_waits(client: Client, cast: Any) -> None:
    create_member(email="anna@example.com", name="Anna", password="ひなたぼっこ-2026")
    for _try in range(5):
        client.post("/accounts/login/", {"login": "anna@example.com", "password": "x"})
    page = client.post(
        "/accounts/login/", {"login": "anna@example.com", "password": "ひなたぼっこ-2026"}
    ).content.decode()
    assert "回数が 多すぎます。" in page
    assert "_auth_user_id" not in client.session


def test_fourth_code_in_ten_minutes_is_not_sent(client: Client, cast: Any) -> None:
    create_member(email="anna@example.com", name="Anna")
    for _try in range(4):
        Client().post("/accounts/login/code/", {"email": "anna@example.com"})
    assert len(mail.outbox) == 3


def test_too_many_requests_get_a_page_in_our_words(client: Client, db: None) -> None:
    for n in range(20):
        Client().post("/accounts/signup/", {"email": f"a{n}@example.com"})
    answer = client.post("/accounts/signup/", {"email": "a21@example.com"})
    assert answer.status_code == 429
    assert "少し 待ってください" in answer.content.decode()


def test_next_of_another_site_is_ignored(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    for bad in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert client.get("/after-sign-in/", {"next": bad}).headers["Location"] == "/"
    assert client.get("/after-sign-in/", {"next": "/me/"}).headers["Location"] == "/me/"


def test_staff_session_ends_after_twelve_hours_even_with_next(client: Client, cast: Any) -> None:
    EmailAddress.objects.create(user=cast.manager, email=cast.manager.email, verified=True, primary=True)
    client.post("/accounts/login/code/?next=/me/", {"email": cast.manager.email, "next": "/me/"})
    answer = client.post("/accounts/login/code/confirm/", {"code": code_in(mail.outbox[-1]), "next": "/me/"})
    assert answer.headers["Location"] == "/after-sign-in/?next=%2Fme%2F"
    assert client.get(answer.headers["Location"]).headers["Location"] == "/me/"
    assert client.session.get_expiry_age() == 12 * 3600


def test_member_without_active_account_stays_out(client: Client, cast: Any) -> None:
    member = create_member(email="anna@example.com", name="Anna", password="ひなたぼっこ-2026")
    member.is_active = False
    member.save()
    client.post("/accounts/login/", {"login": "anna@example.com", "password": "ひなたぼっこ-2026"})
    assert "_auth_user_id" not in client.session


# ---------------------------------------------------------------- passwords by code


def test_password_is_made_anew_by_code(client: Client, cast: Any) -> None:
    create_member(email="anna@example.com", name="Anna", password="ひなたぼっこ-2026")
    client.post("/accounts/password/reset/", {"email": "anna@example.com"})
    assert "届かないとき" in client.get("/accounts/password/reset/confirm/").content.decode()
    client.post("/accounts/password/reset/confirm/", {"code": code_in(mail.outbox[-1])})
    assert client.get("/accounts/password/reset/complete/").status_code == 200
    fresh = {"password1": "あたらしい-ことば-7", "password2": "あたらしい-ことば-7"}
    client.post("/accounts/password/reset/complete/", fresh)
    assert Member.objects.get(email="anna@example.com").check_password("あたらしい-ことば-7")


def test_short_password_is_refused(as_: Any, cast: Any) -> None:
    answer = as_(cast.misaki).post(
        "/accounts/password/set/", {"password1": "みじかい", "password2": "みじかい"}
    )
    assert answer.status_code == 200
    assert not Member.objects.get(pk=cast.misaki.pk).has_usable_password()


def test_two_different_passwords_are_refused(as_: Any, cast: Any) -> None:
    data = {"password1": "ひなたぼっこ-2026", "password2": "ひなたぼっこ-2027"}
    page = as_(cast.misaki).post("/accounts/password/set/", data).content.decode()
    assert page.count("上と 同じ パスワードを 入れてください") == 2


# ---------------------------------------------------------------- demo


def test_demo_sign_in_is_absent_outside_the_demo(client: Client, cast: Any, settings: Any) -> None:
    settings.HIDAMARI_DEMO = False
    assert client.post("/demo/sign-in/", {"who": "misaki"}).status_code == 404
    assert "ためしに 入る" not in client.get("/accounts/login/").content.decode()


def test_demo_sign_in_takes_the_cast_only(client: Client, cast: Any, settings: Any) -> None:
    settings.HIDAMARI_DEMO = True
    assert (
        client.post("/demo/sign-in/", {"who": "misaki"}).status_code == 404
    )  # a real person with that address
    Member.objects.filter(pk=cast.misaki.pk).update(is_demo=True)
    assert client.get("/demo/sign-in/").status_code == 405
    assert client.post("/demo/sign-in/", {"who": "misaki"}).headers["Location"] == "/after-sign-in/"
    assert client.session["_auth_user_id"] == str(cast.misaki.pk)


def test_demo_sign_in_needs_the_csrf_token(cast: Any, settings: Any) -> None:
    settings.HIDAMARI_DEMO = True
    Member.objects.filter(pk=cast.misaki.pk).update(is_demo=True)
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/demo/sign-in/", {"who": "misaki"}).status_code == 403
    assert "_auth_user_id" not in strict.session


# ---------------------------------------------------------------- pages


OPEN_PAGES = ["login/", "login/code/", "signup/", "password/reset/", "inactive/"]


@pytest.mark.parametrize("page", OPEN_PAGES)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_page_of_the_entrance_opens_in_both_languages(
    client: Client, db: None, page: str, language: str
) -> None:
    answer = client.get(f"{'/en' if language == 'en' else ''}/accounts/{page}")
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.content.decode()


def test_sign_out_asks_then_ends_the_session(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    assert "予約は そのまま のこります" in client.get("/sign-out/").content.decode()
    assert client.session["_auth_user_id"] == str(cast.misaki.pk)
    assert client.post("/sign-out/").headers["Location"] == "/"
    assert "_auth_user_id" not in client.session


def test_factory_member_has_one_address_row(db: None) -> None:
    member = make.make_member("名なし", None)
    assert member.email is None
    assert EmailAddress.objects.filter(user=member).count() == 0


@pytest.mark.parametrize("wanted", ["abc", "visit_detail", "me", "https://evil.example/", "//evil.example"])
def test_next_that_is_no_path_of_ours_leads_home(client, wanted):
    member = make.make_member("山田 みさき", "m@example.jp")
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get("/after-sign-in/", {"next": wanted}).headers["Location"] == "/"
