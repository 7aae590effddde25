"""Whole yen and days of payment: no database, no clock, no rounding lost. Sources: domain.md B5, RULE-26, RULE-29."""

from collections.abc import Mapping
from datetime import date, timedelta

WHOLE = 10_000  # basis points: 100 %
PAY_WITHIN = timedelta(days=59)  # RULE-26: the day of receipt is day 1 of 60
REORDER_WITHIN = timedelta(days=29)
PAY_DAY = 25


def split(gross_yen: int, parts: Mapping[str, int]) -> dict[str, int]:
    """``gross_yen`` by ``parts`` (basis points that make 100 %) in whole yen with nothing left over.

    Each gets the whole yen of its part; what remains goes, one yen each, to the largest remainders, of equal ones to
    the first named. So nobody is a whole yen away from the exact part, and the order of calling does not matter.
    """
    if gross_yen < 0 or sum(parts.values()) != WHOLE:
        raise ValueError("an amount of 0 or more, and parts that make 100 %")
    exact = {name: gross_yen * part for name, part in parts.items()}
    yen = {name: value // WHOLE for name, value in exact.items()}
    rest = gross_yen - sum(yen.values())
    for name in sorted(exact, key=lambda name: -(exact[name] % WHOLE))[:rest]:
        yen[name] += 1
    return yen


def withholding(pay_yen: int) -> int:
    """Income tax kept back from writing fees paid to a person, RULE-29; ``pay_yen`` without consumption tax if shown apart."""
    if pay_yen <= 1_000_000:
        return pay_yen * 1021 // 10_000
    return (pay_yen - 1_000_000) * 2042 // 10_000 + 102_100


def latest_payment(received: date) -> date:
    """The last day on which work received on ``received`` may be paid (RULE-26)."""
    return received + PAY_WITHIN


def latest_reorder_payment(first_due: date) -> date:
    """The same for a re-order that names the first client and its day of payment (RULE-26)."""
    return first_due + REORDER_WITHIN


def payment_day(received: date) -> date:
    """When the hub pays its workers: closed at the end of the month, paid on the 25th of the next (day 56 at most)."""
    year, month = divmod(received.year * 12 + received.month, 12)
    return date(year, month + 1, PAY_DAY)
