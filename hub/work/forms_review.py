"""Forms of review: where a mark stands, why and what instead. Marks need no script: a number of a line, or the words, say where."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from hub.core.forms import HidamariForm, WideIntegerField
from hub.work import marking
from hub.work.enums import CorrectionKind, Level, OrderKind
from hub.work.models import Lot
from hub.work.review import MOST_MARKS, MOST_WORDS, Mark

ROWS, MORE_ROWS = 3, 3
COLUMNS = ("line", "words", "nth", "kind", "comment")


def _words(label: Any, *, rows: int = 4, required: bool = True, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label, max_length=MOST_WORDS, required=required, help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )  # fmt: skip


def rows_in(data: Any) -> int:
    """How many rows of marks the form that was sent has."""
    typed = data.get("rows", "")
    rows = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else ROWS
    return min(max(rows, ROWS), MOST_MARKS)


class ReturnForm(HidamariForm):
    """Rows of marks over ``text``, and a remark about the whole."""

    def __init__(self, *args: Any, text: str, rows: int = ROWS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.text, self.rows = text, rows
        self.lines = marking.lines(text)
        self.marks: list[Mark] = []
        for n in range(rows):
            self.fields |= {
                f"line_{n}": WideIntegerField(label=_("文の 番号"), required=False, min_value=1),
                f"words_{n}": forms.CharField(
                    label=_("ことば"), required=False, strip=True, max_length=MOST_WORDS,
                    widget=forms.TextInput(attrs={"autocomplete": "off"}),
                ),
                f"nth_{n}": WideIntegerField(label=_("何こ目"), required=False, min_value=1),
                f"kind_{n}": forms.ChoiceField(
                    label=_("種類"), required=False, choices=[("", _("えらんでください")), *CorrectionKind.choices]
                ),
                f"comment_{n}": _words(_("どう なおすか"), rows=2, required=False),
            }  # fmt: skip
        self.fields["reason"] = _words(
            _("ぜんたいに ついて ひとこと"), required=False,
            help_text=_("印を つけるか、ここに 書きます。3回目の なおしからは、わけを 必ず 書きます。"),
        )  # fmt: skip

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The rows as the template shows them."""
        return [
            {"number": n + 1, **{name: self[f"{name}_{n}"] for name in COLUMNS}} for n in range(self.rows)
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.marks = []
        for n in range(self.rows):
            said = {name: data.get(f"{name}_{n}") for name in COLUMNS}
            wrong = any(f"{name}_{n}" in self.errors for name in COLUMNS)
            if wrong or not any(said.values()):
                continue
            where = self._where(n, said)
            if not said["kind"]:
                self.add_error(f"kind_{n}", _("種類を えらんでください"))
            if not said["comment"]:
                self.add_error(f"comment_{n}", _("どう なおすか 書いてください"))
            if where and said["kind"] and said["comment"]:
                self.marks.append(Mark(*where, CorrectionKind(said["kind"]), said["comment"]))
        return data

    def _where(self, n: int, said: dict[str, Any]) -> tuple[int, int] | None:
        """The range that a row means: the words, within the line if it names one; or the whole line."""
        line = None
        if said["line"]:
            if said["line"] > len(self.lines):
                self.add_error(f"line_{n}", _("番号は %(last)s までです") % {"last": len(self.lines)})
                return None
            line = self.lines[said["line"] - 1]
        if not said["words"]:
            if line is None:
                self.add_error(f"line_{n}", _("どこか わかるように、番号か ことばを 入れてください"))
                return None
            return line.start, line.end
        found = marking.places_of(self.text, said["words"], (line.start, line.end) if line else None)
        nth = said["nth"] or 1
        if nth <= len(found):
            return found[nth - 1]
        if not found:
            self.add_error(f"words_{n}", _("この ことばは、そこに ありません。文から うつしてください"))
        else:
            self.add_error(f"nth_{n}", _("この ことばは %(n)s回だけ 出てきます") % {"n": len(found)})
        return None


class RejectForm(HidamariForm):
    reason = _words(_("わけ"), help_text=_("なぜ 受けとれないかを、本人に わかるように 書きます。"))
    example = _words(_("よい 例"), help_text=_("どう 書けば よかったかを、例で 見せます。"))


class AnswerForm(HidamariForm):
    """What is answered to a question or an appeal."""

    answer = _words(_("答え"))


class CourseForm(HidamariForm):
    level = forms.TypedChoiceField(
        label=_("ひらく レベル"), required=False, coerce=int, empty_value=None,
        choices=[("", _("ひらかない（ふつうの まとまり）")), (Level.SECOND, Level.SECOND.label), (Level.THIRD, Level.THIRD.label)],
    )  # fmt: skip
    units = WideIntegerField(
        label=_("合格が いる 件数"),
        min_value=1,
        help_text=_("これだけ 合格すると、その人の レベルが 上がります。"),
    )

    @classmethod
    def of(cls, lot: Lot) -> "CourseForm":
        return cls(initial={"level": lot.opens_level, "units": min(lot.course_units, lot.size)})


class LevelForm(HidamariForm):
    """One level for each kind of work."""

    def __init__(self, *args: Any, levels: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in OrderKind:
            self.fields[kind.value] = forms.TypedChoiceField(
                label=kind.label, coerce=int, choices=Level.choices, initial=levels[kind.value]
            )
