"""API tokens: shown once, stored as a hash, revocable; the command prints one and nothing else."""

import io
from datetime import UTC, date, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hub.core import clock
from hub.members import tokens
from hub.members.models import ApiToken

pytestmark = pytest.mark.django_db


def test_token_opens_its_member_in_one_query(cast: Any, django_assert_num_queries: Any) -> None:
    _row, raw = tokens.new_token(cast.misaki, "cli")
    assert tokens.member_for_token(raw) == cast.misaki  # writes the day
    with django_assert_num_queries(1):
        assert tokens.member_for_token(raw) == cast.misaki


def test_token_is_stored_as_a_hash_only(cast: Any) -> None:
    row, raw = tokens.new_token(cast.misaki, "cli")
    assert raw.startswith("hdm_")
    assert row.token_hash == tokens.hash_of(raw)
    assert raw[4:] not in row.token_hash


def test_day_of_last_use_is_written_once_a_day(cast: Any, now: Any, django_assert_num_queries: Any) -> None:
    _row, raw = tokens.new_token(cast.misaki, "cli")
    tokens.member_for_token(raw)
    assert ApiToken.objects.get().last_used_on == clock.today(UTC) == date(2026, 12, 7)
    now.shift(timedelta(days=1))
    tokens.member_for_token(raw)
    assert ApiToken.objects.get().last_used_on == date(2026, 12, 8)


@pytest.mark.parametrize(
    "raw", ["", "hdm_", "hdm_x", "x" * 47, "hdm_" + "x" * 43, "hdm_" + "あ" * 43, "hdm_" + "x" * 9999]
)
def test_unknown_token_opens_nothing(cast: Any, raw: str) -> None:
    tokens.new_token(cast.misaki, "cli")
    assert tokens.member_for_token(raw) is None


def test_token_of_inactive_or_erased_member_opens_nothing(cast: Any) -> None:
    _row, raw = tokens.new_token(cast.misaki, "cli")
    cast.misaki.is_active = False
    cast.misaki.save()
    assert tokens.member_for_token(raw) is None
    cast.misaki.is_active, cast.misaki.erased_at = True, clock.now()
    cast.misaki.save()
    assert tokens.member_for_token(raw) is None


def test_page_shows_the_token_once(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    answer = client.post("/me/tokens/", {"label": "家の パソコン"})
    raw = answer.content.decode().split('value="hdm_')[1].split('"')[0]
    assert tokens.member_for_token("hdm_" + raw) == cast.misaki
    assert answer.headers["Cache-Control"] == "no-store"
    page = client.get("/me/tokens/").content.decode()
    assert "家の パソコン" in page
    assert raw not in page


def test_page_refuses_a_token_without_name_and_the_eleventh(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    assert client.post("/me/tokens/", {"label": " "}).status_code == 422
    for n in range(10):
        tokens.new_token(cast.misaki, f"t{n}")
    answer = client.post("/me/tokens/", {"label": "もう1つ"})
    assert answer.status_code == 409
    assert "トークンは 10こ までです。" in answer.content.decode()
    assert ApiToken.objects.count() == 10


def test_token_is_revoked_by_its_owner_only(as_: Any, cast: Any) -> None:
    row, raw = tokens.new_token(cast.misaki, "cli")
    assert as_(cast.stranger).post(f"/me/tokens/{row.code}/revoke/").status_code == 404
    assert tokens.member_for_token(raw) == cast.misaki
    assert as_(cast.misaki).post(f"/me/tokens/{row.code}/revoke/").headers["Location"] == "/me/tokens/"
    assert tokens.member_for_token(raw) is None
    assert as_(cast.misaki).post(f"/me/tokens/{row.code}/revoke/").status_code == 404


def test_command_prints_the_token_and_nothing_else(cast: Any) -> None:
    out = io.StringIO()
    call_command("create_token", "Misaki@demo.example", stdout=out)
    raw = out.getvalue()
    assert raw.count("\n") == 1
    assert tokens.member_for_token(raw.strip()) == cast.misaki
    assert ApiToken.objects.get().label == "cli"


def test_command_names_an_unknown_address(cast: Any) -> None:
    with pytest.raises(CommandError, match=r"nobody@example\.com"):
        call_command("create_token", "nobody@example.com")
