"""The frame of staff's pages: the side list of what this person may do at this hub.

It names pages of apps above by their URL names only, so that booking can show its pages in the same frame as the desk.
"""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy

from hub.spaces.access import Action, allowed, holds
from hub.spaces.models import Hub

#: The side list in its order: URL name, word, icon, and the right it needs.
NAV = (
    ("desk", gettext_lazy("きょうのハブ"), "cal", Action.SEE_DAY),
    ("desk_inside", gettext_lazy("中にいる人"), "in", Action.SEE_INSIDE),
    ("door", gettext_lazy("入口"), "qr", Action.SCAN),
    ("care", gettext_lazy("こどものへや"), "family", Action.CARE_FOR_CHILDREN),
    ("desk_book", gettext_lazy("予約を 入れる"), "calplus", Action.BOOK_FOR_OTHERS),
    ("desk_waiting", gettext_lazy("待っている人"), "bell", Action.SEE_WAITING),
    ("desk_work", gettext_lazy("しごと配り"), "work", Action.DIRECT_WORK),
    ("desk_review", gettext_lazy("できあがり"), "check", Action.DIRECT_WORK),
    ("desk_levels", gettext_lazy("レベル"), "chart", Action.DIRECT_WORK),
    ("desk_appeals", gettext_lazy("見なおし"), "talk", Action.ANSWER_APPEAL),
    ("desk_clients", gettext_lazy("クライアント"), "bag", Action.DIRECT_WORK),
    ("desk_pay", gettext_lazy("しはらい"), "check", Action.PAY_WORK),
    ("desk_ledger", gettext_lazy("ハブの お金"), "chart", Action.SEE_LEDGER),
    ("desk_rates", gettext_lazy("お金の 分けかた"), "share", Action.SEE_LEDGER),
    ("desk_roster", gettext_lazy("保育者の 当番"), "roster", Action.MANAGE_ROSTER),
    ("desk_quarter", gettext_lazy("配置の 説明"), "info", Action.EXPLAIN_QUARTER),
    ("desk_children", gettext_lazy("子どもの 確認"), "child", Action.DECIDE_CHILD),
    ("desk_people", gettext_lazy("利用者と 役わり"), "people", Action.MANAGE_PEOPLE),
    ("desk_seats", gettext_lazy("席と 場所"), "seat", Action.MANAGE_SEATS),
    ("desk_hours", gettext_lazy("開く時間と お休み"), "clock", Action.MANAGE_HOURS),
    ("desk_notices", gettext_lazy("お知らせの 見本"), "bell", Action.READ_NOTICE_WORDS),
)
#: Pages that name the hub behind a question mark (ux.md 3); the others carry it in their path.
BY_QUERY = ("door", "care")


def address(name: str, hub: Hub) -> str:
    """Where an entry of `NAV` leads for ``hub``."""
    return f"{reverse(name)}?hub={hub.slug}" if name in BY_QUERY else reverse(name, args=[hub.slug])


def entrance(member: Any, hub: Hub) -> str:
    """The first page of the side list that ``member`` has at ``hub``: not everybody there sees the day."""
    return next(address(name, hub) for name, _label, _icon, action in NAV if holds(member, action, hub))


def frame(member: Any, hub: Hub, current: str) -> dict[str, Any]:
    """What `components/side.html` shows to ``member`` at ``hub``; ``current`` is the URL name of the page's entry."""
    nav = [
        {"url": address(name, hub), "label": label, "icon": icon, "current": name == current}
        for name, label, icon, action in NAV
        if allowed(member, action, hub)
    ]
    return {"hub": hub, "desk_nav": nav}
