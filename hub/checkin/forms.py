"""What the pages of the door send."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from hub.checkin.enums import Direction
from hub.checkin.visitors import MAX_NAME
from hub.core.forms import CodeField, HidamariForm, NameField, nfkc

UNTIL = _("何時までかを えらんでください")
MAX_PAYLOAD = 8192  # characters; the largest QR holds 7,089


class PayloadField(forms.CharField):
    """The text of a QR exactly as it was read. A NUL, which forms refuse, is put as a sign that no pass holds."""

    def __init__(self) -> None:
        super().__init__(required=False, strip=False, max_length=MAX_PAYLOAD, widget=forms.HiddenInput)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").replace("\0", "\ufffd")


class ScanForm(HidamariForm):
    """One scan: its id, the direction, and one of what was read, typed or found by name."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    direction = forms.ChoiceField(choices=Direction.choices, widget=forms.HiddenInput)
    payload = PayloadField()
    code = CodeField(
        label=_("6けたの 番号"), required=False,
        widget=forms.TextInput(
            attrs={"class": "input code", "inputmode": "numeric", "autocomplete": "off", "maxlength": 12}
        ),
    )  # fmt: skip
    member = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        told = [data.get(name) for name in ("payload", "code", "member") if data.get(name)]
        if len(told) != 1 and "code" not in self.errors:
            self.add_error("code", _("QR の 下の 6けたの 番号を 入れてください"))
        return data


class SearchForm(HidamariForm):
    q = forms.CharField(required=False, max_length=60)

    def clean_q(self) -> str:
        return nfkc(self.cleaned_data["q"])


class VisitorForm(HidamariForm):
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)
    name = NameField(
        label=_("お客さんの 名前"), max_length=MAX_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("お客さんの 名前を 入れてください")},
    )  # fmt: skip


class SeatForm(HidamariForm):
    """Until when, and whether the children stay too. The end is a wall-clock time of today, on the grid."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    until = forms.TimeField(
        input_formats=["%H:%M"],
        error_messages={"required": UNTIL, "invalid": UNTIL},
    )
    children = forms.BooleanField(required=False)
