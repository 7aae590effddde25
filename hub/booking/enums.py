from django.db import models
from django.utils.translation import gettext_lazy as _


class EntryState(models.TextChoices):
    """How somebody's waiting stands. Only ``waiting`` is open; an open offer belongs to an entry that still waits."""

    WAITING = "waiting", _("待っています")
    BOOKED = "booked", _("予約できました")
    DECLINED = "declined", _("やめました")
    UNANSWERED = "unanswered", _("返事の 時間が すぎました")
    LEFT = "left", _("待つのを やめました")
    PAST = "past", _("空きませんでした")


class OfferState(models.TextChoices):
    OPEN = "open", _("返事を 待っています")
    ACCEPTED = "accepted", _("予約できました")
    DECLINED = "declined", _("やめました")
    EXPIRED = "expired", _("返事の 時間が すぎました")
    WITHDRAWN = "withdrawn", _("使えなくなりました")


class Priority(models.TextChoices):
    """Who comes first in the line, before the time of asking. Each hub writes down which of them it uses, in order."""

    NO_VISIT = "no_visit", _("その週に 予約が ない人")
    WITH_CHILDREN = "with_children", _("子どもを 預ける人")


class ExcuseKind(models.TextChoices):
    """Why a visit that was missed does not count. It never says more about a child than this."""

    FAMILY = "family", _("子どもの つごう")
    WAIVED = "waived", _("ハブ責任者が 数えない")
    CLOSED = "closed", _("ハブの つごう")
