"""Forms of the manager's pages: shape only; the use cases decide what may be."""

from collections.abc import Iterable
from datetime import date, time
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hub.booking.roster import Hours, RoomData
from hub.booking.seats_admin import PLAN_COLUMNS, PLAN_ROWS, SeatData
from hub.booking.templatetags.booking import named
from hub.childcare.enums import Qualification, RatioTable, Scheme
from hub.childcare.models import CareRoom
from hub.core.errors import DomainError
from hub.core.forms import BirthdayField, HidamariForm, NameField, WideIntegerField, day_field, nfkc
from hub.spaces.enums import STAFF_ROLES, Cause, Role, ZoneKind
from hub.spaces.models import Hub, Seat

WEEKDAYS = (
    (0, _("月曜日")), (1, _("火曜日")), (2, _("水曜日")), (3, _("木曜日")), (4, _("金曜日")), (5, _("土曜日")), (6, _("日曜日")),
)  # fmt: skip
EMPTY_CHOICE = ("", _("えらんでください"))


def time_field(label: Any, *, required: bool = True, help_text: Any = "") -> forms.TimeField:
    return forms.TimeField(
        label=label, required=required, help_text=help_text, input_formats=["%H:%M", "%H:%M:%S"],
        widget=forms.TimeInput(attrs={"type": "time", "step": 900, "class": "short"}, format="%H:%M"),
        error_messages={"invalid": _("時間は 9:30 のように 入れてください")},
    )  # fmt: skip


class AreaField(forms.DecimalField):
    """Square metres with two decimals, kept exact; full-width digits are taken too."""

    default_error_messages = {"invalid": _("数字で 入れてください")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "widget", forms.TextInput(attrs={"inputmode": "decimal", "class": "short", "autocomplete": "off"})
        )
        super().__init__(min_value=Decimal(0), max_value=Decimal("9999.99"), decimal_places=2, **kwargs)

    def to_python(self, value: Any) -> Any:
        """The decimal number, exact."""
        return super().to_python(nfkc(value) if isinstance(value, str) else value)


def _text(
    label: Any, *, length: int, required: bool = True, help_text: Any = "", area: bool = False
) -> forms.CharField:
    widget: forms.Widget = (
        forms.Textarea(attrs={"rows": 3}) if area else forms.TextInput(attrs={"autocomplete": "off"})
    )
    return forms.CharField(
        label=label, max_length=length, required=required, help_text=help_text, widget=widget
    )


def _select(
    label: Any, choices: Iterable[Any], *, help_text: Any = "", empty: bool = True
) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=[*([EMPTY_CHOICE] if empty else []), *choices], help_text=help_text
    )


# ---------------------------------------------------------------- people

STAFF_CHOICES = [(role.value, role.label) for role in STAFF_ROLES]


class RoleForm(HidamariForm):
    role = _select(_("役わり"), [(role, Role(role).label) for role, _label in STAFF_CHOICES])


class InviteForm(HidamariForm):
    email = forms.EmailField(
        label=_("メールアドレス"),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": _("メールアドレスを たしかめてください")},
    )
    role = _select(_("役わり"), [(role, Role(role).label) for role, _label in STAFF_CHOICES])


class BlockForm(HidamariForm):
    reason = _text(
        _("止める わけ"), length=200, area=True, help_text=_("本人にも 見えます。みじかく 書いてください。")
    )
    cancel_visits = forms.BooleanField(label=_("いまの 予約も 中止に する"), required=False)


class FactorsResetForm(HidamariForm):
    """The tick says that the manager knows whom she has before her (ASVS 6.4.4)."""

    sure = forms.BooleanField(
        label=_("本人が ここに いて、だれか たしかめました"),
        error_messages={"required": _("本人か たしかめてから、ここに しるしを つけてください")},
    )


# ---------------------------------------------------------------- hours


class HoursForm(HidamariForm):
    """Seven weekdays: open or not, from, to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weekday, _name in WEEKDAYS:
            self.fields[f"open_{weekday}"] = forms.BooleanField(label=_("開く"), required=False)
            self.fields[f"opens_{weekday}"] = time_field(_("から"), required=False)
            self.fields[f"closes_{weekday}"] = time_field(_("まで"), required=False)

    def days(self) -> list[tuple[int, Any, forms.BoundField, forms.BoundField, forms.BoundField]]:
        return [
            (number, name, self[f"open_{number}"], self[f"opens_{number}"], self[f"closes_{number}"])
            for number, name in WEEKDAYS
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for number, name in WEEKDAYS:
            if not data.get(f"open_{number}"):
                continue
            opens, closes = data.get(f"opens_{number}"), data.get(f"closes_{number}")
            if opens is None and f"opens_{number}" not in self.errors:
                self.add_error(f"opens_{number}", _("%(day)sの 始まりを 入れてください") % {"day": name})
            if closes is None and f"closes_{number}" not in self.errors:
                self.add_error(f"closes_{number}", _("%(day)sの 終わりを 入れてください") % {"day": name})
            if opens and closes and closes <= opens:
                self.add_error(
                    f"closes_{number}",
                    _("%(day)sの 終わりを、始まりより あとに してください") % {"day": name},
                )
        return data

    def hours(self) -> dict[int, tuple[time, time] | None]:
        data = self.cleaned_data
        return {
            number: (data[f"opens_{number}"], data[f"closes_{number}"]) if data[f"open_{number}"] else None
            for number, _name in WEEKDAYS
        }


class SettingsForm(HidamariForm):
    horizon_days = WideIntegerField(
        label=_("何日 先まで 予約できるか"),
        min_value=1,
        max_value=120,
        help_text=_("1日から 120日。6週間は 42日です。"),
    )
    page_step = _select(_("時間の きざみ"), [(15, _("15分")), (30, _("30分")), (60, _("60分"))], empty=False)
    max_visit_minutes = WideIntegerField(
        label=_("1回の 長さ（分まで）"),
        min_value=15,
        max_value=900,
        step_size=15,
        help_text=_("10時間は 600分です。"),
    )
    max_open_visits = WideIntegerField(label=_("1人が 先に 持てる 予約の 数"), min_value=1, max_value=100)
    change_deadline = time_field(
        _("前の日の 何時までに 変えるか"),
        help_text=_("おそく なっても 変えられます。「おそい 変更」と しるしが つきます。"),
    )
    wait_order = forms.ChoiceField(
        label=_("待っている人の 順番"),
        required=False,
        choices=[
            ("no_visit", _("その週に 予約が ない人が 先")),
            ("no_visit,with_children", _("その週に 予約が ない人、子どもを 預ける人の 順")),
            ("with_children", _("子どもを 預ける人が 先")),
            ("with_children,no_visit", _("子どもを 預ける人、その週に 予約が ない人の 順")),
            ("", _("申しこんだ 順だけ")),
        ],
        help_text=_("おなじ 組の 中では、申しこんだ 順です。待っている人にも 見えます。"),
    )
    offer_minutes = WideIntegerField(
        label=_("空いた席の 返事を 待つ時間（分）"),
        min_value=10,
        max_value=1440,
        help_text=_("その間は、席と 預かりの枠を とっておきます。"),
    )
    offer_cutoff = WideIntegerField(
        label=_("始まりの 何分 前まで 空いた席を 知らせるか"), min_value=40, max_value=2880
    )
    grace_minutes = WideIntegerField(label=_("来ない人の 席を 何分 とっておくか"), min_value=5, max_value=120)
    releases_missed = forms.BooleanField(
        label=_("来ない人の 席を 自動で 空ける"),
        required=False,
        help_text=_(
            "スマホで「行けますか」と 聞いて、返事が ないときだけ 空けます。入口で QR を 読まない 日は 切ってください。"
        ),
    )


class WaiveForm(HidamariForm):
    reason = _text(
        _("わけ"), length=200, help_text=_("本人にも 見えます。病気の ことは 書かないでください。")
    )


class ClosureForm(HidamariForm):
    """What is closed (the hub, a zone or a care room), on which days, which part of each, and why."""

    place = forms.ChoiceField(label=_("どこを"))
    starts_on = day_field(_("いつから"))
    ends_on = day_field(_("いつまで"), required=False, help_text=_("1日だけなら、なくても かまいません。"))
    part = forms.ChoiceField(
        label=_("1日の うち"),
        choices=[
            ("all", _("1日中")),
            ("until", _("朝から、下の時間まで")),
            ("from", _("下の時間から、終わりまで")),
        ],
    )
    at = time_field(_("時間"), required=False, help_text=_("1日中の ときは、なくても かまいません。"))
    cause = forms.ChoiceField(
        label=_("理由の 種類"),
        choices=[
            (cause.value, cause.label)
            for cause in (Cause.OTHER, Cause.INFECTION, Cause.WEATHER, Cause.SAFETY)
        ],
    )
    reason = _text(
        _("わけ"),
        length=80,
        help_text=_("予約した人にも 見えます。例：エアコンの 工事。感染症の ときは、メールには 書きません。"),
    )

    def __init__(self, *args: Any, hub: Hub, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            ("hub", _("ハブ ぜんぶ")),
            *(
                (f"room:{room.code}", named(room))
                for room in CareRoom.objects.filter(hub=hub, is_active=True)
            ),
            *((f"zone:{zone.code}", named(zone)) for zone in hub.zones.all()),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("part") in ("until", "from") and data.get("at") is None and "at" not in self.errors:
            self.add_error("at", _("時間を 入れてください"))
        return data

    def closure(self) -> dict[str, Any]:
        """The arguments of `closures.add_closure` that come from the form."""
        data = self.cleaned_data
        kind, _colon, code = data["place"].partition(":")
        return {
            "starts_on": data["starts_on"], "ends_on": data["ends_on"] or data["starts_on"], "reason": data["reason"],
            "cause": data["cause"], "zone": code if kind == "zone" else "", "room": code if kind == "room" else "",
            "closed_until": data["at"] if data["part"] == "until" else None,
            "closed_from": data["at"] if data["part"] == "from" else None,
        }  # fmt: skip


class StormForm(HidamariForm):
    """Whether the warning stands, or since when it is lifted (RULE-32)."""

    state = forms.ChoiceField(
        label=_("いまの 警報"),
        choices=[("on", _("出ています")), ("off", _("解除されました"))],
        widget=forms.RadioSelect,
    )
    lifted_at = time_field(
        _("解除の 時間"), required=False, help_text=_("解除されたときだけ 入れてください。")
    )
    reason = _text(_("警報の 名前"), length=80, help_text=_("予約した人にも 見えます。例：暴風警報"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lifted_at"].widget.attrs["step"] = 60

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("state") == "off" and data.get("lifted_at") is None and "lifted_at" not in self.errors:
            self.add_error("lifted_at", _("解除の 時間を 入れてください"))
        return data

    def lifted(self) -> time | None:
        return self.cleaned_data["lifted_at"] if self.cleaned_data["state"] == "off" else None


class StormStepsForm(HidamariForm):
    announce_by = time_field(_("朝 何時までに 知らせるか"))
    storm_normal_by = time_field(_("何時までに 解除なら いつも通りか"))
    storm_late_by = time_field(_("何時までに 解除なら 開けるか"))
    storm_wait_minutes = WideIntegerField(label=_("解除の 何分 あとに 開けるか"), min_value=0, max_value=240)
    storm_lunch_by = time_field(_("何時を すぎて 解除なら 昼食なしか"))


class HolidayForm(HidamariForm):
    date = day_field(_("日"))
    name = _text(_("名前"), length=60)
    name_en = _text(_("名前（英語）"), length=80, required=False)
    is_closed = forms.BooleanField(label=_("この日は お休みに する"), required=False)


class YearForm(HidamariForm):
    year = WideIntegerField(
        label=_("年"), min_value=2020, max_value=2099, help_text=_("西れきで 入れてください。")
    )


# ---------------------------------------------------------------- seats


class ZoneForm(HidamariForm):
    name = _text(_("名前"), length=40)
    name_en = _text(_("名前（英語）"), length=40, required=False)
    kind = _select(_("種類"), ZoneKind.choices)
    position = WideIntegerField(
        label=_("順番"), min_value=0, max_value=99, help_text=_("小さい 数が 先に 出ます。")
    )


class SeatForm(HidamariForm):
    """The plan is counted from 1 at the top left, as people count."""

    zone = forms.ChoiceField(label=_("場所"))
    label = _text(_("番号"), length=8, help_text=_("例：A3"))
    has_window = forms.BooleanField(label=_("まどぎわ"), required=False)
    has_power = forms.BooleanField(label=_("電源あり"), required=False)
    has_monitor = forms.BooleanField(label=_("モニターあり"), required=False)
    plan_x = WideIntegerField(label=_("地図の 左から 何番目"), min_value=1, max_value=PLAN_COLUMNS)
    plan_y = WideIntegerField(label=_("地図の 上から 何番目"), min_value=1, max_value=PLAN_ROWS)

    def __init__(self, *args: Any, hub: Hub, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [EMPTY_CHOICE, *[(zone.code, named(zone)) for zone in hub.zones.all()]]

    def clean_label(self) -> str:
        return nfkc(self.cleaned_data["label"])

    @staticmethod
    def initial_of(seat: Seat) -> dict[str, Any]:
        names = ("label", "has_window", "has_power", "has_monitor")
        return {name: getattr(seat, name) for name in names} | {
            "zone": seat.zone.code, "plan_x": seat.plan_x + 1, "plan_y": seat.plan_y + 1
        }  # fmt: skip

    def data_of(self) -> SeatData:
        data = self.cleaned_data
        return SeatData(
            data["label"], data["has_window"], data["has_power"], data["has_monitor"],
            data["plan_x"] - 1, data["plan_y"] - 1,
        )  # fmt: skip


# ---------------------------------------------------------------- roster


class HoursMixin(forms.Form):
    """From, to and a break, checked by `roster.Hours`."""

    def hours(self) -> Hours:
        data = self.cleaned_data
        return Hours(data["starts"], data["ends"], data.get("break_starts"), data.get("break_ends"))

    def check_hours(self) -> None:
        data = self.cleaned_data
        if data.get("starts") and data.get("ends"):
            try:
                self.hours().check()
            except DomainError as error:
                self.add_error("ends" if error.code == "not_forward" else "break_ends", str(error.message))


class CarerForm(HidamariForm):
    name = NameField(label=_("氏名"), widget=forms.TextInput(attrs={"autocomplete": "off"}))
    qualification = _select(_("資格"), Qualification.choices)


class ShiftForm(HoursMixin, HidamariForm):
    """A weekly shift for one or more weekdays."""

    room = forms.ChoiceField(label=_("へや"))
    carer = forms.ChoiceField(label=_("だれ"))
    weekdays = forms.TypedMultipleChoiceField(
        label=_("曜日"), choices=WEEKDAYS, coerce=int, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("曜日を えらんでください")},
    )  # fmt: skip
    starts = time_field(_("はじめ"))
    ends = time_field(_("おわり"))
    break_starts = time_field(_("休けいの はじめ"), required=False)
    break_ends = time_field(_("休けいの おわり"), required=False)
    valid_from = day_field(_("いつから"))
    valid_to = day_field(_("いつまで"), required=False)

    def __init__(self, *args: Any, rooms: Iterable[Any], carers: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "room", rooms)
        set_choices(self, "carer", carers)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.check_hours()
        return data


class ShiftHoursForm(HoursMixin, HidamariForm):
    from_day = day_field(_("いつから"), help_text=_("その日の 前までは、いまの ままです。"))
    starts = time_field(_("はじめ"))
    ends = time_field(_("おわり"))
    break_starts = time_field(_("休けいの はじめ"), required=False)
    break_ends = time_field(_("休けいの おわり"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.check_hours()
        return data


class LastDayForm(HidamariForm):
    last_day = day_field(_("さいごの 日"))


class AbsentForm(HidamariForm):
    carer = forms.ChoiceField(label=_("だれ"))
    day = day_field(_("日"))
    note = _text(_("メモ"), length=100, required=False)

    def __init__(self, *args: Any, carers: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "carer", carers)


class ExtraForm(HoursMixin, HidamariForm):
    carer = forms.ChoiceField(label=_("だれ"))
    room = forms.ChoiceField(label=_("へや"))
    day = day_field(_("日"))
    starts = time_field(_("はじめ"))
    ends = time_field(_("おわり"))
    break_starts = time_field(_("休けいの はじめ"), required=False)
    break_ends = time_field(_("休けいの おわり"), required=False)
    note = _text(_("メモ"), length=100, required=False)

    def __init__(self, *args: Any, rooms: Iterable[Any], carers: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "room", rooms)
        set_choices(self, "carer", carers)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.check_hours()
        return data


def set_choices(form: forms.Form, name: str, rows: Iterable[Any]) -> None:
    """Choices by public code; a single one is chosen already."""
    found = [(row.code, row.name) for row in rows]
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = found if len(found) == 1 else [EMPTY_CHOICE, *found]


def classes() -> list[tuple[int, str]]:
    """Age classes as choices, in the language of the page (a lazy text with % would be fixed at import)."""
    return [(n, gettext("%(n)sさい児クラス") % {"n": n}) for n in range(6)]


class RoomForm(HidamariForm):
    name = _text(_("名前"), length=40)
    name_en = _text(_("名前（英語）"), length=40, required=False)
    scheme = _select(_("しくみ"), Scheme.choices)
    table = _select(_("配置の きまり"), RatioTable.choices, empty=False)
    table_reason = _text(
        _("その わけ"),
        length=200,
        required=False,
        help_text=_("ゆるい ほうの きまりを えらぶときは、かならず 書いてください。"),
    )
    one_by_five = forms.BooleanField(label=_("1さいを 5人に 1人で みる"), required=False)
    three_quarters_qualified = forms.BooleanField(label=_("資格者を 4分の3 おく"), required=False)
    places = WideIntegerField(label=_("定員"), min_value=0, max_value=300)
    area_infant = AreaField(
        label=_("0・1さいの 広さ（m²）"), help_text=_("小数点の あと 2けたまで。例：39.65")
    )
    area_toddler = AreaField(label=_("2さい からの 広さ（m²）"))
    youngest = forms.TypedChoiceField(label=_("いちばん 下の クラス"), choices=classes, coerce=int)
    oldest = forms.TypedChoiceField(
        label=_("いちばん 上の クラス"), choices=classes, coerce=int,
        help_text=_("もう 予約した 子どもは そのまま 預かります。"),
    )  # fmt: skip
    main_from = time_field(_("主な 開所時間の はじめ"))
    main_to = time_field(_("主な 開所時間の おわり"))
    fever_limit = forms.DecimalField(
        label=_("何度から 預からないか（℃）"), min_value=Decimal("37.0"), max_value=Decimal("39.0"), max_digits=3,
        decimal_places=1, help_text=_("37.0から 39.0まで。ふつうは 37.5です。"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "short"}),
    )  # fmt: skip
    is_active = forms.BooleanField(label=_("この へやを 使う"), required=False)

    @staticmethod
    def initial_of(room: CareRoom) -> dict[str, Any]:
        names = (
            "name", "name_en", "scheme", "table", "table_reason", "one_by_five", "three_quarters_qualified", "places",
            "youngest", "oldest", "main_from", "main_to", "fever_limit", "is_active",
        )  # fmt: skip
        return {name: getattr(room, name) for name in names} | {
            "area_infant": Decimal(room.area_infant_cm2).scaleb(-4).quantize(Decimal("0.01")),
            "area_toddler": Decimal(room.area_toddler_cm2).scaleb(-4).quantize(Decimal("0.01")),
        }

    def data_of(self) -> RoomData:
        return RoomData(**self.cleaned_data)


# ---------------------------------------------------------------- children


class ReturnForm(HidamariForm):
    reason = _text(_("もどす わけ"), length=300, area=True, help_text=_("保護者に そのまま 届きます。"))


class BirthdayForm(HidamariForm):
    birthday = BirthdayField(label=_("正しい 生年月日"), help_text=_("西れきで 入れてください。"))

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["birthday"]
        assert isinstance(field, BirthdayField)
        field.latest = lambda: today
