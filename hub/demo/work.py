"""Two made-up clients of Ekimae and what they order, in every state that a director meets. Once: later runs add nothing."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django_tasks_db.models import DBTaskResult

from hub.core import clock
from hub.core.db import run_write
from hub.demo import data, work_done
from hub.members.models import Member
from hub.notices.enums import Kind
from hub.notices.models import Delivery as Courier
from hub.spaces.models import Hub
from hub.work import imports, orders
from hub.work.enums import ImportState
from hub.work.models import Client, Order, UnitImport, WorkRates
from hub.work.orders import ClientData, OrderData, TermsData

SHOPS = ClientData("見本商店街 組合", "架空 はじめ", "shops@demo.example", "0000000000")
TOWN = ClientData("仮名町役場 資料係", "例題 ますみ", "records@demo.example", "0000000000")
PROMISE = (
    "町の 資料に 書かれたことを、ほかの人に 話しません。\n"
    "資料は ハブの へやの 端末だけで 見て、写真や メモに のこしません。\nおわったら、すべて 返します。"
)

STYLE = "お店の よいところを、200字くらいで 書きます。\n「です・ます」で 書きます。数字は メモの とおりに します。"
STORES = (
    ("見本パン店", "米粉の パン、朝 7時から。となりに ベンチが 2つ"),
    ("喫茶 れいだい", "いすは 12。子ども用の いすが 2つ。カレーが 名物"),
    ("仮名生花店", "ひとり用の 小さい 花束 500円から"),
    ("架空書店", "絵本の たなが 広い。土曜日に 読み聞かせ"),
    ("見本豆腐店", "朝 6時に できる。おから ドーナツは 午後から"),
    ("試し時計店", "電池の 入れかえは 15分。古い 時計の 修理も する"),
    ("例題青果店", "町の 畑の 野菜。カットした 果物も ある"),
    ("仮名理髪店", "ひざの 上で 子どもの 髪を 切れる。ベビーカーのまま 入れる"),
    ("架空クリーニング", "夕方 5時までに 出すと、次の日に できる"),
    ("見本文具店", "名前シールを その場で つくる"),
    ("喫茶 こころみ", "コンセントの ある席が 4つ。水曜日は 休み"),
    ("例題菓子店", "栗の 季節だけの まんじゅう"),
)
PRODUCTS = (
    ("綿 100% タオル 薄手 3枚組", "綿100%タオル(薄手)3枚ｸﾐ"),
    ("こども用 レインコート 110cm 黄", "子供用レインコート 110 黄色"),
    ("ステンレス 水とう 500ml", "ｽﾃﾝﾚｽ水筒 0.5L"),
    ("木の 積み木 24個", "木製積木 24ピース"),
    ("おりがみ 100枚 24色", "折り紙24色 100枚入"),
    ("LED 電球 60形 昼光色", "LED電球(60W形)昼白色"),
    ("麦茶 ティーバッグ 52袋", "麦茶ティーパック52P"),
    ("洗たくネット 丸型 2枚", "洗濯ネット(丸) 2枚セット"),
)


def bring_work(hub: Hub) -> None:
    """Make the clients and orders of ``hub``, if it has none."""
    director = Member.objects.filter(is_demo=True, email=f"director@{data.DOMAIN}").first()
    manager = Member.objects.filter(is_demo=True, email=f"manager@{data.DOMAIN}").first()
    if director is None or manager is None or Client.objects.filter(hub=hub).exists():
        return
    before = set(DBTaskResult.objects.values_list("pk", flat=True))
    today = clock.today(hub.tz)
    WorkRates.objects.get_or_create(
        hub=hub,
        valid_from=date(2026, 4, 1),
        defaults={
            "worker": 6500, "director": 1000, "hub_part": 2000, "platform": 500, "reference_wage_yen": 1100,
            "source": "見本の 数字です。町の 最低賃金に 合わせてください", "entered_by": director,
        },
    )  # fmt: skip
    shops = orders.save_client(hub=hub, code=None, data=SHOPS)
    town = orders.save_client(hub=hub, code=None, data=TOWN)
    old, new = today - timedelta(days=500), today - timedelta(days=40)
    for text, first, last in (
        (PROMISE.partition("\n")[0], old, new - timedelta(days=1)),
        (PROMISE, new, today + timedelta(days=600)),
    ):
        orders.add_nda(hub=hub, client_code=town.code, text=text, starts_on=first, ends_on=last)

    texts = _order(hub, shops, OrderData(
        "お店の 紹介文を 書く", "writing", STYLE,
        120, 700, 20, 2, today + timedelta(days=45), False,
    ))  # fmt: skip
    orders.split_lot(hub=hub, order_code=texts.code, number=1, first=12, gate_percent=90)
    prompts = [(f"M-{n:03}", f"「{name}」の 紹介文を 書く", memo) for n, (name, memo) in enumerate(STORES, 1)]
    _bring(director, texts, "mise-1.csv", prompts)
    _accept(director, hub, texts, "組合の 共有フォルダー")

    names = _order(hub, shops, OrderData(
        "商品の 名前を たしかめる", "checking", "2つの 名前が 同じ 商品か、ちがうところは どこかを 書きます。",
        len(PRODUCTS) * 25, 30, 1, 1, today + timedelta(days=20), False,
    ))  # fmt: skip
    pairs = [
        (f"P-{n:04}", f"{one}／{other}", f"たな {n % 9 + 1}") for n, (one, other) in enumerate(PRODUCTS * 25)
    ]
    _bring(director, names, "shouhin.csv", pairs)
    _accept(director, hub, names, "組合の 表")

    first_steps = _order(hub, shops, OrderData(
        "はじめての 紹介文（なおしながら おぼえます）", "writing", STYLE, 24, 600, 20, 1, today + timedelta(days=40), False,
    ))  # fmt: skip
    lines = [
        (f"K-{n:03}", f"「{name}」の 看板の 文を 50字で 書く", memo)
        for n, (name, memo) in enumerate(STORES * 2, 1)
    ]
    _bring(director, first_steps, "hajimete.csv", lines)
    _accept(director, hub, first_steps, "組合の 共有フォルダー")

    counted = _order(hub, town, OrderData(
        "講座の 出席を 表に 入れる", "entry", "出席の 紙を 見て、何人 来たか 入れます。", 240, 60, 2, 1, today + timedelta(days=10), False,
    ))  # fmt: skip
    _bring(director, counted, "shusseki.csv", [(f"S-{n:03}", f"第{n}回の 紙", "") for n in range(1, 241)])
    _accept(director, hub, counted, "町の 共有フォルダー")

    ledger = _order(hub, town, OrderData(
        "古い 台帳を 表に 入れる", "entry", "台帳の 写しを 見て、地番・面積・年を 表に 入れます。読めない字は ■に します。",
        600, 60, 4, 2, today + timedelta(days=70), True,
    ))  # fmt: skip
    lines = [
        (f"D-{n:03}", f"第{n}葉 地番 {n * 7 % 311 + 1}、畑、明治 {n % 40 + 3}年", "") for n in range(1, 121)
    ]
    lines[6] = ("D-007", "", "")
    lines[40] = (lines[12][0], "二度 写した 葉", "")
    lines[77] = ("D-078", "字が\x1aつぶれた 葉", "")
    _read(director, ledger, "daichou-1.csv", lines)

    _order(hub, shops, OrderData(
        "祭りの 録音を 文字に する", "voice", "10分ずつの 録音を 聞いて、話した とおりに 書きます。", 24, 1600, 60, 3,
        today + timedelta(days=90), False,
    ))  # fmt: skip
    work_done.bring_doing(hub, director, manager, texts=texts, names=names, course=first_steps, old=counted)
    run_write(
        lambda: Courier.objects.filter(notice__kind=Kind.WORK).delete()
    )  # nobody's inbox begins with a flood
    run_write(lambda: DBTaskResult.objects.exclude(pk__in=before).delete())  # what was queued is done here


def _order(hub: Hub, client: Client, made: OrderData) -> Order:
    return orders.save_order(hub=hub, code=None, client_code=client.code, data=made)


def _accept(director: Member, hub: Hub, order: Order, place: str) -> None:
    today = clock.today(hub.tz)
    paid = date(order.deadline.year, order.deadline.month, 1) + timedelta(days=62)
    agreed = TermsData(
        today - timedelta(days=3), place, order.deadline + timedelta(days=7), paid, "銀行ふりこみ"
    )
    orders.accept_order(actor=director, hub=hub, code=order.code, data=agreed)


def _read(director: Member, order: Order, name: str, lines: Iterable[Sequence[str]]) -> UnitImport:
    """A file of the client, read and waiting for the director's yes."""
    body = "\r\n".join(["番号,内容,参考", *(",".join(line) for line in lines)]).encode("cp932")
    source = imports.upload(
        actor=director, hub=order.hub, order_code=order.code, name=name, size=len(body), pieces=lambda: [body]
    )
    imports.check_file(source.code)
    return source


def _bring(director: Member, order: Order, name: str, lines: Iterable[Sequence[str]]) -> None:
    source = _read(director, order, name, lines)
    imports.keep(hub=order.hub, code=source.code)
    while UnitImport.objects.filter(pk=source.pk, state=ImportState.KEEPING).exists():
        imports.keep_rows(source.code)
