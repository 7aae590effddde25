"""The pass token: what it says, and that nothing else is accepted."""

from contextlib import suppress
from datetime import date, timedelta
from random import Random

import pytest

from hub.checkin import keys, tokens
from hub.core import clock

DAY = date(2026, 12, 7)
MEMBER = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def issue(pass_id: int = 2**62 + 5) -> str:
    return tokens.issue(hub="ekimae", member=MEMBER, day=DAY, pass_id=pass_id)


def test_token_says_hub_member_day_and_pass() -> None:
    assert tokens.read(issue()) == tokens.Claim("ekimae", MEMBER, DAY, 2**62 + 5)


def test_token_is_140_characters_of_the_qr_alphanumeric_set() -> None:
    assert len(issue()) == 140 == tokens.TEXT_LENGTH
    assert set(issue()) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def test_mutated_tokens_are_never_accepted() -> None:
    """Every flipped bit, and 20,000 others: letters changed, cut, doubled, swapped, of two tokens mixed."""
    good, other, chance = issue(), issue(7), Random(20)
    head, body = good[:4], good[4:]
    mutants = {
        head + body[:place] + LETTERS[LETTERS.index(body[place]) ^ 1 << bit] + body[place + 1 :]
        for place in range(len(body))
        for bit in range(5)
    }
    assert len(mutants) == 680
    while len(mutants) < 20_680:
        letters = list(good)
        for _ in range(chance.choice((1, 1, 2, 3, 8))):
            letters[chance.randrange(len(letters))] = chance.choice(LETTERS + "018:*ｱa ")
        cut = chance.randrange(1, len(good))
        mutants.add(
            chance.choice(
                (
                    "".join(letters),
                    good[:cut],
                    good[cut:],
                    good[:cut] + good[cut - 1 :],
                    good[:cut] + other[cut:],
                    good.lower() if cut % 2 else good[:cut] + good[cut:].lower(),
                    "".join(letters) + good,
                )
            )
        )
        mutants -= {good, other}
    accepted = []
    for text in mutants:
        with suppress(tokens.Unreadable):
            accepted.append(tokens.read(text))
    assert accepted == []
    assert tokens.read(good).pass_id == 2**62 + 5


def test_key_of_another_hub_signs_only_its_own_hub() -> None:
    assert tokens.read(tokens.issue(hub="yagi", member=MEMBER, day=DAY, pass_id=1)).hub == "yagi"


def test_rotated_key_verifies_for_two_weeks_and_no_longer() -> None:
    text = issue()
    keys.rotate("ekimae")
    now = clock.machine_now()

    assert tokens.read(text, now=now + keys.OVERLAP - timedelta(minutes=1)).member == MEMBER
    with pytest.raises(tokens.Unreadable, match="unknown_key"):
        tokens.read(text, now=now + keys.OVERLAP + timedelta(minutes=1))
    assert tokens.read(issue()).member == MEMBER


def test_revoked_key_verifies_nothing() -> None:
    text = issue()
    keys.rotate("ekimae", revoke=True)

    with pytest.raises(tokens.Unreadable, match="unknown_key"):
        tokens.read(text)
    assert tokens.read(issue()).member == MEMBER


def test_key_file_is_for_its_owner_only() -> None:
    issue()

    assert keys._path().stat().st_mode & 0o777 == 0o600
