"""RULE-12: somebody asks after a child who did not come, and it is on record."""

from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from hub.childcare import absence
from hub.childcare.models import AbsenceContact
from hub.core.errors import DomainError
from tests import factories as make
from tests.childcare.care import morning, receive


@pytest.fixture
def here(cast: SimpleNamespace, now: time_machine.Traveller) -> SimpleNamespace:
    return morning(cast, now)


def ask(here: SimpleNamespace, **changes: Any) -> AbsenceContact:
    call = {"actor": here.carer, "hub": here.ekimae, "child": here.haru.code, "outcome": "coming"}
    return absence.record_contact(**call | changes)


def code_of(work: Any) -> tuple[str, int]:
    with pytest.raises(DomainError) as refused:
        work()
    return refused.value.code, refused.value.status


def test_contact_says_when_who_and_what(here: SimpleNamespace) -> None:
    ask(here, note=" 電車が　おくれて います ")

    row = AbsenceContact.objects.select_related("place__child").get()
    assert (row.place.child, row.contacted_by, row.contacted_at) == (here.haru, here.carer, make.NOW)
    assert (row.outcome, row.note) == ("coming", "電車が おくれて います")


def test_double_tap_is_one_contact(here: SimpleNamespace) -> None:
    assert ask(here).pk == ask(here).pk
    assert ask(here, outcome="no_answer").pk != ask(here).pk


def test_child_inside_is_not_missing(here: SimpleNamespace) -> None:
    receive(here)

    assert code_of(lambda: ask(here)) == ("already_in_care", 409)


def test_child_without_a_place_today_and_an_unknown_outcome_are_refused(here: SimpleNamespace) -> None:
    other = make.make_child(here.household, here.ekimae, 2)

    assert code_of(lambda: ask(here, child=other.code)) == ("no_place", 404)
    assert code_of(lambda: ask(here, outcome="perhaps")) == ("outcome_missing", 422)
    assert code_of(lambda: ask(here, actor=here.manager)) == ("not_a_carer", 403)
    assert code_of(lambda: ask(here, actor=here.misaki)) == ("hub_unknown", 404)
    assert AbsenceContact.objects.count() == 0
