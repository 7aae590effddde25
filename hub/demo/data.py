"""Who and what the demo is made of: made-up people, places and telephone numbers. No logic, no clock.

Family names are words for "sample" (見本, 例題, 試し, 仮名, 架空), so that nobody takes them for somebody.
"""

from dataclasses import dataclass
from datetime import time
from typing import NamedTuple

from hub.childcare.enums import Qualification, Scheme
from hub.spaces.enums import Role, ZoneKind

DOMAIN = "demo.example"  # RFC 2606: reserved, no mail can leave
PHONE = "0000-00-0000"
SEED = 20261123
MEMBERS = 60
ASKED = "member40"  # holds an open offer of the waiting list when the demo is loaded
AT_EKIMAE = 40  # member01 to member40 have Ekimae as their home, the others Yagi


class ZoneData(NamedTuple):
    slug: str
    name: str
    name_en: str
    kind: ZoneKind
    #: label, column (0-5) and row (0-11) on the plan, window, monitor
    seats: tuple[tuple[str, int, int, bool, bool], ...]


class CarerData(NamedTuple):
    """A carer and the weekly roster: weekdays, from, to, break."""

    name: str
    qualification: Qualification
    weekdays: tuple[int, ...]
    starts: time
    ends: time
    pause: tuple[time, time] | None = None
    who: str = ""  # account of the cast


@dataclass(frozen=True)
class HubData:
    slug: str
    name: str
    name_en: str
    address: str
    address_en: str
    access: str
    access_en: str
    opens: time
    closes: time
    saturday: tuple[time, time] | None
    zones: tuple[ZoneData, ...]
    room_name: str
    room_name_en: str
    scheme: Scheme
    places: int
    infant_cm2: int
    toddler_cm2: int
    carers: tuple[CarerData, ...]
    #: weekday on which the roster is thin over lunch, and the hours that bookings are pressed into
    full_weekdays: tuple[int, ...] = ()
    daily: int = 6  # bookings of an ordinary day


WEEK = (0, 1, 2, 3, 4)
#: On these weekdays Ekimae has two carers from 12 to 14, and classes 1 and 2 are full then.
FULL_FROM, FULL_TO = time(12), time(14)

EKIMAE = HubData(
    slug="ekimae",
    name="駅前ハブ",
    name_en="Ekimae Hub",
    address="見本県 ひだまり市 駅前 1-2-3",
    address_en="1-2-3 Ekimae, Hidamari City, Mihon Prefecture",
    access="ひだまり駅の 北口から 歩いて 3分。見本スーパーの 2階です。入口の 横に 車いすの スロープが あります。",
    access_en="Three minutes on foot from the north exit of Hidamari Station, above the Mihon supermarket. "
    "There is a ramp beside the entrance.",
    opens=time(8, 30),
    closes=time(18),
    saturday=(time(9), time(12)),
    zones=(
        ZoneData(
            "quiet", "しずかな席", "Quiet seats", ZoneKind.QUIET,
            tuple((f"A{n + 1}", n % 5, n // 5, n < 5, n in (0, 4)) for n in range(10)),
        ),
        ZoneData(
            "near", "こどものへやの そば", "Near the children's room", ZoneKind.NEAR_CHILDREN,
            tuple((f"D{n + 1}", n % 3 + 3, 3 + n // 3, False, False) for n in range(5)),
        ),
        ZoneData(
            "talk", "話せる席", "Seats for talking", ZoneKind.TALK,
            tuple((f"B{n + 1}", n % 2, 3 + n // 2, n < 2, False) for n in range(5)),
        ),
        ZoneData("private", "個室", "Private rooms", ZoneKind.PRIVATE, (("C1", 0, 7, False, True), ("C2", 1, 7, True, True))),
        ZoneData(
            "onsite", "ここだけの しごとの へや", "Room for on-site work", ZoneKind.ONSITE,
            (("E1", 4, 7, False, True), ("E2", 5, 7, False, True)),
        ),
    ),
    room_name="こどものへや",
    room_name_en="Children's room",
    scheme=Scheme.CORPORATE_LED,
    places=12,
    infant_cm2=297_000,  # 29.7 m², 3.3 each (RULE-05): 9 children of classes 0 and 1
    toddler_cm2=237_600,  # 23.76 m², 1.98 each: 12 children of classes 2 to 5
    carers=(
        CarerData("保育 ひかり", Qualification.NURSERY_TEACHER, WEEK, time(8, 15), time(17, 15), (time(12), time(13)), "carer"),
        CarerData("保育 つばさ", Qualification.NURSERY_TEACHER, WEEK, time(8, 15), time(17, 15), (time(13), time(14))),
        CarerData("保育 みどり", Qualification.NURSERY_TEACHER, WEEK, time(9), time(18), (time(13), time(14))),
        CarerData("支援 かおる", Qualification.SUPPORTER, WEEK, time(9), time(18), (time(12), time(13))),
        # Six hours without a break, and not on the two days whose lunch is full.
        CarerData("看護 まこと", Qualification.NURSE, (0, 1, 3), time(10), time(16)),
    ),
    full_weekdays=(2, 4),
    daily=14,
)  # fmt: skip

YAGI = HubData(
    slug="yagi",
    name="八木ハブ",
    name_en="Yagi Hub",
    address="見本県 ひだまり市 八木町 4-5",
    address_en="4-5 Yagi, Hidamari City, Mihon Prefecture",
    access="八木駅から 歩いて 8分。もとの 小学校の 1階です。車は 校庭に 10台 とめられます。",
    access_en="Eight minutes on foot from Yagi Station, on the ground floor of the former primary school. "
    "Ten cars can park in the yard.",
    opens=time(9),
    closes=time(17),
    saturday=None,
    zones=(
        ZoneData(
            "quiet", "しずかな席", "Quiet seats", ZoneKind.QUIET,
            tuple((f"A{n + 1}", n % 3, n // 3, n < 3, False) for n in range(6)),
        ),
        ZoneData(
            "talk", "話せる席", "Seats for talking", ZoneKind.TALK,
            tuple((f"B{n + 1}", 4 + n % 2, n // 2, False, False) for n in range(3)),
        ),
        ZoneData(
            "near", "こどものへやの そば", "Near the children's room", ZoneKind.NEAR_CHILDREN,
            (("D1", 4, 3, False, False), ("D2", 5, 3, False, False)),
        ),
        ZoneData("private", "個室", "Private room", ZoneKind.PRIVATE, (("C1", 0, 3, True, True),)),
    ),
    room_name="やぎっこの へや",
    room_name_en="Yagi children's room",
    scheme=Scheme.UNLICENSED,
    places=6,
    infant_cm2=99_000,  # 9.9 m², 1.65 each: 6
    toddler_cm2=99_000,
    carers=(
        CarerData("保育 あゆむ", Qualification.NURSERY_TEACHER, WEEK, time(8, 45), time(17, 15), (time(12), time(13))),
        CarerData("支援 こずえ", Qualification.SUPPORTER, WEEK, time(8, 45), time(17, 15), (time(13), time(14))),
        CarerData("保育 いずみ", Qualification.NURSERY_TEACHER, WEEK, time(11), time(17)),
    ),
    daily=6,
)  # fmt: skip

HUBS = (EKIMAE, YAGI)


class PersonData(NamedTuple):
    who: str
    name: str
    kana: str
    role: Role
    hub: str


CAST = (
    PersonData("misaki", "山田 みさき", "やまだ みさき", Role.WORKER, "ekimae"),
    PersonData("kenta", "山田 けんた", "やまだ けんた", Role.WORKER, "ekimae"),
    PersonData("stranger", "遠野 となり", "とおの となり", Role.WORKER, "yagi"),
    PersonData("door", "入口 まもる", "いりぐち まもる", Role.DOOR, "ekimae"),
    PersonData("carer", "保育 ひかり", "ほいく ひかり", Role.CARER, "ekimae"),
    PersonData("plaza", "広場 つどい", "ひろば つどい", Role.COMMUNITY, "ekimae"),
    PersonData("director", "配分 めぐる", "はいぶん めぐる", Role.DIRECTOR, "ekimae"),
    PersonData("manager", "責任 さおり", "せきにん さおり", Role.MANAGER, "ekimae"),
    PersonData("town", "町田 やくば", "まちだ やくば", Role.OFFICER, "ekimae"),
)
#: Roles that somebody of the cast holds at the other hub too.
ALSO = (("manager", Role.MANAGER, "yagi"), ("town", Role.OFFICER, "yagi"))
#: Somebody without an address: the door books for her by telephone.
VISITOR = "建設課 田中"  # inside, without an account
BY_PHONE = ("電話 はなこ", "でんわ はなこ")

#: May fetch Haru and Yui, and sees nothing.
GRANDMOTHER = ("山田 うめ", "やまだ うめ", "祖母")

FAMILY = (("見本", "みほん"), ("例題", "れいだい"), ("試し", "ためし"), ("仮名", "かめい"), ("架空", "かくう"))  # fmt: skip
GIVEN = (
    "あおい",
    "いつき",
    "うた",
    "えま",
    "かえで",
    "きよみ",
    "さくら",
    "しのぶ",
    "ちひろ",
    "なぎさ",
    "はるか",
    "ゆづき",
)
CHILDREN = (
    "そら",
    "うみ",
    "ひな",
    "りく",
    "ゆめ",
    "こはる",
    "いと",
    "なお",
    "つむぎ",
    "れん",
    "めい",
    "さく",
)
EGG = "たまご（加熱しても だめ）"
ALLERGIES = ("", "", "", EGG, "", "", "", "牛乳", "", "そば、落花生")
#: Age classes of the members' first children, in turn: more small ones, as in life.
CLASSES = (1, 2, 1, 2, 0, 3, 1, 4, 2, 5)
#: Lengths of stay that people book, as (start, end) in hours; the rest of the day follows from chance.
STAYS = ((9, 12), (9.5, 12.5), (10, 15), (13, 17), (9, 16), (14, 17), (9, 11.5), (10, 13), (13, 16))
RETURNED_BECAUSE = "アレルギーの 薬の 名前を 書いてください。"
#: My usual week: whose, at Yagi, which weekdays, hours, and for how many weeks (the last ones open later).
USUAL_WEEK = ("member45", "yagi", (1, 4), (time(9, 30), time(12, 30)), 8)
