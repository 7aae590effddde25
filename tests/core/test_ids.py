"""Short codes that a person can read out on the telephone."""

import pytest

from hub.core.ids import ALPHABET, LENGTH, new_code, normalise


def test_codes_are_of_the_alphabet_and_differ() -> None:
    codes = {new_code() for _ in range(2_000)}

    assert len(codes) == 2_000
    assert {len(code) for code in codes} == {LENGTH}
    assert set("".join(codes)) <= set(ALPHABET)
    assert not set("ILOU") & set(ALPHABET)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(" ab-cd 01 ", "ABCD01"), ("oil", "011"), ("u8", "V8"), ("0123456789", "0123456789")],
)
def test_typed_code_is_read_as_meant(typed: str, meant: str) -> None:
    assert normalise(typed) == meant


def test_every_code_survives_being_typed_in_small_letters() -> None:
    code = new_code()

    assert normalise(code.lower()) == code
