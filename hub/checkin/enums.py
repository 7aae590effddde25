from django.db import models
from django.utils.translation import gettext_lazy as _


class Direction(models.TextChoices):
    IN = "in", _("入館")
    OUT = "out", _("退館")


class Method(models.TextChoices):
    """How the person at the door was found."""

    QR = "qr", _("QR")
    CODE = "code", _("番号")
    NAME = "name", _("名前")


class Result(models.TextChoices):
    """What the door says to a scan; every readable one answers with one of these (design 5)."""

    OK = "ok", _("どうぞ")
    OUT = "out", _("おつかれさまでした")
    ALREADY_IN = "already_in", _("もう 中にいます")
    NOT_IN = "not_in", _("まだ 入っていません")
    NOT_BOOKED = "not_booked", _("予約なし")
    WRONG_HUB = "wrong_hub", _("ちがう ハブ")
    NOT_TODAY = "not_today", _("日が ちがいます")
    TOO_EARLY = "too_early", _("まだ 早いです")
    CANCELLED = "cancelled", _("やめた 予約")
    CHILDREN_INSIDE = "children_inside", _("子どもが 中にいます")
    BLOCKED = "blocked", _("いまは 入れません")
    INVALID = "invalid", _("読めません")


#: Results that changed who is inside.
ACCEPTED = (Result.OK, Result.OUT)


class PresenceKind(models.TextChoices):
    WORKER = "worker", _("使う人")
    STAFF = "staff", _("スタッフ")
    VISITOR = "visitor", _("お客さん")


class PresenceEnd(models.TextChoices):
    """How the hub knows that somebody is no longer inside."""

    OUT = "out", _("退館")
    TOLD = "told", _("本人が 電話の 画面で 答えた")
    ASSUMED = "assumed", _("閉館で 帰ったと みなした")
    MOVED = "moved", _("ほかの ハブに 入った")
    UNDONE = "undone", _("取り消し")
