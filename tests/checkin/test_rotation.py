"""`manage.py rotate_pass_key`: a new key signs, old passes hold a while, stolen ones not at all."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hub.checkin import keys, passes, tokens
from hub.core import clock
from tests import factories as make


def rotate(*arguments: str) -> str:
    out = StringIO()
    call_command("rotate_pass_key", *arguments, stdout=out)
    return out.getvalue()


def token(cast: Any) -> str:
    return passes.token_of(passes.pass_for(member=cast.misaki, hub=cast.ekimae, day=make.TODAY))


def test_first_rotation_makes_the_first_key(cast: Any) -> None:
    assert rotate("ekimae") == "ekimae: key 1 signs from now on.\n"


def test_old_passes_hold_for_fourteen_days(cast: Any) -> None:
    old = token(cast)
    said = rotate("ekimae")
    assert (
        said == "ekimae: key 2 signs from now on.\nStill accepted for 14 days after each was replaced: 1.\n"
    )
    assert token(cast) != old
    claim = tokens.read(token(cast))
    soon = clock.machine_now() + timedelta(days=13)
    assert tokens.read(old, now=soon) == claim
    with pytest.raises(tokens.Unreadable, match="unknown_key"):
        tokens.read(old, now=soon + timedelta(days=2))


def test_after_theft_nothing_of_the_old_key_opens(cast: Any) -> None:
    old = token(cast)
    said = rotate("ekimae", "--revoke")
    assert said.splitlines()[1] == "Revoked: 1. Phones must open their pass again with a connection."
    with pytest.raises(tokens.Unreadable, match="unknown_key"):
        tokens.read(old)
    assert tokens.read(token(cast)).member == cast.misaki.code


def test_keys_of_other_hubs_stay(cast: Any) -> None:
    keys.signing_key("yagi")
    rotate("ekimae", "--revoke")
    assert [(key.hub, key.retired_at) for key in keys.ring().values()] == [("yagi", None), ("ekimae", None)]


def test_unknown_hub_is_named(cast: Any) -> None:
    with pytest.raises(CommandError, match="no hub nowhere"):
        rotate("nowhere")
