"""Forms of the money pages: shape only."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from hub.core.forms import HidamariForm, WideIntegerField, day_field, nfkc
from hub.work.enums import LedgerKind
from hub.work.ledger import MOST_LEDGER_YEN
from hub.work.models import MOST_YEN
from hub.work.rates import RatesData


class PercentField(forms.DecimalField):
    """Percent with one decimal; full-width digits are taken. `points` makes basis points of it."""

    default_error_messages = {
        "invalid": _("数字で 入れてください"),
        "max_decimal_places": _("小数は 1けたまでに してください"),
    }

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "decimal", "class": "short", "autocomplete": "off"}
        super().__init__(
            min_value=Decimal(0), max_value=Decimal(100), decimal_places=1, widget=forms.TextInput(attrs=attrs), **kwargs
        )  # fmt: skip

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # the stubs have DecimalField a kind of IntegerField
        text = nfkc(value).removesuffix("%").rstrip() if isinstance(value, str) else value
        return super().to_python(text)


def points(percent: Decimal) -> int:
    return int(percent * 100)


class RatesForm(HidamariForm):
    valid_from = day_field(_("いつから"))
    worker = PercentField(label=_("働く人（%）"))
    director = PercentField(label=_("ディレクター（%）"))
    hub_part = PercentField(label=_("ハブ（%）"))
    platform = PercentField(
        label=_("しくみの 会社（%）"), help_text=_("4つを たして ちょうど 100%に します。")
    )
    reference_wage_yen = WideIntegerField(
        label=_("くらべる 時給（円）"), min_value=1, max_value=30_000,
        help_text=_("この県の 最低賃金などです。これより 低く なりそうな しごとに しるしが つきます。"),
    )  # fmt: skip
    source = forms.CharField(
        label=_("時給の もと"), max_length=120, help_text=_("例：広島県の 最低賃金 2026年10月"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    PARTS = ("worker", "director", "hub_part", "platform")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if all(name in data for name in self.PARTS):
            total = sum(data[name] for name in self.PARTS)
            if total != 100:
                text = _("4つを たすと %(total)s%%です。ちょうど 100%%に してください") % {
                    "total": f"{total:.1f}"
                }
                self.add_error("platform", text)
        return data

    def data_of(self) -> RatesData:
        data = self.cleaned_data
        return RatesData(
            **{name: points(data[name]) for name in self.PARTS},
            reference_wage_yen=data["reference_wage_yen"], source=data["source"],
        )  # fmt: skip


class PriceForm(HidamariForm):
    price_yen = WideIntegerField(
        label=_("これからの 1件の 金額（円）"), min_value=1, max_value=MOST_YEN,
        help_text=_("クライアントが はらう 金額です。下げることは できません。"),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("わけ"), max_length=200, help_text=_("条件の 書類に のります。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


class LineForm(HidamariForm):
    kind = forms.ChoiceField(
        label=_("なにの お金"), choices=[("", _("えらんでください")), *LedgerKind.choices]
    )
    yen = WideIntegerField(label=_("金額（円）"), min_value=1, max_value=MOST_LEDGER_YEN)
    note = forms.CharField(
        label=_("メモ"), max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class PaidForm(HidamariForm):
    paid_on = day_field(_("はらった日"))


class ProfileForm(HidamariForm):
    registration_number = forms.CharField(
        label=_("登録番号"), required=False, max_length=20,
        help_text=_("インボイスの 番号です。T と 13けたの 数字。なくても 受けとる 金額は 同じです。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )  # fmt: skip
    shares_time = forms.BooleanField(
        label=_("かかった 時間を はかっても よい"), required=False,
        help_text=_("1件に かかる 時間の まん中の 数に つかいます。あなたの 時間だけを だれかに 見せることは ありません。"),
    )  # fmt: skip

    def clean_registration_number(self) -> str:
        text = nfkc(self.cleaned_data["registration_number"]).upper().replace(" ", "").replace("-", "")
        if text:
            try:
                RegexValidator(r"\AT\d{13}\Z")(text)
            except ValidationError:
                raise ValidationError(
                    _("登録番号は、T と 13けたの 数字で 入れてください"), code="registration"
                ) from None
        return text


def month_in(text: str | None, fallback: date) -> date:
    """``2026-12`` as its first day; anything else is ``fallback``."""
    try:
        year, month = (int(part) for part in (text or "").split("-"))
        return date(year, month, 1) if 2000 <= year <= 2100 else fallback
    except ValueError:
        return fallback
