"""Form fields and the form renderer shared by every app.

The rule of all fields here (ux.md section 6): never complain about something the computer can repair.
Full-width digits, hyphens, half-width katakana and stray spaces are put right before anything is judged.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import TemplatesSetting
from django.forms.utils import pretty_name
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class HidamariForms(TemplatesSetting):
    """Renders forms and fields with our own markup: label, hint, field, error, in this order.

    Set as `FORM_RENDERER`; `django.forms` must stand in INSTALLED_APPS so that the widget templates are found.
    """

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"


class HidamariForm(forms.Form):
    """The base of our forms: a field left out says what to do, by name, instead of "This field is required".

    Fields with their own `required` message keep it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        general = forms.Field.default_error_messages["required"]
        for name, field in self.fields.items():
            if field.required and field.error_messages.get("required") == general:
                label = field.label or pretty_name(name)
                field.error_messages["required"] = format_lazy(self._sentence(field), label=label)

    @staticmethod
    def _sentence(field: forms.Field) -> _StrPromise:
        if isinstance(field, forms.BooleanField):
            return _("「{label}」に しるしを つけてください")
        if isinstance(field, forms.ChoiceField):
            return _("{label}を えらんでください")
        return _("{label}を 入れてください")


# ---------------------------------------------------------------- text

_ERAS = ((date(2019, 5, 1), "令和"), (date(1989, 1, 8), "平成"), (date(1926, 12, 25), "昭和"))


def wareki(day: date) -> str:
    """The Japanese era year of a day, such as 「令和3年」 or 「平成元年」; empty before Showa."""
    for start, name in _ERAS:
        if day >= start:
            year = day.year - start.year + 1
            return f"{name}{'元' if year == 1 else year}年"
    return ""


def nfkc(text: str) -> str:
    """NFKC form with runs of white space made one space and the ends trimmed."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()


def to_katakana(text: str) -> str:
    """NFKC and hiragana turned into full-width katakana, so that furigana sorts and searches one way."""
    return "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" or c in "ゝゞ" else c for c in nfkc(text))


class NameField(forms.CharField):
    """A person's name as people write it; NFKC and trimmed, at most 60 characters unless told."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 60)
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": "name"}))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        """The cleaned name; an empty string stays empty."""
        return nfkc(super().to_python(value) or "")


class KanaField(NameField):
    """Furigana: hiragana and half-width katakana are taken too, and stored as full-width katakana."""

    default_error_messages = {"kana": _("ふりがなは、ひらがなか カタカナで 書いてください")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off"}))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        """Full-width katakana; raises ValidationError(`kana`) where another script remains."""
        text = to_katakana(super().to_python(value))
        if not re.fullmatch(r"[ァ-ヺー・ヽヾ ]*", text):
            raise ValidationError(self.error_messages["kana"], code="kana")
        return text


# ---------------------------------------------------------------- numbers


class PhoneField(forms.CharField):
    """A Japanese telephone number, stored as 10 or 11 digits beginning with 0; +81 is understood."""

    default_error_messages = {"phone": _("電話番号は、0から はじまる 10けたか 11けたで 入れてください")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "widget", forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel"})
        )
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        """The digits alone; raises ValidationError(`phone`)."""
        text = re.sub(r"[\s\-‐‑‒–—―−ー()./]", "", nfkc(super().to_python(value) or ""))
        if not text:
            return ""
        if text.startswith("+81"):
            text = "0" + text[3:].removeprefix("0")
        if not re.fullmatch(r"0[0-9]{9,10}", text):
            raise ValidationError(self.error_messages["phone"], code="phone")
        return text


class CodeField(forms.CharField):
    """A code of digits that came by mail; full-width digits, spaces and hyphens are taken, pasting works."""

    default_error_messages = {"code": _("%(digits)sけたの 数字を 入れてください")}

    def __init__(self, *, digits: int = 6, **kwargs: Any) -> None:
        self.digits = digits
        attrs = {
            "inputmode": "numeric",
            "autocomplete": "one-time-code",
            "class": "code",
            "maxlength": digits + 6,
        }
        kwargs.setdefault("widget", forms.TextInput(attrs=attrs))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        """Exactly `digits` digits; raises ValidationError(`code`)."""
        text = re.sub(r"[\s\-‐−ー]", "", nfkc(super().to_python(value) or ""))
        if text and not re.fullmatch(rf"[0-9]{{{self.digits}}}", text):
            raise ValidationError(self.error_messages["code"], code="code", params={"digits": self.digits})
        return text


class WideIntegerField(forms.IntegerField):
    """Whole numbers; full-width digits are taken too."""

    default_error_messages = {"invalid": _("数字で 入れてください")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "widget", forms.TextInput(attrs={"inputmode": "numeric", "class": "short", "autocomplete": "off"})
        )
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> int | None:
        """The number, None where nothing was typed."""
        return super().to_python(nfkc(value) if isinstance(value, str) else value)


# ---------------------------------------------------------------- days


def day_field(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    return forms.DateField(
        label=label, required=required, help_text=help_text, input_formats=["%Y-%m-%d", "%Y/%m/%d"],
        widget=forms.DateInput(attrs={"type": "date", "class": "short"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("日は 2026-12-09 のように 入れてください")},
    )  # fmt: skip


class BirthdayWidget(forms.MultiWidget):
    """Three number boxes 年・月・日; no calendar to page back through years. Shows the era year back."""

    template_name = "components/birthday.html"
    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        def box(length: int, autocomplete: str) -> forms.TextInput:
            return forms.TextInput(
                attrs={"inputmode": "numeric", "maxlength": length, "autocomplete": autocomplete}
            )

        parts: dict[str, forms.Widget | type[forms.Widget]] = {
            "year": box(6, "bday-year"),
            "month": box(3, "bday-month"),
            "day": box(3, "bday-day"),
        }
        super().__init__(parts, attrs)

    def decompress(self, value: Any) -> list[Any]:
        """A date as its three parts; anything else as three empty boxes."""
        return [value.year, value.month, value.day] if isinstance(value, date) else [None, None, None]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The usual context plus `wareki`, the era year of the date now in the boxes."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        day = value if isinstance(value, date) else _date_of(value or [])
        context["wareki"] = wareki(day) if day and not (get_language() or "").startswith("en") else ""
        return context


def _date_of(parts: list[Any]) -> date | None:
    try:
        year, month, day = (int(nfkc(str(part))) for part in parts)
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None


class BirthdayField(forms.Field):
    """A birthday typed as year, month, day of the western calendar.

    `latest` returns the last day that is allowed (today at the hub); without it the future is not checked here.
    """

    widget = BirthdayWidget
    default_error_messages = {
        "required": _("生まれた 年・月・日を 入れてください"),
        "incomplete": _("年・月・日を ぜんぶ 入れてください"),
        "year": _("年は、2021 のように 西れきの 4けたで 入れてください"),
        "invalid": _("カレンダーに ない 日です。年・月・日を たしかめてください"),
        "future": _("生まれた日が きょうより あとに なっています"),
    }

    def __init__(self, *, latest: Callable[[], date] | None = None, **kwargs: Any) -> None:
        self.latest = latest
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> date | None:
        """The date, None where all boxes are empty; raises ValidationError with the codes above."""
        if value is None or isinstance(value, date):
            return value
        parts = [re.sub(r"[年月日\s]", "", nfkc(str(part or ""))) for part in value]
        if not any(parts):
            return None
        if not all(parts):
            raise ValidationError(self.error_messages["incomplete"], code="incomplete")
        if not re.fullmatch(r"(19|20)[0-9]{2}", parts[0]):
            raise ValidationError(self.error_messages["year"], code="year")
        day = _date_of(parts)
        if day is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return day

    def validate(self, value: date | None) -> None:
        """Required, and not after `latest`."""
        super().validate(value)
        if value and self.latest and value > self.latest():
            raise ValidationError(self.error_messages["future"], code="future")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compares dates, not the text in the boxes."""
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True
