"""Forms of the director's pages: shape only; `orders` and `imports` decide what may be."""

from pathlib import PurePath
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from hub.core.forms import HidamariForm, NameField, PhoneField, WideIntegerField, day_field
from hub.spaces.models import Hub
from hub.work.enums import Level, OrderKind
from hub.work.models import MOST_UNITS, MOST_YEN, Client, Order
from hub.work.orders import ClientData, OrderData, TermsData

ENDINGS = (".csv", ".txt", ".xlsx")


def _text(label: Any, length: int, *, help_text: Any = "", rows: int = 0) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, max_length=length, help_text=help_text, widget=widget)


class ClientForm(HidamariForm):
    name = _text(_("クライアントの 名前"), 80, help_text=_("例：見本商店"))
    contact_name = NameField(label=_("担当の人"))
    email = forms.EmailField(
        label=_("メールアドレス"), required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": _("メールアドレスを たしかめてください")},
    )  # fmt: skip
    phone = PhoneField(label=_("電話番号"), required=False)

    def data_of(self) -> ClientData:
        return ClientData(**self.cleaned_data)


class NdaForm(HidamariForm):
    text = _text(
        _("約束の 文"),
        10_000,
        rows=6,
        help_text=_("前の 版は のこります。変えるときは、新しい版を 入れます。"),
    )
    starts_on = day_field(_("いつから"))
    ends_on = day_field(_("いつまで"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("starts_on") and data.get("ends_on") and data["ends_on"] < data["starts_on"]:
            self.add_error("ends_on", _("終わりの日を、始まりより あとに してください"))
        return data


class OrderForm(HidamariForm):
    client = forms.ChoiceField(label=_("クライアント"))
    title = _text(_("しごとの 名前"), 80, help_text=_("例：店の 紹介文を 書く"))
    kind = forms.ChoiceField(label=_("種類"), choices=[("", _("えらんでください")), *OrderKind.choices])
    description = _text(
        _("すること"),
        4000,
        rows=5,
        help_text=_("働く人が 読む 説明です。1件ごとの 内容は、あとで ファイルから 入れます。"),
    )
    unit_count = WideIntegerField(
        label=_("件数"), min_value=1, max_value=MOST_UNITS, help_text=_("50,000件までです。")
    )
    price_yen = WideIntegerField(
        label=_("1件の 金額（円）"),
        min_value=1,
        max_value=MOST_YEN,
        help_text=_("クライアントが はらう 金額です。"),
    )
    minutes_per_unit = WideIntegerField(label=_("1件に かかる時間（分）"), min_value=1, max_value=600)
    level = forms.TypedChoiceField(label=_("できる人"), choices=Level.choices, coerce=int)
    deadline = day_field(_("納める日"))
    is_confidential = forms.BooleanField(
        label=_("機密の しごと"), required=False,
        help_text=_("内容は ハブの へやの 端末だけで 開きます。この画面では 見られません。"),
    )  # fmt: skip

    def __init__(self, *args: Any, hub: Hub, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Client.objects.filter(hub=hub).values_list("code", "name")
        self.fields["client"].choices = [("", _("えらんでください")), *names]  # type: ignore[attr-defined]  # a ChoiceField

    def data_of(self) -> OrderData:
        return OrderData(**{name: value for name, value in self.cleaned_data.items() if name != "client"})

    @staticmethod
    def initial_of(order: Order) -> dict[str, Any]:
        names = [name for name in OrderForm.base_fields if name != "client"]
        return {"client": order.client.code, **{name: getattr(order, name) for name in names}}


class LotForm(HidamariForm):
    lot = forms.TypedChoiceField(label=_("どの まとまりを"), coerce=int)
    first = WideIntegerField(
        label=_("はじめの 件数"), min_value=1, help_text=_("のこりは つぎの まとまりに なります。")
    )
    gate_percent = WideIntegerField(
        label=_("つぎへ すすむ 合格の 割合（%）"), min_value=1, max_value=100,
        help_text=_("はじめの まとまりが この割合まで 合格したら、つぎを 始めます。クライアントと きめた 数です。"),
    )  # fmt: skip

    def __init__(self, *args: Any, lots: list[dict[str, int]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lot"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            (lot["number"], _("まとまり %(number)s（%(size)s件）") % lot) for lot in lots
        ]


class TermsForm(HidamariForm):
    ordered_on = day_field(_("注文の 日"))
    place = _text(_("納める ところ"), 120, help_text=_("例：クライアントの 共有フォルダー"))
    inspected_by = day_field(_("たしかめおわる日"), required=False)
    client_pays_on = day_field(
        _("しはらいの 日"),
        help_text=_("クライアントが はらう日です。「60日 以内」では なく、はっきり した日を 入れます。"),
    )
    pay_method = _text(_("しはらいの 方法"), 60)

    def data_of(self) -> TermsData:
        return TermsData(**self.cleaned_data)


class FileForm(HidamariForm):
    file = forms.FileField(
        label=_("ファイル"),
        help_text=_("CSV か XLSX。1行目は 見出しです：番号（なくてもよい）、内容、参考（なくてもよい）。"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
        error_messages={
            "required": _("ファイルを えらんでください"),
            "empty": _("ファイルが 空です。中を たしかめてください"),
            "missing": _("ファイルを えらんでください"),
            "invalid": _("ファイルを えらんでください"),
        },
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if PurePath(file.name or "").suffix.lower() not in ENDINGS:
            raise ValidationError(_("CSV か XLSX の ファイルを えらんでください"), code="ending")
        return file
