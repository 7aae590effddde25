from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What a notice is about; a person chooses per kind how it reaches her."""

    REMINDER = "reminder", _("明日の 予約")
    OFFER = "offer", _("空きました")
    CHANGE = "change", _("予約・変更・中止")
    PICKUP = "pickup", _("お迎え")
    PAPERS = "papers", _("子どもの 登録")
    EVENT = "event", _("ひろば")
    WORK = "work", _("しごと")
    ACCOUNT = "account", _("入りかたと 役わり")


#: What the phone rings for unless she chose otherwise (ux.md 10: four kinds only). Everything else is mail and the list.
RINGING = frozenset({Kind.REMINDER, Kind.OFFER, Kind.CHANGE, Kind.PICKUP})


class Channel(models.TextChoices):
    MAIL = "mail", _("メール")
    PUSH = "push", _("スマホの お知らせ")


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("これから")
    SENT = "sent", _("送りました")
    DROPPED = "dropped", _("もう 古いので 送りません")  # what it said is no longer so
    FAILED = "failed", _("とどきませんでした")  # given up after days of trying
