"""Forms about children."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from hub.childcare.children import ALLERGY_MAX, check_birthday
from hub.core.errors import DomainError
from hub.core.forms import BirthdayField, KanaField, NameField
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
