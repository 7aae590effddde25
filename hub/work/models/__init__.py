"""Tables of the work: orders and their units, who does them, what was written, and whole yen."""

from hub.work.models.doing import Appeal, ControlItem, Correction, Delivery, Draft, Question
from hub.work.models.handing import Assignment, HandOut, Lease, OfferedHours, Skill, WorkNotice
from hub.work.models.money import (
    Earning,
    InvoiceDeduction,
    LedgerLine,
    OrderRate,
    PayProfile,
    Statement,
    WorkRates,
)
from hub.work.models.orders import (
    MOST_UNITS,
    MOST_YEN,
    Client,
    ImportPart,
    Lot,
    Nda,
    Order,
    OrderTerms,
    RowError,
    Unit,
    UnitImport,
)

__all__ = [
    "MOST_UNITS",
    "MOST_YEN",
    "Appeal",
    "Assignment",
    "Client",
    "ControlItem",
    "Correction",
    "Delivery",
    "Draft",
    "Earning",
    "HandOut",
    "ImportPart",
    "InvoiceDeduction",
    "Lease",
    "LedgerLine",
    "Lot",
    "Nda",
    "OfferedHours",
    "Order",
    "OrderRate",
    "OrderTerms",
    "PayProfile",
    "Question",
    "RowError",
    "Skill",
    "Statement",
    "Unit",
    "UnitImport",
    "WorkNotice",
    "WorkRates",
]
