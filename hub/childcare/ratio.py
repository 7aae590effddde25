"""The ratio engine: pure integer arithmetic over dated rules (RULE-01 to RULE-05 of domain.md, A1).

Children are counted per age class: 0, 1, 2, 3, and 4 and 5 together. Nothing here reads the database or a clock.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

SCHOOL_AGE = 6
LEAST_STAFF = 2
CLASS_FIELDS = ("n0", "n1", "n2", "n3", "n45", "n45")  # age class -> counter


class Counts(NamedTuple):
    """Children present or booked, by age class."""

    n0: int = 0
    n1: int = 0
    n2: int = 0
    n3: int = 0
    n45: int = 0

    @property
    def children(self) -> int:
        return sum(self)

    @property
    def infants(self) -> int:
        """Children of classes 0 and 1: they share the infants' floor (RULE-05)."""
        return self.n0 + self.n1

    @property
    def toddlers(self) -> int:
        return self.n2 + self.n3 + self.n45

    def plus(self, age_class: int, by: int = 1) -> "Counts":
        field = CLASS_FIELDS[age_class]
        return self._replace(**{field: getattr(self, field) + by})


@dataclass(frozen=True)
class Ratios:
    """Children per worker by class, workers added to the sum, and the qualified share. Ratios divide 300."""

    r0: int = 3
    r1: int = 6
    r2: int = 6
    r3: int = 15
    r45: int = 25
    plus: int = 0
    share_num: int = 1
    share_den: int = 2


def fiscal_year(day: date) -> int:
    """The Japanese fiscal year of ``day``: it begins on 1 April."""
    return day.year if (day.month, day.day) >= (4, 1) else day.year - 1


def class_age(birthday: date, day: date) -> int:
    """The age class on ``day`` (RULE-01): full years on 31 March before the fiscal year, fixed for that year.

    By the age law a person reaches an age at the end of the day before the birthday, so a child born on
    1 April belongs to the older class. 6 and more is school age.
    """
    later = 1 if (birthday.month, birthday.day) > (4, 1) else 0
    return max(0, fiscal_year(day) - birthday.year - later)


def actual_age(birthday: date, day: date) -> int:
    """Full years on ``day``; 0 for a child not born yet."""
    return max(0, day.year - birthday.year - ((day.month, day.day) < (birthday.month, birthday.day)))


def tenths(counts: Counts, ratios: Ratios) -> int:
    """RULE-02 before rounding: tenths of a person, each band cut off after the first decimal."""
    if ratios.r1 == ratios.r2:
        ones_and_twos = 10 * (counts.n1 + counts.n2) // ratios.r1
    else:
        ones_and_twos = 10 * counts.n1 // ratios.r1 + 10 * counts.n2 // ratios.r2
    return (
        10 * counts.n0 // ratios.r0
        + ones_and_twos
        + 10 * counts.n3 // ratios.r3
        + 10 * counts.n45 // ratios.r45
    )


def administrative(counts: Counts, ratios: Ratios) -> int:
    """Workers by the administrative formula (RULE-02): rounded half up, plus, never under 2; 0 without children."""
    if not counts.children:
        return 0
    return max(LEAST_STAFF, (tenths(counts, ratios) + 5) // 10 + ratios.plus)


def strict(counts: Counts, ratios: Ratios) -> int:
    """RULE-03: the exact sum of fractions rounded up. May be 1; `required` adds the floor of 2."""
    parts = (
        counts.n0 * (300 // ratios.r0)
        + counts.n1 * (300 // ratios.r1)
        + counts.n2 * (300 // ratios.r2)
        + counts.n3 * (300 // ratios.r3)
        + counts.n45 * (300 // ratios.r45)
    )
    return -(-parts // 300)


def required(counts: Counts, ratios: Ratios, *, main_hours: bool = True) -> int:
    """Workers who must be there now (RULE-03). 0 in an empty room, otherwise at least 2."""
    if not counts.children:
        return 0
    return max(LEAST_STAFF, strict(counts, ratios), administrative(counts, ratios) if main_hours else 0)


def qualified(counts: Counts, ratios: Ratios) -> int:
    """Qualified workers needed (RULE-04): the share of RULE-02's number, rounded up, at least 1."""
    if not counts.children:
        return 0
    return max(1, -(-ratios.share_num * administrative(counts, ratios) // ratios.share_den))


def area_limit(area_cm2: int, per_child_cm2: int) -> int:
    """How many children a floor takes (RULE-05), cut off."""
    return area_cm2 // per_child_cm2


def formula(counts: Counts, ratios: Ratios, *, main_hours: bool = True) -> str:
    """The arithmetic with its numbers, as an inspector would write it; language-free."""

    def cut(n: int, r: int) -> str:
        return f"{n}/{r}={10 * n // r / 10}"

    if ratios.r1 == ratios.r2:
        bands = [cut(counts.n0, ratios.r0), cut(counts.n1 + counts.n2, ratios.r1)]
    else:
        bands = [cut(counts.n0, ratios.r0), cut(counts.n1, ratios.r1), cut(counts.n2, ratios.r2)]
    bands += [cut(counts.n3, ratios.r3), cut(counts.n45, ratios.r45)]
    total = tenths(counts, ratios)
    text = f"{' + '.join(bands)} = {total / 10} → {(total + 5) // 10} + {ratios.plus}"
    text += f" → {administrative(counts, ratios)}; strict {strict(counts, ratios)}"
    return f"{text}; required {required(counts, ratios, main_hours=main_hours)}"
