"""What somebody says of a calendar feed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from hub.core.forms import HidamariForm
from hub.spaces.models import Hub, Seat


class FeedForm(HidamariForm):
    """A label and how much is shown; for a hub also which seat (none: all of them)."""

    label = forms.CharField(
        label=_("なまえ"),
        max_length=40,
        help_text=_("あとで どれか 分かる 名前。家の パソコン など"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    seat = forms.ModelChoiceField(
        label=_("どの 席"), queryset=Seat.objects.none(), required=False, empty_label=_("ぜんぶの 席")
    )
    with_details = forms.BooleanField(required=False)

    def __init__(self, *args: Any, hub: Hub | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        details = self.fields["with_details"]
        if hub is None:
            del self.fields["seat"]
            details.label = _("行き先と 席も のせる")
            details.help_text = _("のせないと「予定あり」とだけ 出ます。子どもの 名前は のりません。")
            return
        seats = self.fields["seat"]
        assert isinstance(seats, forms.ModelChoiceField)
        seats.queryset = Seat.objects.filter(hub=hub, is_active=True)
        details.label = _("使う人の 名前も のせる")
        details.help_text = _("のせないと 席の 番号だけ 出ます。子どもの ことは のりません。")
