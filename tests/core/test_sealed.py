"""A sealed text opens in its own cell only, and only with the key."""

import json
from pathlib import Path

import pytest

from hub.core import sealed
from hub.core.sealed import SealError, seal, unseal

CELL = {"table": "childcare_child", "row": "ABC", "column": "allergy_sealed"}
TEXT = "卵・小麦。エピペンあり"


def test_text_comes_back_and_is_not_in_the_value() -> None:
    value = seal(TEXT, **CELL)

    assert unseal(value, **CELL) == TEXT
    assert TEXT.encode() not in value


def test_same_text_is_never_sealed_alike() -> None:
    assert seal(TEXT, **CELL) != seal(TEXT, **CELL)


@pytest.mark.parametrize("moved", [{"table": "other"}, {"row": "ABD"}, {"column": "note_sealed"}])
def test_value_moved_to_another_cell_does_not_open(moved: dict[str, str]) -> None:
    value = seal(TEXT, **CELL)

    with pytest.raises(SealError):
        unseal(value, **{**CELL, **moved})


@pytest.mark.parametrize("position", [0, 1, 2, 13, 14, -1])
def test_changed_byte_does_not_open(position: int) -> None:
    value = bytearray(seal(TEXT, **CELL))
    value[position] ^= 1

    with pytest.raises(SealError):
        unseal(bytes(value), **CELL)


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x01\x01" + b"x" * 20])
def test_short_value_does_not_open(value: bytes) -> None:
    with pytest.raises(SealError):
        unseal(value, **CELL)


def test_key_file_is_for_its_owner_only(settings) -> None:  # type: ignore[no-untyped-def]
    seal(TEXT, **CELL)

    assert Path(settings.FIELD_KEYS).stat().st_mode & 0o777 == 0o600


def test_new_key_seals_and_old_values_still_open(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    old = seal(TEXT, **CELL)
    keys = json.loads(Path(settings.FIELD_KEYS).read_text())
    settings.FIELD_KEYS = str(tmp_path / "turned.json")
    Path(settings.FIELD_KEYS).write_text(json.dumps({**keys, "2": "A" * 43 + "="}))

    fresh = seal(TEXT, **CELL)

    assert (old[1], fresh[1]) == (1, 2)
    assert unseal(old, **CELL) == unseal(fresh, **CELL) == TEXT


def test_without_the_key_nothing_is_shown(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    value = seal(TEXT, **CELL)
    settings.FIELD_KEYS = str(tmp_path / "elsewhere" / "fields.json")

    with pytest.raises(SealError):
        unseal(value, **CELL)


@pytest.mark.django_db
def test_attribute_of_a_model_seals_and_clears(cast) -> None:  # type: ignore[no-untyped-def]
    cast.yui.allergy = TEXT
    cast.yui.save()
    cast.yui.refresh_from_db()

    assert cast.yui.allergy == TEXT
    cast.haru.allergy_sealed = cast.yui.allergy_sealed
    with pytest.raises(SealError):
        _ = cast.haru.allergy
    cast.yui.allergy = ""
    assert (cast.yui.allergy_sealed, cast.yui.allergy) == (None, "")
    assert isinstance(type(cast.yui).allergy, sealed.Sealed)
