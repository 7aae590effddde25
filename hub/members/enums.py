from django.db import models
from django.utils.translation import gettext_lazy as _


class Language(models.TextChoices):
    JAPANESE = "ja", "日本語"
    ENGLISH = "en", "English"


class InvitationState(models.TextChoices):
    OPEN = "open", _("まだ 使われていません")
    USED = "used", _("使われました")
    REVOKED = "revoked", _("取り消しました")
