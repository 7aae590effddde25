"""The adults who may bring and fetch a child: guardians of her household, and its pick-up adults of today (RULE-11)."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from hub.core.errors import DomainError
from hub.members.models import Guardian, Household, Member, PickupAdult


@dataclass(frozen=True)
class Adult:
    """One of them: exactly one of ``guardian`` and ``pickup`` is set, as the database asks of a hand-over."""

    guardian: Member | None = None
    pickup: PickupAdult | None = None

    @property
    def code(self) -> str:
        return self._person.code

    @property
    def name(self) -> str:
        return self._person.name or _("名前を 消した 人")

    @property
    def phone(self) -> str:
        return self._person.phone

    @property
    def relation(self) -> str:
        return self.pickup.relation if self.pickup else pgettext("relation", "保護者")

    @property
    def short(self) -> str:
        """For a card: a guardian by her given name, somebody who only fetches by who she is to the child."""
        if self.pickup is not None:
            return self.pickup.relation or self.name
        return _("%(name)sさん") % {"name": self.name.split()[-1]}

    @property
    def _person(self) -> Member | PickupAdult:
        person = self.guardian or self.pickup
        assert person is not None
        return person


def adults_of(household_id: int) -> list[Adult]:
    """Guardians in the order in which they joined, then the pick-up adults of now."""
    guardians = Guardian.objects.filter(household_id=household_id).select_related("member")
    pickups = PickupAdult.objects.filter(household_id=household_id, ended_at__isnull=True)
    return [
        *[Adult(guardian=row.member) for row in guardians.order_by("created_at", "pk")],
        *[Adult(pickup=row) for row in pickups.order_by("pk")],
    ]


def adult_of(household: Household | int, code: str) -> Adult:
    """The adult of this code, if she may bring and fetch the household's children now.

    Raises `DomainError` ``adult_ended`` (409) for somebody whom the guardians took off the list, ``adult_unknown`` (404)
    for everybody else, adults of other households included.
    """
    household_id = household if isinstance(household, int) else household.pk
    found = next((adult for adult in adults_of(household_id) if adult.code == code), None)
    if found is not None:
        return found
    if PickupAdult.objects.filter(household_id=household_id, code=code, ended_at__isnull=False).exists():
        raise DomainError(
            "adult_ended",
            gettext_lazy(
                "この人は お迎えの 人から はずされました。子どもを 渡さないで、保護者に 電話してください。"
            ),
        )
    raise DomainError(
        "adult_unknown",
        gettext_lazy(
            "この人は この子の 家族にも お迎えの 人にも 入っていません。子どもを 渡さないで、保護者に 電話してください。"
        ),
        404,
    )
