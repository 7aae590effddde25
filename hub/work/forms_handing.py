"""Forms of handing out and taking work: shape only."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from hub.core.forms import HidamariForm, WideIntegerField
from hub.work.models import MOST_UNITS

LINE = "n_"


class ShareForm(HidamariForm):
    """What is to be shared out: a lot, how many units, how many one person gets at most."""

    lot = forms.TypedChoiceField(label=_("どの まとまりを"), coerce=int)
    units = WideIntegerField(
        label=_("件数"), min_value=1, max_value=MOST_UNITS, required=False, help_text=_("空なら、のこり ぜんぶです。")
    )  # fmt: skip
    cap = WideIntegerField(
        label=_("1人 何件まで"), min_value=1, max_value=MOST_UNITS, required=False,
        help_text=_("空なら、出してもらった 時間だけで きめます。"),
    )  # fmt: skip

    def __init__(self, *args: Any, lots: Sequence[tuple[int, int]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lot"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            (number, _("まとまり %(number)s（のこり %(free)s件）") % {"number": number, "free": f"{free:,}"})
            for number, free in lots
        ]


class LinesForm(HidamariForm):
    """A number for each person, and why. Fields are named after the members' codes."""

    reason = forms.CharField(
        label=_("わけ"), max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(
        self, *args: Any, people: Sequence[tuple[str, str]], why: Any, counts: dict[str, int] | None = None, **kwargs: Any
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = why
        for code, name in people:
            self.fields[LINE + code] = WideIntegerField(
                label=_("%(name)sさんの 件数") % {"name": name}, min_value=0, max_value=MOST_UNITS, required=False,
                initial=(counts or {}).get(code),
            )  # fmt: skip

    @property
    def lines(self) -> dict[str, int]:
        """How many for whom; an empty field is 0."""
        return {
            name.removeprefix(LINE): value or 0
            for name, value in self.cleaned_data.items()
            if name.startswith(LINE)
        }


class CountForm(HidamariForm):
    """How many units she takes."""

    count = WideIntegerField(label=_("何件 とりますか"), min_value=1)

    def __init__(self, *args: Any, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["count"].help_text = _("いちどに %(n)s件まで とれます。") % {"n": most}


class HoursForm(HidamariForm):
    """How many hours a week somebody wants to work."""

    hours = WideIntegerField(
        label=_("1週間に できる 時間"), min_value=0, max_value=60,
        help_text=_("時間の 数だけ 入れます。0に すると、配る しごとに 入りません。いつでも 変えられます。"),
    )  # fmt: skip
