"""Forms of people: allauth's with our words, and those of わたし.

allauth's forms keep their checks (limits, equal answers for known and unknown addresses); only labels, hints and
fields are ours. Placeholders go: a label stands above every field (ux.md section 6).
"""

from typing import Any, cast

from allauth.account import forms as allauth_forms
from django import forms
from django.core.validators import EmailValidator
from django.utils.translation import gettext_lazy as _

from hub.core.forms import CodeField, KanaField, NameField, PhoneField, nfkc
from hub.members.enums import Language

EMAIL_LABEL = _("メールアドレス")
PASSWORD_HINT = _("10文字 以上に してください。名前や メールアドレスは 使えません。")


class _Words:
    """Mixin: labels and hints by field name; placeholders and allauth's own help go."""

    words: dict[str, tuple[Any, Any]] = {}
    renderer: Any
    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            label, hint = self.words.get(name, (field.label, ""))
            field.label, field.help_text = label, hint
            if isinstance(field, forms.EmailField):
                field.error_messages = {
                    **field.error_messages,
                    "required": _("メールアドレスを 入れてください"),
                }
                for validator in field.validators:
                    if hasattr(validator, "user_regex"):
                        field.validators = [_EmailWords() if v is validator else v for v in field.validators]
            elif isinstance(field.widget, forms.PasswordInput):
                field.error_messages = {**field.error_messages, "required": _("パスワードを 入れてください")}


class _EmailWords(EmailValidator):
    """Django's check of an address, saying what an address looks like."""

    message = _("メールアドレスは、name@example.jp のように 入れてください")


class _EmailForm(_Words):
    words = {"email": (EMAIL_LABEL, "")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["email"]
        field.widget.attrs |= {"inputmode": "email", "autocapitalize": "off", "spellcheck": "false"}
        # Full-width letters and stray spaces are repaired, not complained about.
        field.to_python = lambda value: nfkc(str(value or "")).replace(" ", "")


class LoginForm(_Words, allauth_forms.LoginForm):
    words = {"login": (EMAIL_LABEL, ""), "password": (_("パスワード"), "")}

    def _setup_password_field(self) -> None:
        """Signing up asks for no password, and allauth then drops it here too; whoever made one may use it."""


class SignupForm(_EmailForm, allauth_forms.SignupForm):
    words = {"email": (EMAIL_LABEL, _("この アドレスに 6けたの 番号を 送ります。"))}


class RequestLoginCodeForm(_EmailForm, allauth_forms.RequestLoginCodeForm):
    words = {"email": (EMAIL_LABEL, _("この アドレスに 6けたの 番号を 送ります。パスワードは いりません。"))}


class ResetPasswordForm(_EmailForm, allauth_forms.ResetPasswordForm):
    words = {"email": (EMAIL_LABEL, _("この アドレスに 6けたの 番号を 送ります。"))}


class AddEmailForm(_EmailForm, allauth_forms.AddEmailForm):
    words = {"email": (_("新しい メールアドレス"), _("新しい アドレスに 6けたの 番号を 送ります。"))}


class _CodeForm:
    """The 6 digits: pasting, full-width digits, spaces and hyphens all work."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = CodeField(label=_("6けたの 番号"))
        field.error_messages["required"] = _("メールの 6けたの 番号を 入れてください")
        self.fields["code"] = field


class ConfirmLoginCodeForm(_CodeForm, allauth_forms.ConfirmLoginCodeForm):
    pass


class ConfirmEmailCodeForm(_CodeForm, allauth_forms.ConfirmEmailVerificationCodeForm):
    pass


class ConfirmResetCodeForm(_CodeForm, allauth_forms.ConfirmPasswordResetCodeForm):
    pass


_NEW = {
    "password1": (_("新しい パスワード"), PASSWORD_HINT),
    "password2": (_("新しい パスワードを もう一度"), ""),
}


class _SamePassword:
    """The second field differs from the first: said in our words."""

    def clean(self) -> Any:
        form = cast(forms.Form, self)
        data = forms.Form.clean(form) or {}
        first, second = data.get("password1"), data.get("password2")
        if first and second and first != second:
            form.add_error("password2", _("上と 同じ パスワードを 入れてください"))
        return data


class ChangePasswordForm(_SamePassword, _Words, allauth_forms.ChangePasswordForm):
    words = {"oldpassword": (_("いまの パスワード"), ""), **_NEW}


class SetPasswordForm(_SamePassword, _Words, allauth_forms.SetPasswordForm):
    words = _NEW


class ResetPasswordKeyForm(_SamePassword, _Words, allauth_forms.ResetPasswordKeyForm):
    words = _NEW


class ReauthenticateForm(_Words, allauth_forms.ReauthenticateForm):
    words = {"password": (_("パスワード"), "")}


# ---------------------------------------------------------------- わたし


class PersonForm(forms.Form):
    """Name and furigana, asked the same way everywhere."""

    name = NameField(
        label=_("氏名"),
        help_text=_("みょうじと 名前の あいだを あけてください。"),
        error_messages={
            "required": _("氏名を 入れてください"),
            "max_length": _("氏名は 60文字までで 入れてください"),
        },
    )
    kana = KanaField(
        label=_("ふりがな"),
        max_length=80,
        error_messages={
            "required": _("ふりがなを 入れてください"),
            "max_length": _("ふりがなは 80文字までで 入れてください"),
        },
    )


class LanguageMixin(forms.Form):
    language = forms.ChoiceField(
        label=_("ことば"),
        choices=Language.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("ことばを えらんでください"),
            "invalid_choice": _("ことばを えらんでください"),
        },
    )


class ProfileForm(LanguageMixin, PersonForm):
    """What a person keeps about herself."""

    phone = PhoneField(
        label=_("電話番号"), required=False, help_text=_("ハブが 急いで 話したいとき だけ 使います。")
    )
    field_order = ["name", "kana", "phone", "language"]


class PickupAdultForm(PersonForm):
    """Somebody who may only fetch the children."""

    relation = forms.CharField(
        label=_("子どもとの 関係"),
        max_length=30,
        help_text=_("祖母、近所の人 など"),
        error_messages={
            "required": _("子どもとの 関係を 入れてください"),
            "max_length": _("30文字までで 入れてください"),
        },
    )
    phone = PhoneField(label=_("電話番号"), error_messages={"required": _("電話番号を 入れてください")})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "phone"):  # somebody else's: the browser must not fill in the parent's own
            self.fields[name].widget.attrs["autocomplete"] = "off"


class TokenForm(forms.Form):
    label = forms.CharField(
        label=_("トークンの 名前"),
        max_length=60,
        help_text=_("あとで どれか 分かる 名前。カレンダー、家の パソコン など"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("名前を 入れてください"),
            "max_length": _("60文字までで 入れてください"),
        },
    )


class LeaveForm(forms.Form):
    sure = forms.BooleanField(
        label=_("わかりました。アカウントを 消します"),
        error_messages={"required": _("消すときは、ここに しるしを つけてください")},
    )
