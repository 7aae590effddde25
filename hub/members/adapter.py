"""How allauth speaks: 6-digit codes, our mails, staff sessions that end after 12 hours."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The plain adapter; sign-in pages live under templates/account/."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return True

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        user = super().save_user(request, user, form, commit=False)
        user.email = user.email.strip().lower()
        user.language = getattr(request, "LANGUAGE_CODE", "ja")
        if commit:
            user.save()
        return user
