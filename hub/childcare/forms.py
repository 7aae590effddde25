"""Forms about children."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from hub.childcare.adults import Adult
from hub.childcare.children import ALLERGY_MAX, check_birthday
from hub.childcare.custody import COLDEST, HOTTEST, NOTE_MAX
from hub.childcare.enums import ContactOutcome, Identified
from hub.childcare.models import Carer
from hub.core.errors import DomainError
from hub.core.forms import BirthdayField, HidamariForm, KanaField, NameField, nfkc
from hub.spaces.models import Hub


class ChildForm(forms.Form):
    """A child in three minutes. ``today`` is the day at the hub; ``birthday_fixed`` leaves the birthday out."""

    name = NameField(
        label=_("子どもの 名前"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("子どもの 名前を 入れてください"),
            "max_length": _("名前は 40文字までで 入れてください"),
        },
    )
    kana = KanaField(
        label=_("ふりがな"),
        max_length=60,
        error_messages={
            "required": _("ふりがなを 入れてください"),
            "max_length": _("ふりがなは 60文字までで 入れてください"),
        },
    )
    birthday = BirthdayField(label=_("生年月日"), help_text=_("西れきで 入れてください。"))
    allergy = forms.CharField(
        label=_("アレルギーなど、気をつける こと"),
        required=False,
        max_length=ALLERGY_MAX,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        error_messages={"max_length": _("1000文字までで 書いてください")},
    )
    consent = forms.BooleanField(
        label=_("保育者が 読むことに 同意します"),
        required=False,
    )

    def __init__(
        self,
        *args: Any,
        today: date,
        hubs: list[Hub] | None = None,
        birthday_fixed: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        for name in ("year", "month", "day"):  # the child's day: the browser must not offer the parent's
            self.fields["birthday"].widget.widgets[("year", "month", "day").index(name)].attrs[
                "autocomplete"
            ] = "off"
        if birthday_fixed:
            del self.fields["birthday"]
        if hubs is not None and len(hubs) > 1:
            english = (get_language() or "").startswith("en")
            self.fields["hub"] = forms.ChoiceField(
                label=_("どの ハブで 預けますか"),
                help_text=_("その ハブの 責任者が 確認します。"),
                choices=[(hub.slug, (hub.name_en or hub.name) if english else hub.name) for hub in hubs],
                widget=forms.RadioSelect,
                error_messages={
                    "required": _("ハブを えらんでください"),
                    "invalid_choice": _("ハブを えらんでください"),
                },
            )

    def clean_birthday(self) -> date | None:
        """Future, school age and absurd years each have their own sentence."""
        birthday: date | None = self.cleaned_data["birthday"]
        if birthday is not None:
            try:
                check_birthday(birthday, self.today)
            except DomainError as error:
                raise forms.ValidationError(str(error.message), code=error.code) from None
        return birthday

    def clean(self) -> dict[str, Any]:
        """Health text only with the consent that says who reads it."""
        data = super().clean() or {}
        if data.get("allergy", "").strip() and not data.get("consent"):
            self.add_error("consent", _("書いたことを 保育者が 読んでよければ、しるしを つけてください"))
        return data


# ---------------------------------------------------------------- the children's board


class TemperatureField(forms.CharField):
    """Degrees with one decimal place; 36,5 and ３６．５℃ and 365 are understood. Raises ``temperature``."""

    default_error_messages = {
        "required": _("体温を 入れてください。36.5 のように 入れます。"),
        "temperature": _("体温は 36.5 のように 入れてください。34.0℃から 42.5℃までです。"),
    }

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "class": "degrees", "maxlength": 8}
        super().__init__(widget=forms.TextInput(attrs=attrs), **kwargs)

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # a number of text
        """The temperature to one decimal place, or None where nothing was typed."""
        text = re.sub(r"[\s℃度C°]", "", nfkc(super().to_python(value) or "")).replace(",", ".")
        if not text:
            return None
        if re.fullmatch(r"[34][0-9]{2}", text):  # the point was left out
            text = f"{text[:2]}.{text[2]}"
        try:
            found = Decimal(text).quantize(Decimal("0.1"))
        except InvalidOperation:
            raise forms.ValidationError(self.error_messages["temperature"], code="temperature") from None
        if not COLDEST <= found <= HOTTEST:
            raise forms.ValidationError(self.error_messages["temperature"], code="temperature")
        return found


def _people(label: Any, **kwargs: Any) -> forms.ChoiceField:
    message = {"required": kwargs.pop("missing"), "invalid_choice": kwargs.pop("missing_again")}
    return forms.ChoiceField(label=label, widget=forms.RadioSelect, error_messages=message, **kwargs)


class _CareForm(HidamariForm):
    """What every step with a child asks: which of the carers present does it."""

    carer = _people(
        _("だれが しますか"),
        missing=_("だれが するかを えらんでください"),
        missing_again=_("だれが するかを えらび直してください"),
    )

    def __init__(self, *args: Any, carers: Sequence[Carer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["carer"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(carer.code, carer.name) for carer in carers]
        if len(carers) == 1:
            field.widget = forms.HiddenInput()
            field.initial = carers[0].code

    def _offer(self, adults: Sequence[Adult]) -> None:
        field = self.fields["adult"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (
                adult.code,
                gettext("%(name)s（%(relation)s）") % {"name": adult.name, "relation": adult.relation},
            )
            for adult in adults
        ]


class ReceiveForm(_CareForm):
    """Receiving a child: temperature, who brings her, a word about today."""

    temperature = TemperatureField(label=_("体温（℃）"))
    adult = _people(
        _("だれと 来ましたか"),
        missing=_("だれと 来たかを えらんでください"),
        missing_again=_("だれと 来たかを えらび直してください"),
    )
    note = forms.CharField(
        label=_("きょうの ようす"),
        required=False,
        max_length=NOTE_MAX,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        error_messages={"max_length": _("300文字までで 書いてください")},
    )
    field_order = ("temperature", "adult", "carer", "note")

    def __init__(self, *args: Any, adults: Sequence[Adult], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(adults)


class HandOverForm(_CareForm):
    """Handing a child over: to whom, and how the carer knows her."""

    adult = _people(
        _("だれに 渡しますか"),
        missing=_("だれに 渡すかを えらんでください"),
        missing_again=_("だれに 渡すかを えらび直してください"),
    )
    how = _people(
        _("どうやって たしかめましたか"),
        choices=Identified.choices,
        missing=_("どうやって たしかめたかを えらんでください"),
        missing_again=_("どうやって たしかめたかを えらび直してください"),
    )
    field_order = ("adult", "how", "carer")

    def __init__(self, *args: Any, adults: Sequence[Adult], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(adults)


class ContactForm(HidamariForm):
    """Asking after a child who did not come (RULE-12). Stands on the page of `ReceiveForm`, so its ids are its own."""

    outcome = _people(
        _("どうでしたか"),
        choices=ContactOutcome.choices,
        missing=_("どうだったかを えらんでください"),
        missing_again=_("どうだったかを えらび直してください"),
    )
    note = forms.CharField(
        label=_("メモ"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"max_length": _("200文字までで 書いてください")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "contact_%s", **kwargs})
