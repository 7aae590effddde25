"""A notice as a row of a list: its time on the hub's clock, its picture, and whether its words are of another language."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hub.notices.enums import Kind
from hub.notices.models import Notice
from hub.notices.quiet import ZONE

#: Icon and colour of each kind: blue-green is me and my seat, apricot children, wisteria town life (ux.md 12).
LOOKS = {
    Kind.REMINDER: ("clock", ""), Kind.OFFER: ("seat", ""), Kind.CHANGE: ("cal", ""), Kind.PICKUP: ("family", "care"),
    Kind.PAPERS: ("child", "care"), Kind.EVENT: ("horn", "event"), Kind.WORK: ("work", ""), Kind.ACCOUNT: ("key", "plain"),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    notice: Notice
    at: datetime
    icon: str
    look: str


def rows_of(notices: Iterable[Notice]) -> list[Row]:
    return [Row(notice, notice.created_at.astimezone(ZONE), *LOOKS[Kind(notice.kind)]) for notice in notices]
