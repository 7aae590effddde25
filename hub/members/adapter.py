"""How allauth speaks and where it leads: our words, our mails, one way in after every sign-in."""

import base64
from typing import Any, ClassVar
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from hub.core import live
from hub.core.sealed import seal, unseal
from hub.members import factors


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in pages live under templates/account/; every sign-in ends at `after_sign_in`."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("この アカウントは いま 使えません。"),
        "cannot_remove_primary_email": _("いま 使っている メールアドレスは 消せません。"),
        "duplicate_email": _("それは いま 使っている メールアドレスです。"),
        "email_password_mismatch": _("メールアドレスか パスワードが ちがいます。"),
        "email_taken": _("この メールアドレスは 使えません。別の メールアドレスを 入れてください。"),
        "enter_current_password": _("いまの パスワードが ちがいます。"),
        "incorrect_code": _("番号が ちがいます。メールの 6けたを たしかめてください。"),
        "incorrect_password": _("パスワードが ちがいます。"),
        "invalid_login": _("入れませんでした。もう一度 お願いします。"),
        "invalid_password_reset": _("この リンクは もう 使えません。はじめから お願いします。"),
        "too_many_login_attempts": _("回数が 多すぎます。しばらく 待ってから、もう一度 お願いします。"),
        "rate_limited": _("つづけて 送りすぎです。10びょう ほど 待ってから、もう一度 お願いします。"),
        "same_as_current": _("いまと 同じ メールアドレスです。"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Everybody may sign up; only childcare waits for papers."""
        return True

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        user = super().save_user(request, user, form, commit=False)
        user.email = user.email.strip().lower()
        user.language = "en" if getattr(request, "LANGUAGE_CODE", "ja").startswith("en") else "ja"
        if commit:
            user.save()
        return user

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        """Every way in passes `after_sign_in`, also one with ``next``: there staff sessions are made short."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        entrance, wanted = reverse("after_sign_in"), response.headers.get("Location", "")
        if wanted and wanted != entrance:
            response.headers["Location"] = f"{entrance}?{urlencode({'next': wanted})}"
        return response

    def set_password(self, user: Any, password: str) -> None:
        """A new password ends all other sessions (Django), and with them their open pages."""
        super().set_password(user, password)
        live.recheck(user.code)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Who has a second factor proves herself by it: with her password alone nobody adds a passkey or sees codes."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if any(method["id"] != "reauthenticate" for method in methods):
            methods = [method for method in methods if method["id"] != "reauthenticate"]
        return sorted(methods, key=lambda method: method["id"] != "mfa_reauthenticate:webauthn")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return "/en/" if getattr(request, "LANGUAGE_CODE", "ja").startswith("en") else "/"

    def format_email_subject(self, subject: str) -> str:
        return f"{subject} | {settings.PRODUCT_NAME}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        facts = {
            "product_name": settings.PRODUCT_NAME,
            "help_phone": settings.HELP_PHONE,
            "site_url": settings.SITE_URL,
        }
        super().send_mail(template_prefix, email, {**facts, **context})

    def get_from_email(self) -> str:
        return str(settings.DEFAULT_FROM_EMAIL)


class MFAAdapter(DefaultMFAAdapter):
    """Second factors: what is secret is sealed, no integer key leaves the server, a passkey has a name people know."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "add_email_blocked": _("この メールアドレスは 使えません。別の メールアドレスを 入れてください。"),
        "cannot_delete_authenticator": _("これは いま 消せません。"),
        "cannot_generate_recovery_codes": _("先に パスキーか 認証アプリを 足してください。"),
        "incorrect_code": _("パスキーで たしかめられませんでした。もう一度 お願いします。"),
        "unverified_email": _("先に、メールに 届いた 番号で メールアドレスを たしかめてください。"),
    }
    #: allauth hands over a text without its row, so it is bound to the column alone. Nobody gains by moving one:
    #: whoever can write the table could as well put in a factor of her own.
    CELL: ClassVar[dict[str, str]] = {"table": "mfa_authenticator", "row": "*", "column": "data"}

    def encrypt(self, text: str) -> str:
        return base64.b64encode(seal(text, **self.CELL)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(base64.b64decode(encrypted_text), **self.CELL)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        return factors.passkey_name(user, current.request.headers.get("User-Agent", ""))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": settings.PRODUCT_NAME}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """The key keeps this for ever and gives it back when signing in: the public code, never the row's number."""
        return {**super().get_public_key_credential_user_entity(user), "id": user.code.encode()}

    def _get_site_name(self) -> str:
        return str(settings.PRODUCT_NAME)
