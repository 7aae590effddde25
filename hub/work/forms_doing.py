"""What a worker types: the text of a unit, a question, an appeal."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from hub.core.forms import HidamariForm
from hub.work import doing, review


class UnitForm(HidamariForm):
    """The text of one unit. While she types, the field keeps itself (htmx); a save under way is never broken off."""

    text = forms.CharField(
        label=_("書くところ"), strip=False, widget=forms.Textarea(attrs={"rows": 12, "lang": "ja"}),
        error_messages={"required": _("まだ 何も 書いていません。書いてから 送ってください。")},
    )  # fmt: skip

    def __init__(self, *args: Any, code: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].widget.attrs |= {
            "autocomplete": "off", "hx-post": reverse("job_draft", args=[code]), "hx-target": "#saved",
            "hx-trigger": "input changed delay:800ms, keep", "hx-swap": "innerHTML", "hx-sync": "this:queue last",
            "data-keep": "",
        }  # fmt: skip


class AskForm(HidamariForm):
    question = forms.CharField(
        label=_("聞きたいこと"), widget=forms.Textarea(attrs={"rows": 4}), max_length=doing.MOST_QUESTION,
        error_messages={"required": _("聞きたいことを 書いてください。")},
    )  # fmt: skip


class AppealForm(HidamariForm):
    appeal = forms.CharField(
        label=_("どこが ちがうと 思いますか"), widget=forms.Textarea(attrs={"rows": 5}), max_length=review.MOST_WORDS,
        error_messages={"required": _("どこが ちがうと 思うか、書いてください。")},
    )  # fmt: skip
