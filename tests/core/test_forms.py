"""The shared fields repair what can be repaired and say one plain sentence where it cannot."""

from datetime import date

import pytest
from django import forms
from django.core.exceptions import ValidationError

from hub.core.forms import (
    BirthdayField,
    CodeField,
    HidamariForm,
    KanaField,
    NameField,
    PhoneField,
    to_katakana,
    wareki,
)


def code_of(field: forms.Field, value: object) -> str | None:
    with pytest.raises(ValidationError) as caught:
        field.clean(value)
    return caught.value.error_list[0].code


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("さとう みさき", "サトウ ミサキ"),
        ("ｻﾄｳ　ﾐｻｷ", "サトウ ミサキ"),
        ("サトウ　ミサキ ", "サトウ ミサキ"),
        ("ｶﾞﾊﾟヴゔー", "ガパヴヴー"),
        ("アン・リー", "アン・リー"),
    ],
)
def test_kana_is_stored_as_full_width_katakana(typed: str, kept: str) -> None:
    assert KanaField().clean(typed) == kept


@pytest.mark.parametrize("typed", ["佐藤 みさき", "Sato", "さとう1"])
def test_kana_with_another_script_is_refused(typed: str) -> None:
    assert code_of(KanaField(), typed) == "kana"


def test_kana_left_out_is_empty_where_optional() -> None:
    assert KanaField(required=False).clean("") == ""


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("090-1234-5678", "09012345678"),
        ("０９０ー１２３４ー５６７８", "09012345678"),
        ("(0123) 45-6789", "0123456789"),
        ("+81 90 1234 5678", "09012345678"),
        ("+81 (0)90-1234-5678", "09012345678"),
        ("090−1234−5678", "09012345678"),
    ],
)
def test_phone_is_reduced_to_digits(typed: str, kept: str) -> None:
    assert PhoneField().clean(typed) == kept


@pytest.mark.parametrize("typed", ["1234567890", "090123456", "090123456789", "090-abcd-5678"])
def test_phone_of_another_shape_is_refused(typed: str) -> None:
    assert code_of(PhoneField(), typed) == "phone"


def test_phone_left_out_is_empty_where_optional() -> None:
    assert PhoneField(required=False).clean("  ") == ""


@pytest.mark.parametrize("typed", ["123456", "１２３４５６", "123 456", "123-456", " 123456 "])
def test_code_takes_what_people_paste(typed: str) -> None:
    assert CodeField().clean(typed) == "123456"


@pytest.mark.parametrize("typed", ["12345", "1234567", "12345a"])
def test_code_of_another_length_is_refused(typed: str) -> None:
    assert code_of(CodeField(), typed) == "code"


def test_code_names_the_number_of_digits() -> None:
    with pytest.raises(ValidationError) as caught:
        CodeField(digits=4).clean("1")
    assert caught.value.messages == ["4けたの 数字を 入れてください"]


def test_name_is_trimmed_and_full_width_space_is_one_space() -> None:
    assert NameField().clean("　佐藤　　みさき ") == "佐藤 みさき"


def test_name_of_spaces_alone_counts_as_left_out() -> None:
    assert code_of(NameField(), "　") == "required"


@pytest.mark.parametrize(
    "typed",
    [["2021", "4", "9"], ["２０２１", "０４", "９"], ["2021年", "4月", "9日"], [" 2021", "04 ", "09"]],
)
def test_birthday_of_three_boxes_is_a_date(typed: list[str]) -> None:
    assert BirthdayField().clean(typed) == date(2021, 4, 9)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (["", "", ""], "required"),
        (["2021", "", "9"], "incomplete"),
        (["21", "4", "9"], "year"),
        (["令和3", "4", "9"], "year"),
        (["2021", "2", "29"], "invalid"),
        (["2021", "x", "9"], "invalid"),
    ],
)
def test_birthday_that_cannot_be_is_refused(typed: list[str], code: str) -> None:
    assert code_of(BirthdayField(), typed) == code


def test_birthday_after_the_latest_day_is_refused() -> None:
    field = BirthdayField(latest=lambda: date(2026, 12, 8))
    assert code_of(field, ["2026", "12", "9"]) == "future"
    assert field.clean(["2026", "12", "8"]) == date(2026, 12, 8)


def test_birthday_left_out_is_none_where_optional() -> None:
    assert BirthdayField(required=False).clean(["", "", ""]) is None


class _Form(forms.Form):
    born = BirthdayField(label="生まれた日", help_text="西れきで 書いてください")


def test_birthday_shows_the_era_year_back() -> None:
    assert "（令和3年）" in _Form(initial={"born": date(2021, 4, 9)})["born"].as_field_group()
    assert (
        "（令和3年）"
        in _Form({"born_year": "2021", "born_month": "4", "born_day": "9"})["born"].as_field_group()
    )


def test_birthday_that_did_not_change_is_not_changed() -> None:
    form = _Form(
        {"born_year": "2021", "born_month": "04", "born_day": "09"}, initial={"born": date(2021, 4, 9)}
    )
    assert form.has_changed() is False


@pytest.mark.parametrize(
    ("day", "era"),
    [
        (date(2019, 4, 30), "平成31年"),
        (date(2019, 5, 1), "令和元年"),
        (date(2026, 12, 9), "令和8年"),
        (date(1989, 1, 7), "昭和64年"),
        (date(1926, 12, 24), ""),
    ],
)
def test_wareki_changes_on_the_day_of_the_era(day: date, era: str) -> None:
    assert wareki(day) == era


def test_to_katakana_leaves_other_letters() -> None:
    assert to_katakana("みさき M") == "ミサキ M"


def test_field_with_an_error_stands_in_the_house_order_and_is_linked() -> None:
    form = _Form({"born_year": "2021", "born_month": "2", "born_day": "29"})
    html = form["born"].as_field_group()
    order = [html.index(part) for part in ("生まれた日", "西れきで", 'name="born_year"', "カレンダーに ない")]
    assert order == sorted(order)
    assert 'aria-describedby="id_born_helptext id_born_error"' in html
    assert html.count('aria-invalid="true"') == 3


class _Sign(HidamariForm):
    name = NameField(label="氏名")
    home = forms.ChoiceField(label="いつものハブ", choices=[("a", "駅前ハブ")], widget=forms.RadioSelect)
    agree = forms.BooleanField(label="読みました")
    born = BirthdayField(label="生まれた日")


def test_form_left_empty_names_each_field_in_a_sentence() -> None:
    assert {name: list(errors) for name, errors in _Sign({}).errors.items()} == {
        "name": ["氏名を 入れてください"],
        "home": ["いつものハブを えらんでください"],
        "agree": ["「読みました」に しるしを つけてください"],
        "born": ["生まれた 年・月・日を 入れてください"],
    }


def test_radio_buttons_are_choice_cards_in_one_named_group() -> None:
    html = _Sign()["home"].as_field_group()
    assert html.count("<legend>いつものハブ</legend>") == 1
    assert html.count('class="choice"') == 1
    assert 'id="id_home"' in html
    assert 'type="radio"' in html


def test_optional_field_says_so_and_required_says_nothing() -> None:
    class Form(HidamariForm):
        need = NameField(label="氏名")
        may = NameField(label="よび名", required=False)

    assert "なくてもよい" not in Form()["need"].as_field_group()
    assert "なくてもよい" in Form()["may"].as_field_group()
