"""Forms of the second factors: allauth's checks of passkeys, our words, and codes counted by `hub.members.factors`."""

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.core import context as current
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base_forms
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.internal.flows.add import validate_can_add_authenticator
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as key_forms
from allauth.mfa.webauthn.internal import auth as keys
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from fido2.utils import websafe_decode

from hub.core.errors import DomainError
from hub.core.forms import CodeField, nfkc
from hub.members import errors, factors
from hub.members.models import Member

APP_DIGITS, SPARE_DIGITS = 6, 8


class AnyCodeField(forms.CharField):
    """Six digits of the app or eight of a spare code; full-width digits, spaces and hyphens are taken."""

    default_error_messages = {
        "required": _("番号を 入れてください"),
        "code": _("認証アプリの 6けたか、予備の 8けたの 番号を 入れてください"),
    }

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "numeric", "autocomplete": "one-time-code", "class": "code", "maxlength": 16}
        kwargs.setdefault("widget", forms.TextInput(attrs=attrs))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        text = re.sub(r"[\s\-‐−ー]", "", nfkc(super().to_python(value) or ""))
        if text and not re.fullmatch(rf"[0-9]{{{APP_DIGITS}}}|[0-9]{{{SPARE_DIGITS}}}", text):
            raise ValidationError(self.error_messages["code"], code="code")
        return text


class _Code:
    """The code is tried by `factors.try_code`; ``exhausted`` says that no more may be tried now."""

    user: Member
    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]
    exhausted = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = factors.factors_of(self.user)
        label, hint = (
            _("認証アプリの 番号"),
            _("アプリに いま 出ている 6けた。予備の 番号（8けた）でも 入れます。"),
        )
        if mine.app is None:
            label, hint = (
                _("予備の 番号"),
                _("パスキーを 作ったときに 書きうつした 8けた。1つの 番号は 1回だけ 使えます。"),
            )
        self.fields["code"] = AnyCodeField(label=label, help_text=hint)

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        try:
            self.authenticator: Authenticator = factors.try_code(self.user, code)
        except DomainError as error:
            self.exhausted = error.code == "too_many_codes"
            raise ValidationError(str(error.message), code=error.code) from None
        return code


class AuthenticateForm(_Code, base_forms.AuthenticateForm):
    """While signing in."""


class ReauthenticateForm(_Code, base_forms.ReauthenticateForm):
    """Before something important."""


class ActivateAppForm(forms.Form):
    """The first code of a new app: proof that it was set up right. ``secret`` waits sealed in the session."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.user: Member = kwargs.pop("user")
        super().__init__(*args, **kwargs)
        field = CodeField(label=_("アプリに 出た 6けたの 番号"))
        field.error_messages["required"] = _("アプリに 出た 6けたの 番号を 入れてください")
        self.fields["code"] = field
        self.secret = factors.waiting_secret(fresh=not self.is_bound)
        self.step: int | None = None

    def clean_code(self) -> str:
        validate_can_add_authenticator(self.user)
        forget = check_rate_limit(self.user, error_key="too_many_login_attempts")
        code = str(self.cleaned_data["code"])
        self.step = factors.step_of(self.secret, code)
        if self.step is None:
            raise ValidationError(str(errors.wrong_code().message), code="wrong_code")
        forget()
        return code


class PasskeyNameForm(forms.Form):
    name = forms.CharField(
        label=_("パスキーの 名前"),
        max_length=40,
        help_text=_("どの 電話や パソコンか 分かる 名前。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("名前を 入れてください"),
            "max_length": _("名前は 40文字までで 入れてください"),
        },
    )

    def clean_name(self) -> str:
        return nfkc(self.cleaned_data["name"])


class CredentialField(forms.JSONField):
    """What the browser answers for a key, as an object. Anything else is no key."""

    widget = forms.HiddenInput
    MOST = 50_000  # characters; a big certificate chain fits

    def to_python(self, value: Any) -> Any:
        try:
            found = super().to_python(str(value)[: self.MOST]) if value else None
        except RecursionError:
            found = ()
        if found is not None and not isinstance(found, dict):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return found


@contextmanager
def no_key() -> Iterator[None]:
    """Bytes that are no key raise whatever the parsers of JSON, CBOR and COSE stumble over: all of it is "no key"."""
    try:
        yield
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
        struct.error,
    ) as error:
        raise get_adapter().validation_error("incorrect_code") from error


class _Credential:
    """Mixin: the hidden field that passkey.js fills, in our words."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = get_adapter().error_messages["incorrect_code"]
        self.fields["credential"] = CredentialField(error_messages={"required": words, "invalid": words})


class AuthenticatePasskeyForm(_Credential, key_forms.AuthenticateWebAuthnForm):
    """A passkey as the second step of signing in."""

    def clean_credential(self) -> Authenticator:
        with no_key():
            found: Authenticator = super().clean_credential()
        return found


class ReauthenticatePasskeyForm(AuthenticatePasskeyForm, key_forms.ReauthenticateWebAuthnForm):
    """A passkey before something important."""


class AddPasskeyForm(_Credential, key_forms.AddWebAuthnForm):
    """A new passkey; the page fills ``credential``. allauth's choice "passwordless" is gone: every key of ours is one."""

    passwordless = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = PasskeyNameForm.base_fields["name"]
        self.fields["name"].label, self.fields["name"].help_text = name.label, name.help_text
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        self.fields["credential"].error_messages["required"] = _(
            "パスキーを まだ 作っていません。下の ボタンを おしてください。"
        )

    def clean(self) -> dict[str, Any]:
        with no_key():
            data: dict[str, Any] = super().clean()
        return data

    def clean_name(self) -> str:
        """An empty name gets the proposed one and a long one is cut: the key lies on the phone already."""
        self.cleaned_data["name"] = nfkc(self.cleaned_data["name"])[:40]
        return str(super().clean_name())


class PasskeySignInForm(_Credential, key_forms.LoginWebAuthnForm):
    """Signing in by passkey alone. Whose it is says the key: it kept the member's public code."""

    def clean_credential(self) -> Authenticator:
        credential = self.cleaned_data["credential"]
        with no_key():
            keys.parse_authentication_response(credential)
            code = websafe_decode(credential["response"]["userHandle"]).decode("ascii")
            member = Member.objects.filter(code=code, is_active=True).first()
            if member is None:
                raise get_adapter().validation_error("incorrect_code")
            found: Authenticator = keys.complete_authentication(member, credential)
        return found


def proved(authenticator: Authenticator, member: Member) -> None:
    """Whoever has just set a factor up has shown it: the session counts as one that gave it, and as proved anew."""
    facts = factors.session_facts(authenticator)
    record_authentication(current.request, member, "mfa", reauthenticated=True, **facts)
    current.request.session.cycle_key()  # security.md T24: a step up gets a new session id
