"""Why somebody got so many units, as a sentence: from the facts that an assignment keeps."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from hub.work.allocation import Binds
from hub.work.enums import How, Level


def sentence(how: str, facts: Mapping[str, Any]) -> str:
    """What explains a count, in the active language. ``facts`` as `Share.facts` or `handing` wrote them."""
    if how == How.CLAIMED:
        return _("自分で とりました。")
    if how == How.INVITED:
        return _invited(facts)
    if facts["binds"] == Binds.HOURS:
        if not facts["hours_units"]:
            return _("出してもらった 時間に いま 空きが ありません。")
        return _("出してもらった 時間では %(n)s件までです。") % {"n": f"{facts['hours_units']:,}"}
    if facts["binds"] == Binds.CAP:
        return _("1人 %(n)s件までと きめました。") % {"n": f"{facts['cap']:,}"}
    if not facts["fair"]:
        few = _("しごとが 人数より 少ないので、1件です。")
        none = _("しごとが 人数より 少ないので、今回は ありません。")
        return few if facts["extra"] else none
    shown = {"people": facts["people"], "n": f"{facts['fair']:,}"}
    text = _("%(people)s人で 同じ数ずつ %(n)s件です。") % shown
    return f"{text} {_('あまりから 1件 たしました。')}" if facts["extra"] else text


def _invited(facts: Mapping[str, Any]) -> str:
    text = _("えらんで 頼みました。")
    if facts["level"] >= facts["needed"]:
        return text
    return f"{text} {level_remark(facts['level'], facts['needed'])}"


def level_remark(level: int, needed: int) -> str:
    """Said of somebody who stands below the level of the work."""
    shown = {"level": Level(level).label, "needed": Level(needed).label}
    return _("いまの レベルは「%(level)s」です。しごとは「%(needed)s」です。") % shown
