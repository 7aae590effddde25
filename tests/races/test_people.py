"""Races of households: one link makes one guardian, children keep one, two taps make one household."""

import pytest

from hub.childcare.children import leave_household
from hub.core.db import run_write
from hub.members.models import Guardian, Household
from hub.members.services import accept_invitation, household_of_or_new, invite_guardian
from tests import factories as make
from tests.races.arena import codes, crowd

pytestmark = [pytest.mark.race, pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]

PEOPLE = 16
ROUNDS = 10


def test_one_link_raced_by_many_makes_one_guardian() -> None:
    hub = make.make_hub()
    owner = make.make_member("持ち主", "owner@race.example", hub=hub)
    household = make.make_household(owner)
    people = [make.make_member(f"人 {n}", f"p{n}@race.example", hub=hub) for n in range(PEOPLE)]
    with crowd(PEOPLE) as racers:
        for _round in range(ROUNDS):
            _row, secret = invite_guardian(household, by=owner)
            outcomes = racers.race(
                [
                    lambda secret=secret, person=person: accept_invitation(secret, member=person)
                    for person in people
                ]
            )
            assert codes(outcomes) == {"ok": 1, "invitation_gone": PEOPLE - 1}
            assert household.guardians.count() == 2
            household.guardians.exclude(member=owner).delete()


def test_all_guardians_leaving_at_once_leave_one_behind() -> None:
    hub = make.make_hub()
    people = [make.make_member(f"人 {n}", f"p{n}@race.example", hub=hub) for n in range(PEOPLE)]
    household = make.make_household(*people)
    make.make_child(household, hub)
    with crowd(PEOPLE) as racers:
        for _round in range(ROUNDS):
            outcomes = racers.race(
                [lambda person=person: leave_household(household, member=person) for person in people]
            )
            assert codes(outcomes) == {"ok": PEOPLE - 1, "last_guardian": 1}
            assert household.guardians.count() == 1
            left = set(household.guardians.values_list("member", flat=True))
            Guardian.objects.bulk_create(
                Guardian(household=household, member=person) for person in people if person.pk not in left
            )


def test_many_taps_of_one_person_make_one_household() -> None:
    person = make.make_member("人", "p@race.example", hub=make.make_hub())
    with crowd(PEOPLE) as racers:
        for _round in range(ROUNDS):
            outcomes = racers.race([lambda: run_write(lambda: household_of_or_new(person))] * PEOPLE)
            assert codes(outcomes) == {"ok": PEOPLE}
            assert Household.objects.count() == 1
            Household.objects.all().delete()
