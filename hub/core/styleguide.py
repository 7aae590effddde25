"""What the page of components (templates/styleguide.html) shows: made-up values only, no database."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.paginator import Paginator

from hub.core.forms import BirthdayField, CodeField, HidamariForm, KanaField, NameField, PhoneField


class SampleForm(HidamariForm):
    """One field of every kind."""

    name = NameField(label="氏名")
    kana = KanaField(label="ふりがな", help_text="ひらがなでも カタカナでも かまいません")
    phone = PhoneField(label="電話番号", help_text="子どもの 具合が 悪いときに かけます")
    born = BirthdayField(label="生まれた日", help_text="西れきで 書いてください")
    code = CodeField(label="メールの 6けたの 数字")
    allergy = forms.CharField(label="アレルギー", widget=forms.Textarea, required=False)
    home = forms.ChoiceField(
        label="いつものハブ", choices=[("ekimae", "駅前ハブ"), ("yagi", "八木ハブ")], widget=forms.RadioSelect
    )
    days = forms.MultipleChoiceField(
        label="開ける曜日",
        choices=[("0", "月"), ("1", "火"), ("2", "水")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    role = forms.ChoiceField(
        label="役わり", choices=[("", "えらんでください"), ("door", "入口"), ("carer", "保育者")]
    )
    agree = forms.BooleanField(label="だれが 見るかを 読みました", help_text="預かる人と 保護者だけが 見ます")


def floor_plan() -> dict[str, Any]:
    """The plan of the fictional Ekimae hub in the plan's units: 24 columns, a seat is 4 x 4."""
    taken = {"A2", "A5", "A8", "A9", "B3", "B5", "B6", "C1"}
    spots = [(f"A{n}", (n - 1) % 6 * 4, 3 if n < 7 else 8, "まどぎわ・しずか") for n in range(1, 13)]
    spots += [
        ("B1", 0, 15, "話せる"),
        ("B2", 0, 19, "話せる"),
        ("B3", 7, 15, "話せる"),
        ("B4", 7, 19, "話せる"),
    ]
    spots += [
        ("B5", 13, 15, "話せる"),
        ("B6", 13, 19, "話せる"),
        ("B7", 20, 15, "話せる"),
        ("B8", 20, 19, "話せる"),
    ]
    spots += [("C1", 16, 27, "個室"), ("C2", 20, 27, "個室")]
    return {
        "seats": [
            {"label": label, "x": x, "y": y, "about": about, "taken": label in taken}
            for label, x, y, about in spots
        ],
    }


def context() -> dict[str, Any]:
    """The template's context."""
    start = datetime(2026, 12, 9, 9, 30)
    bad = SampleForm(
        {"name": "佐藤 みさき", "phone": "12", "born_year": "2021", "born_month": "2", "born_day": "29"}
    )
    states = ["free", "free", "few", "free", "few", "closed", "free", "full", "free", "free", "free", "few"]
    return {
        "sample": SampleForm(initial={"born": date(2021, 4, 9), "home": "ekimae", "days": ["1"]}),
        "bad": bad,
        "start": start,
        "end": start + timedelta(hours=3),
        "length": timedelta(hours=2, minutes=30),
        "days": [(date(2026, 12, 8) + timedelta(days=n), state) for n, state in enumerate(states)],
        "hours": list(range(9, 18)),
        "seat_bar": ["free", "free", "free", "few", "free", "free", "free", "free", "closed"],
        "care_bar": ["free", "few", "full", "full", "few", "free", "free", "free", "closed"],
        "plan": floor_plan(),
        "icons": ICONS,
        "page": Paginator(range(60), 20).page(2),
        "people": [("佐藤 みさき", "使う人", "ok", "使えます"), ("山本 かな", "保育者", "warn", "まつ")],
        "crumbs": [{"url": "#", "label": "利用者"}, {"label": "佐藤 みさき"}],
        "desk_nav": [
            {"url": "#", "label": "きょうのハブ", "icon": "cal", "current": True},
            {"url": "#a", "label": "開く時間", "icon": "clock", "current": False},
            {"url": "#b", "label": "席", "icon": "seat", "current": False},
            {"url": "#c", "label": "保育者の予定", "icon": "roster", "current": False},
            {"url": "#d", "label": "子どもの登録", "icon": "child", "current": False},
            {"url": "#e", "label": "利用者", "icon": "people", "current": False},
        ],
    }


ICONS = [
    "alert",
    "bag",
    "bell",
    "cal",
    "calplus",
    "chart",
    "check",
    "child",
    "clock",
    "dl",
    "down",
    "family",
    "gear",
    "home",
    "horn",
    "in",
    "info",
    "key",
    "left",
    "link",
    "list",
    "lock",
    "mail",
    "map",
    "out",
    "pencil",
    "people",
    "phone",
    "pin",
    "plug",
    "plus",
    "print",
    "qr",
    "right",
    "roster",
    "search",
    "seat",
    "share",
    "sun",
    "talk",
    "trash",
    "user",
    "wifi",
    "window",
    "work",
    "x",
]
