"""Refusals of this app, as functions that make a `DomainError`."""

from django.utils.translation import gettext_lazy as _

from hub.core.errors import DomainError


def email_taken() -> DomainError:
    """Said to staff and commands only: sign-up pages never tell whether an address is known."""
    return DomainError("email_taken", _("この メールアドレスの 人は もう います。"), 409)


def invitation_gone() -> DomainError:
    return DomainError(
        "invitation_gone",
        _("この 招待は もう 使えません。送った 人に、新しい リンクを 作って もらってください。"),
        410,
    )


def own_invitation() -> DomainError:
    return DomainError(
        "own_invitation", _("これは あなたが 作った リンクです。もう1人の 保護者に 送ってください。"), 409
    )


def already_guardian() -> DomainError:
    return DomainError("already_guardian", _("もう この 家族の 保護者に なっています。"), 409)


def too_many(what: str) -> DomainError:
    """``what``: tokens or pickup adults; the limits are in `services`."""
    messages = {
        "tokens": _("トークンは 10こ までです。使っていない ものを とめてから 作ってください。"),
        "pickup": _("むかえの人は 10人 までです。使わない 人を はずしてから 足してください。"),
    }
    return DomainError(f"too_many_{what}", messages[what], 409)


def wrong_code() -> DomainError:
    return DomainError("wrong_code", _("番号が ちがいます。いま 出ている 番号を 入れてください。"), 422)


def too_many_codes() -> DomainError:
    return DomainError(
        "too_many_codes", _("番号が 何度も ちがいました。10分 待って、はじめから お願いします。"), 429
    )
