"""How one wants to be told: two check boxes for each kind of notice."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from hub.core.forms import HidamariForm
from hub.notices.enums import Kind
from hub.notices.queries import Wish


class NotifyForm(HidamariForm):
    """Bound or filled from ``wishes``; a kind that is not among them cannot be chosen."""

    def __init__(self, *args: Any, wishes: dict[Kind, Wish], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = list(wishes)
        for kind, wish in wishes.items():
            for name, label, start in (
                ("mail", _("メール"), wish.by_mail),
                ("push", _("スマホ"), wish.by_push),
            ):
                self.fields[f"{name}_{kind}"] = forms.BooleanField(label=label, required=False, initial=start)

    def groups(self) -> Iterator[tuple[Kind, list[forms.BoundField]]]:
        """Each kind with its two fields, for the template."""
        for kind in self.kinds:
            yield kind, [self[f"mail_{kind}"], self[f"push_{kind}"]]

    def wishes(self) -> dict[Kind, Wish]:
        """What was chosen; after `is_valid`."""
        data = self.cleaned_data
        return {kind: Wish(data[f"mail_{kind}"], data[f"push_{kind}"]) for kind in self.kinds}
