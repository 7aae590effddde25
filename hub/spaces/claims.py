"""Claims on seats and on a member's time: the unique rows behind invariant I1."""

from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hub.core.db import insert_rows, require_transaction, violated
from hub.core.errors import DomainError
from hub.core.quarters import Period
from hub.spaces.models import Seat, Visit, VisitClaim

SEAT_ONCE = ("seat_once", "spaces_visitclaim.seat_id")
MEMBER_ONCE = ("member_once", "spaces_visitclaim.member_id")


class SeatTaken(DomainError):
    def __init__(self, label: str = "") -> None:
        super().__init__(
            "seat_taken", _("その席は 先に うまりました。ほかの席を えらんでください。"), seat=label
        )


class MemberBusy(DomainError):
    def __init__(self) -> None:
        super().__init__("member_busy", _("その時間には もう 別の 予約が あります。"))


def insert(visit: Visit, seat: Seat | None, quarters: Iterable[int]) -> None:
    """Insert one claim per quarter, ascending, in one statement. Raises `SeatTaken` or `MemberBusy`.

    A savepoint surrounds it, so the caller may try the next seat in the same transaction.
    """
    require_transaction()
    seat_id = seat.pk if seat else None
    rows = [(visit.pk, visit.member_id, seat_id, quarter) for quarter in sorted(quarters)]
    try:
        with transaction.atomic():
            insert_rows(VisitClaim, ("visit_id", "member_id", "seat_id", "quarter"), rows)
    except IntegrityError as error:
        match violated(error, seat=SEAT_ONCE, member=MEMBER_ONCE):
            case "seat":
                raise SeatTaken(seat.label if seat else "") from None
            case "member":
                raise MemberBusy from None
        raise


def taken_seats(seats: Sequence[Seat], period: Period, *, ignore: Visit | None = None) -> set[int]:
    """Primary keys of ``seats`` that somebody holds in some quarter of ``period``."""
    quarters = period.quarters
    rows = VisitClaim.objects.filter(
        quarter__gte=quarters.start, quarter__lt=quarters.stop, seat_id__in=[seat.pk for seat in seats]
    )
    if ignore is not None:
        rows = rows.exclude(visit=ignore)
    return {pk for pk in rows.values_list("seat_id", flat=True).distinct() if pk is not None}


def release(visit: Visit, *, from_quarter: int | None = None) -> int:
    """Delete the claims of ``visit``, all or from a quarter on. Returns how many."""
    require_transaction()
    rows = VisitClaim.objects.filter(visit=visit)
    if from_quarter is not None:
        rows = rows.filter(quarter__gte=from_quarter)
    return rows.delete()[0]


def cut(visit: Visit, quarters: range) -> None:
    """Delete the claims of ``visit`` outside ``quarters``."""
    require_transaction()
    inside = Q(quarter__gte=quarters.start, quarter__lt=quarters.stop)
    VisitClaim.objects.filter(~inside, visit=visit).delete()
