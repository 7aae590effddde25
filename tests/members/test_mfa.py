"""Passkeys, an authenticator app and spare codes: set up, used once, counted, sealed, taken away."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from fido2.utils import websafe_decode

from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.leaving import erase_member
from hub.members import factors
from hub.members.models import ApiToken, Member
from tests.members.factor_helpers import (
    add_passkey,
    code_of,
    give_app,
    options_in,
    sign_in_by_mail,
    sign_in_by_passkey,
    spare_codes_of,
)
from tests.members.soft_key import SoftKey

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
PAGE = "/accounts/2fa/"


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def misaki(cast: Any) -> Member:
    cast.misaki.set_password("ひなたぼっこ-2026")
    cast.misaki.save()
    return Member.objects.get(pk=cast.misaki.pk)


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def prove(client: Client, member: Member) -> None:
    """Type the password where the page asks who one is."""
    client.force_login(member, backend=BACKEND)
    answer = client.post("/accounts/reauthenticate/", {"password": "ひなたぼっこ-2026", "next": "/me/"})
    assert answer.headers["Location"] == "/me/"


def raw_rows() -> str:
    """Every cell of factors and sessions as it lies in the database, sessions unpacked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM mfa_authenticator")
        cells = [str(cell) for row in cursor.fetchall() for cell in row]
    return " ".join(cells + [json.dumps(row.get_decoded()) for row in Session.objects.all()])


# ---------------------------------------------------------------- passkeys


def test_passkey_is_added_named_and_told_by_mail(client: Client, misaki: Member) -> None:
    prove(client, misaki)
    client.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)"
    _key, answer = add_passkey(client)
    assert answer.headers["Location"] == "/accounts/2fa/codes/"
    mine = factors.factors_of(misaki)
    assert [key.name for key in mine.passkeys] == ["iPhone"]
    assert mine.codes_left == 10
    assert client.get("/accounts/2fa/codes/").status_code == 200  # she has just shown it: nobody asks again


def test_notice_goes_to_the_address_in_our_words(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    add_passkey(client)
    message = mail.outbox[-1]
    assert (message.subject, message.to) == ("パスキーを 足しました | ひだまり", ["misaki@demo.example"])
    assert "心あたりが ないときは" in message.body


def test_second_passkey_of_the_same_phone_gets_a_number(client: Client, misaki: Member) -> None:
    prove(client, misaki)
    key, _answer = add_passkey(client)
    options = options_in(client.get("/accounts/2fa/passkeys/add/").content.decode())
    assert [websafe_decode(one["id"]) for one in options["publicKey"]["excludeCredentials"]] == [key.id]
    add_passkey(client)
    assert [one.name for one in factors.factors_of(misaki).passkeys] == ["パスキー", "パスキー 2"]


def test_every_passkey_is_made_to_sign_in_alone(client: Client, misaki: Member) -> None:
    prove(client, misaki)
    options = options_in(client.get("/accounts/2fa/passkeys/add/").content.decode())["publicKey"]
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["rp"] == {"id": "testserver", "name": "ひだまり"}
    assert (
        websafe_decode(options["user"]["id"]) == misaki.code.encode()
    )  # the public code, not the row's number


@pytest.mark.parametrize(
    "change", [{"verified": False}, {"origin": "https://evil.example"}, {"host": "evil.example"}]
)
def test_passkey_of_elsewhere_or_without_a_face_is_not_taken(
    change: dict[str, Any], client: Client, misaki: Member
) -> None:
    prove(client, misaki)
    _key, answer = add_passkey(client, SoftKey(**change))
    assert "パスキーで たしかめられませんでした" in answer.content.decode()
    assert not factors.factors_of(misaki)


GARBAGE = [
    "", "x", "[]", "{}", "null", "7", '{"id": 5}', '{"response": {}}', '{"id": "a", "response": null}', "[" * 60_000, "{" * 9,
    '{"id": "a", "rawId": "a", "type": "public-key", "response": {"clientDataJSON": "", "attestationObject": "oA"}}',
    '{"id": "a", "rawId": "a", "type": "x", "response": {"clientDataJSON": "e30", "authenticatorData": "AA",'
    ' "signature": "%", "userHandle": "MQ"}}',
    '{"id": [], "rawId": {}, "type": 1, "response": {"clientDataJSON": "e30", "attestationObject": "_____w"}}',
]  # fmt: skip


@pytest.mark.parametrize("sent", GARBAGE)
def test_adding_garbage_is_explained(sent: str, client: Client, misaki: Member) -> None:
    prove(client, misaki)
    answer = client.post("/accounts/2fa/passkeys/add/", {"credential": sent})
    assert answer.status_code == 200
    assert not factors.factors_of(misaki)


def test_sign_in_by_passkey_alone(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.manager)
    key, _answer = add_passkey(client)
    visitor = Client()
    answer = sign_in_by_passkey(visitor, key, wanted="/me/")
    assert answer.headers["Location"] == "/after-sign-in/?next=%2Fme%2F"
    assert visitor.get(answer.headers["Location"]).headers["Location"] == "/me/"
    assert visitor.session["_auth_user_id"] == str(cast.manager.pk)
    assert visitor.session.get_expiry_age() == 12 * 3600
    assert factors.factors_of(cast.manager).passkeys[0].used_on is not None


def test_sign_in_by_passkey_needs_face_challenge_and_signature(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    key, _answer = add_passkey(client)
    visitor = Client()
    url = "/accounts/2fa/passkeys/sign-in/"
    wish = visitor.get(url, headers={"Accept": "application/json"}).json()["request_options"]
    other = {"publicKey": {**wish["publicKey"], "challenge": "A" * 43}}
    wrong = SoftKey(id=key.id, handle=key.handle)  # right name, other key
    unseen = SoftKey(id=key.id, handle=key.handle, private=key.private, verified=False)
    for credential in (key.get(other), wrong.get(wish), unseen.get(wish)):
        answer = visitor.post(url, {"credential": credential}, follow=True)
        assert "パスキーで たしかめられませんでした" in answer.content.decode()
        assert not signed_in(visitor)


def test_answer_of_a_passkey_works_once(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    key, _answer = add_passkey(client)
    visitor, url = Client(), "/accounts/2fa/passkeys/sign-in/"
    credential = key.get(visitor.get(url, headers={"Accept": "application/json"}).json()["request_options"])
    visitor.post(url, {"credential": credential})
    assert signed_in(visitor)
    visitor.post("/sign-out/")
    visitor.get(url, headers={"Accept": "application/json"})
    visitor.post(url, {"credential": credential})
    assert not signed_in(visitor)


@pytest.mark.parametrize("handle", ["", "AAAA", "_w", "%%%", "MQ"])
def test_sign_in_by_passkey_of_nobody_stays_out(handle: str, client: Client, cast: Any) -> None:
    answer = sign_in_by_passkey(client, SoftKey(), userHandle=handle)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/")
    assert not signed_in(client)


@pytest.mark.parametrize("sent", GARBAGE)
def test_sign_in_by_garbage_stays_out(sent: str, client: Client, cast: Any) -> None:
    client.get("/accounts/2fa/passkeys/sign-in/", headers={"Accept": "application/json"})
    answer = client.post("/accounts/2fa/passkeys/sign-in/", {"credential": sent})
    assert answer.status_code == 302
    assert not signed_in(client)


def test_sign_in_by_passkey_of_somebody_stopped_stays_out(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    key, _answer = add_passkey(client)
    Member.objects.filter(pk=cast.misaki.pk).update(is_active=False)
    visitor = Client()
    sign_in_by_passkey(visitor, key)
    assert not signed_in(visitor)


def test_passkey_is_renamed_and_removed(client: Client, misaki: Member) -> None:
    prove(client, misaki)
    add_passkey(client, name="台所の タブレット")
    key = factors.factors_of(misaki).passkeys[0]
    name_page, end_page = f"{PAGE}passkeys/{key.code}/name/", f"{PAGE}passkeys/{key.code}/remove/"
    assert client.post(name_page, {"name": ""}).status_code == 422
    client.post(name_page, {"name": "　居間の　タブレット "})
    assert factors.factors_of(misaki).passkeys[0].name == "居間の タブレット"
    assert "さいごの" not in client.get(end_page).content.decode()
    assert client.post(end_page).headers["Location"] == PAGE
    assert Authenticator.objects.count() == 0  # the spare codes end with the last factor


def test_removing_a_passkey_asks_for_it_first(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    key, _answer = add_passkey(client)
    visitor = Client()
    sign_in_by_passkey(visitor, key)
    path = f"{PAGE}passkeys/{factors.factors_of(cast.misaki).passkeys[0].code}/remove/"
    asked = visitor.post(path)
    assert asked.headers["Location"].startswith("/accounts/2fa/passkeys/reauthenticate/?next=")
    options = options_in(visitor.get(asked.headers["Location"]).content.decode())
    before = visitor.session.session_key
    visitor.post("/accounts/2fa/passkeys/reauthenticate/", {"credential": key.get(options), "next": path})
    assert not factors.factors_of(cast.misaki)  # what was sent before is done now
    assert visitor.session.session_key != before
    assert mail.outbox[-1].subject == "パスキーを 消しました | ひだまり"


def test_wrong_passkey_where_one_proves_oneself_is_explained(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    key, _answer = add_passkey(client)
    page = f"{PAGE}passkeys/reauthenticate/"
    options = options_in(client.get(page).content.decode())
    answer = client.post(page, {"credential": SoftKey(id=key.id, handle=key.handle).get(options)})
    assert answer.content.decode().count("パスキーで たしかめられませんでした") == 1


def test_passkey_of_somebody_else_is_not_found(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    add_passkey(client)
    code = factors.factors_of(cast.misaki).passkeys[0].code
    stranger = Client()
    stranger.force_login(cast.stranger, backend=BACKEND)
    for path in (f"{PAGE}passkeys/{code}/name/", f"{PAGE}passkeys/{code}/remove/"):
        assert stranger.get(path).status_code == 404
        assert stranger.post(path, {"name": "x"}).status_code == 404
    assert len(factors.factors_of(cast.misaki).passkeys) == 1


# ---------------------------------------------------------------- app


def start_app(client: Client) -> str:
    """Open the page of a new app; returns the secret that it shows."""
    page = client.get("/accounts/2fa/app/")
    assert page.status_code == 200
    return str(page.context["secret"])


@pytest.mark.django_db(transaction=True)
def test_app_is_added_by_its_first_code(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    secret = start_app(client)
    assert len(secret.replace(" ", "")) == 32
    answer = client.post(
        "/accounts/2fa/app/", {"code": "０００ ０００" if code_of(secret) != "000000" else "1"}
    )
    assert "番号が ちがいます" in answer.content.decode()
    assert answer.context["secret"] == secret, "a wrong code must not cost the reading of the square"
    answer = client.post("/accounts/2fa/app/", {"code": code_of(secret)})
    assert answer.headers["Location"] == "/accounts/2fa/codes/"
    assert factors.factors_of(cast.misaki).app is not None
    assert mail.outbox[-1].subject == "認証アプリを 足しました | ひだまり"


def test_square_is_drawn_without_a_style_and_holds_issuer_and_secret(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    page = client.get("/accounts/2fa/app/")
    secret = page.context["secret"].replace(" ", "")
    assert page.context["totp_url"] == (
        f"otpauth://totp/misaki%40demo.example?secret={secret}&issuer=%E3%81%B2%E3%81%A0%E3%81%BE%E3%82%8A"
    )
    assert "style=" not in page.content.decode()


def test_secrets_are_nowhere_in_clear(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    secret = start_app(client).replace(" ", "")
    assert secret not in raw_rows()  # while it waits in the session
    client.post("/accounts/2fa/app/", {"code": code_of(secret)})
    rows = raw_rows()
    app = Authenticator.objects.get(type="totp")
    codes = Authenticator.objects.get(type="recovery_codes")
    seed = decrypt(codes.data["seed"])
    assert decrypt(app.data["secret"]) == secret
    for hidden in (
        secret,
        base64.b64encode(base64.b32decode(secret)).decode(),
        seed,
        *spare_codes_of(cast.misaki),
    ):
        assert hidden not in rows
    assert base64.b64decode(app.data["secret"])[0] == 1  # the version byte of hub.core.sealed


def test_sign_in_by_mail_asks_for_the_app(client: Client, cast: Any) -> None:
    give_app(cast.misaki)
    answer = sign_in_by_mail(client, cast.misaki, wanted="/visits/")
    assert answer.headers["Location"] == "/accounts/2fa/authenticate/"
    assert not signed_in(client)
    assert client.get("/me/").status_code == 302
    answer = client.post("/accounts/2fa/authenticate/", {"code": code_of()})
    assert answer.headers["Location"] == "/after-sign-in/?next=%2Fvisits%2F"
    assert signed_in(client)


def test_sign_in_by_password_asks_for_the_app(client: Client, misaki: Member) -> None:
    give_app(misaki)
    sign_in_by_mail(Client(), misaki)  # her address is a confirmed one
    answer = client.post("/accounts/login/", {"login": misaki.email, "password": "ひなたぼっこ-2026"})
    assert answer.headers["Location"] == "/accounts/2fa/authenticate/"
    assert not signed_in(client)


def test_new_password_does_not_go_round_the_app(client: Client, misaki: Member) -> None:
    give_app(misaki)
    sign_in_by_mail(Client(), misaki)
    client.post("/accounts/password/reset/", {"email": misaki.email})
    code = next(line.strip() for line in mail.outbox[-1].body.splitlines() if line.strip().isdigit())
    client.post("/accounts/password/reset/confirm/", {"code": code})
    client.get("/accounts/password/reset/complete/")
    fresh = {"password1": "あたらしい-ことば-7", "password2": "あたらしい-ことば-7"}
    client.post("/accounts/password/reset/complete/", fresh)
    assert not signed_in(client)
    answer = client.post("/accounts/login/", {"login": misaki.email, "password": "あたらしい-ことば-7"})
    assert answer.headers["Location"] == "/accounts/2fa/authenticate/"


def test_new_address_does_not_go_round_the_app(client: Client, misaki: Member) -> None:
    give_app(misaki)
    client.force_login(misaki, backend=BACKEND)
    client.post("/accounts/email/", {"action_add": "1", "email": "other@example.com"})
    code = next(line.strip() for line in mail.outbox[-1].body.splitlines() if line.strip().isdigit())
    client.post("/accounts/confirm-email/", {"code": code})
    moved = Member.objects.get(pk=misaki.pk)
    assert moved.email == "other@example.com"
    assert sign_in_by_mail(Client(), moved).headers["Location"] == "/accounts/2fa/authenticate/"


def test_code_of_the_app_works_once_whichever_process_is_asked(cast: Any) -> None:
    give_app(cast.misaki)
    code = code_of()
    factors.try_code(cast.misaki, code)
    cache.clear()  # another process remembers nothing in its cache
    with pytest.raises(DomainError) as refused:
        factors.try_code(cast.misaki, code)
    assert refused.value.code == "wrong_code"


def test_code_that_set_the_app_up_is_used_too(client: Client, cast: Any, now: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    secret = start_app(client)
    code = code_of(secret)
    client.post("/accounts/2fa/app/", {"code": code})
    with pytest.raises(DomainError):
        factors.try_code(cast.misaki, code)
    now.shift(30)
    assert factors.try_code(cast.misaki, code_of(secret)).type == "totp"


def test_code_of_a_step_before_the_last_used_one_is_old(cast: Any, now: Any) -> None:
    give_app(cast.misaki)
    older = code_of()
    now.shift(30)
    factors.try_code(cast.misaki, code_of())
    with pytest.raises(DomainError):
        factors.try_code(cast.misaki, older)


@pytest.mark.parametrize(
    ("seconds", "works"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_code_counts_one_step_either_side(seconds: int, works: bool, cast: Any) -> None:
    give_app(cast.misaki)
    code = code_of(later=seconds)
    if works:
        assert factors.try_code(cast.misaki, code).type == "totp"
    else:
        with pytest.raises(DomainError):
            factors.try_code(cast.misaki, code)


def test_code_matches_the_examples_of_rfc_6238(now: Any) -> None:
    """Appendix B, SHA-1: 94287082 at 59 s and 07081804 at 1111111109 s, of which six digits are shown."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    now.move_to(59)
    assert (code_of(secret), factors.step_of(secret, "287082")) == ("287082", 1)
    now.move_to(1111111109)
    assert factors.step_of(secret, "081804") == 37037036


def wrong(client: Client) -> Any:
    bad = "000000" if code_of() != "000000" else "111111"
    return client.post("/accounts/2fa/authenticate/", {"code": bad})


def test_sixth_code_in_ten_minutes_is_not_even_read(client: Client, cast: Any, now: Any) -> None:
    give_app(cast.misaki)
    sign_in_by_mail(client, cast.misaki)
    for _try in range(5):
        assert "番号が ちがいます" in wrong(client).content.decode()
        cache.clear()  # the count lies in the database
    answer = client.post("/accounts/2fa/authenticate/", {"code": code_of()}, follow=True)
    assert answer.redirect_chain == [("/accounts/login/", 302)]
    assert "10分 待って" in answer.content.decode()
    assert not signed_in(client)
    assert client.get("/accounts/2fa/authenticate/").headers["Location"] == "/accounts/login/"
    now.shift(timedelta(minutes=10, seconds=1))
    sign_in_by_mail(client, cast.misaki)
    client.post("/accounts/2fa/authenticate/", {"code": code_of()})
    assert signed_in(client)


def test_right_code_forgets_the_wrong_ones(cast: Any, now: Any) -> None:
    give_app(cast.misaki)
    for _round in range(2):
        for _try in range(4):
            with pytest.raises(DomainError):
                factors.try_code(cast.misaki, "12345678")
        factors.try_code(cast.misaki, code_of())
        now.shift(30)


def test_code_may_be_typed_with_full_width_digits_and_gaps(client: Client, cast: Any) -> None:
    give_app(cast.misaki)
    sign_in_by_mail(client, cast.misaki)
    wide = code_of().translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    client.post("/accounts/2fa/authenticate/", {"code": f" {wide[:3]}　{wide[3:]} "})
    assert signed_in(client)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("", "番号を 入れてください"), ("12", "6けたか、予備の 8けた"), ("abcdef", "6けたか、予備の 8けた")],
)
def test_code_of_another_shape_is_explained_and_not_counted(
    typed: str, sentence: str, client: Client, cast: Any
) -> None:
    app = give_app(cast.misaki)
    sign_in_by_mail(client, cast.misaki)
    assert sentence in client.post("/accounts/2fa/authenticate/", {"code": typed}).content.decode()
    app.refresh_from_db()
    assert "wrong" not in app.data


def test_app_is_removed_with_its_spare_codes(client: Client, misaki: Member) -> None:
    sign_in_by_mail(client, misaki)
    give_app(misaki)
    client.post("/accounts/2fa/authenticate/", {"code": code_of()})
    client.post("/accounts/2fa/reauthenticate/", {"code": spare_codes_of(misaki)[0]})
    assert "スタッフの 画面は、また 決めるまで" in client.get("/accounts/2fa/app/remove/").content.decode()
    assert client.post("/accounts/2fa/app/remove/").headers["Location"] == PAGE
    assert Authenticator.objects.count() == 0
    assert mail.outbox[-1].subject == "認証アプリを やめました | ひだまり"


def test_authenticate_page_without_a_sign_in_leads_to_it(client: Client, db: None) -> None:
    assert client.get("/accounts/2fa/authenticate/").headers["Location"] == "/accounts/login/"


# ---------------------------------------------------------------- spare codes


def test_spare_code_works_once(client: Client, cast: Any) -> None:
    give_app(cast.misaki)
    code = spare_codes_of(cast.misaki)[0]
    for attempt, expected in ((Client(), True), (client, False)):
        sign_in_by_mail(attempt, cast.misaki)
        attempt.post("/accounts/2fa/authenticate/", {"code": f"{code[:4]} {code[4:]}"})
        assert signed_in(attempt) == expected
    assert len(spare_codes_of(cast.misaki)) == 9


@pytest.mark.django_db(transaction=True)
def test_spare_codes_are_shown_downloaded_and_made_anew(client: Client, cast: Any) -> None:
    sign_in_by_mail(client, cast.misaki)
    add_passkey(client)
    codes = spare_codes_of(cast.misaki)
    page = client.get("/accounts/2fa/codes/").content.decode()
    assert all(f"{code[:4]} {code[4:]}" in page for code in codes)
    file = client.get("/accounts/2fa/codes/download/")
    assert file.headers["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert [line.replace(" ", "") for line in file.content.decode().split("\n")[3:13]] == codes
    client.post("/accounts/2fa/codes/new/")
    assert set(spare_codes_of(cast.misaki)).isdisjoint(codes)
    assert "前の 番号は 使えません" in mail.outbox[-1].body


def test_spare_codes_are_shown_to_nobody_who_did_not_prove_herself(client: Client, misaki: Member) -> None:
    give_app(misaki)
    client.force_login(misaki, backend=BACKEND)
    for path in ("codes/", "codes/download/", "codes/new/"):
        answer = client.get(PAGE + path)
        assert answer.headers["Location"].startswith("/accounts/2fa/reauthenticate/?next=")


def test_spare_codes_without_a_factor_are_not_found(client: Client, misaki: Member) -> None:
    prove(client, misaki)
    assert client.get("/accounts/2fa/codes/").status_code == 404
    client.post("/accounts/2fa/codes/new/")
    assert Authenticator.objects.count() == 0


# ---------------------------------------------------------------- proving oneself


def test_password_alone_proves_nothing_where_there_is_a_factor(client: Client, misaki: Member) -> None:
    give_app(misaki)
    client.force_login(misaki, backend=BACKEND)
    asked = client.get("/accounts/2fa/passkeys/add/")
    assert asked.headers["Location"].startswith("/accounts/2fa/reauthenticate/?next=")
    answer = client.post("/accounts/reauthenticate/", {"password": "ひなたぼっこ-2026"})
    assert answer.headers["Location"].startswith("/accounts/2fa/reauthenticate/")
    assert client.get("/accounts/2fa/passkeys/add/").status_code == 302


def test_new_token_asks_who_one_is_and_is_then_made(client: Client, misaki: Member) -> None:
    client.force_login(misaki, backend=BACKEND)
    asked = client.post("/me/tokens/", {"label": "家の パソコン"})
    assert asked.headers["Location"] == "/accounts/reauthenticate/?next=%2Fme%2Ftokens%2F"
    assert ApiToken.objects.count() == 0
    answer = client.post(
        "/accounts/reauthenticate/", {"password": "ひなたぼっこ-2026", "next": "/me/tokens/"}
    )
    assert ApiToken.objects.get().label == "家の パソコン"
    assert "hdm_" in answer.content.decode()


def test_new_token_in_the_demo_asks_nothing(client: Client, misaki: Member, settings: Any) -> None:
    settings.HIDAMARI_DEMO = True
    client.force_login(misaki, backend=BACKEND)
    assert client.post("/me/tokens/", {"label": "x"}).status_code == 200


def test_demo_sign_in_counts_as_proved(client: Client, misaki: Member, settings: Any) -> None:
    settings.HIDAMARI_DEMO = True
    Member.objects.filter(pk=misaki.pk).update(is_demo=True)
    client.post("/demo/sign-in/", {"who": "misaki"})
    assert client.get("/accounts/2fa/passkeys/add/").status_code == 200


# ---------------------------------------------------------------- the end of factors


def test_erased_member_leaves_no_factor(cast: Any) -> None:
    give_app(cast.stranger)
    erase_member(cast.stranger)
    assert Authenticator.objects.count() == 0


def test_taking_all_away_ends_every_session(client: Client, cast: Any) -> None:
    give_app(cast.misaki)
    client.force_login(cast.misaki, backend=BACKEND)
    assert run_write(lambda: factors.take_away_all(cast.misaki)) == 1
    assert client.get("/me/").status_code == 302
    assert Authenticator.objects.count() == 0


def test_command_takes_all_away(cast: Any, capsys: Any) -> None:
    give_app(cast.manager)
    call_command("reset_second_factors", "Manager@demo.example")
    assert capsys.readouterr().out == "1 factor taken away, all sessions ended\n"
    with pytest.raises(CommandError):
        call_command("reset_second_factors", "nobody@demo.example")


def test_list_costs_the_same_with_one_passkey_and_with_three(
    client: Client, misaki: Member, django_assert_num_queries: Any
) -> None:
    prove(client, misaki)
    for _count in (1, 2, 3):
        add_passkey(client)
        client.get(PAGE)  # shows and forgets what was said
        if _count != 2:
            with django_assert_num_queries(3):  # session, member, factors
                client.get(PAGE)


@pytest.mark.parametrize("path", ["", "needed/", "done/"])
def test_pages_that_only_show_take_no_post(path: str, as_: Any, cast: Any) -> None:
    assert as_(cast.misaki).post(PAGE + path).status_code == 405
