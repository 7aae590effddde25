from django.db import models
from django.utils.translation import gettext_lazy as _


class OrderKind(models.TextChoices):
    """What is done to one unit of the work."""

    WRITING = "writing", _("文章を 書く")
    ENTRY = "entry", _("データを 入れる")
    CHECKING = "checking", _("たしかめる")
    VOICE = "voice", _("声を 録る・書きおこす")


class Level(models.IntegerChoices):
    """Which level a worker needs. It opens by a course (B4)."""

    FIRST = 1, _("はじめてでも できる")
    SECOND = 2, _("なれた人")
    THIRD = 3, _("くわしい人")


class OrderState(models.TextChoices):
    DRAFT = "draft", _("相談中")
    ACCEPTED = "accepted", _("受けました")
    WITHDRAWN = "withdrawn", _("やめました")


class ImportState(models.TextChoices):
    """The way of one file: it is read, shown to the director, and kept only after her yes."""

    CHECKING = "checking", _("たしかめています")
    CHECKED = "checked", _("返事を 待っています")
    KEEPING = "keeping", _("取りこんでいます")
    DONE = "done", _("取りこみました")
    STOPPED = "stopped", _("やめました")
    FAILED = "failed", _("読めませんでした")


#: A file in one of these states holds its order: the next one waits.
LIVE_IMPORTS = (ImportState.CHECKING, ImportState.CHECKED, ImportState.KEEPING)


class PartStage(models.TextChoices):
    FILE = "file"  # a piece of the file as it came
    ROWS = "rows"  # good rows, read and checked, that wait for the director's yes


class Column(models.TextChoices):
    """Columns of a file that mean something here; the value is how the field is called inside."""

    REFERENCE = "reference", _("番号")
    CONTENT = "content", _("内容")
    NOTE = "note", _("参考")
    ROW = "row", _("行 ぜんたい")


class Problem(models.TextChoices):
    """What is wrong with a row, or (the second half) with the whole file."""

    EMPTY = "empty", _("空です。内容を 入れてください")
    TOO_LONG = "too_long", _("長すぎます。分けてください")
    TWICE = "twice", _("同じ番号が もう あります。番号を 変えてください")
    BAD_CHARACTER = "bad_character", _("読めない 文字が あります。打ちなおしてください")
    TOO_MANY_CELLS = "too_many_cells", _("列が 見出しより 多いです。列を そろえてください")
    NO_HEADER = "no_header", _("1行目に「内容」の 列が ありません。見出しを 入れてください。")
    HEADER_TWICE = "header_twice", _("1行目に 同じ 見出しが 2つ あります。1つに してください。")
    NO_ROWS = "no_rows", _("しごとが 1件も ありません。2行目から 入れてください。")
    QUOTE = "quote", _('引用符「"」が 閉じていない ところが あります。')
    ENCODING = "encoding", _("文字が 読めません。UTF-8 か Shift_JIS（CP932）で 保存しなおしてください。")
    UNREADABLE = "unreadable", _("ファイルが 開けません。CSV か XLSX で 保存しなおしてください。")
    TOO_BIG = "too_big", _("ファイルが 大きすぎます。分けてください。")
    TOO_MANY_ROWS = "too_many_rows", _("行が 多すぎます。ファイルを 分けてください。")
    MORE_THAN_ORDERED = "more_than_ordered", _("受注の 件数より 多く なります。件数を たしかめてください。")


class UnitState(models.TextChoices):
    """Where one unit stands. FREE has no lease; HELD, SENT and RETURNED belong to one worker; the others are settled."""

    FREE = "free", _("まだ")
    HELD = "held", _("作業中")
    SENT = "sent", _("確認待ち")
    RETURNED = "returned", _("なおし中")
    ACCEPTED = "accepted", _("合格")
    REJECTED = "rejected", _("不合格")


#: Units in these states have exactly one lease.
LEASED = (UnitState.HELD, UnitState.SENT, UnitState.RETURNED)


class How(models.TextChoices):
    """How units came to a worker."""

    ALLOCATED = "allocated", _("配りました")
    INVITED = "invited", _("たのみました")
    CLAIMED = "claimed", _("自分で とりました")


class AssignmentState(models.TextChoices):
    OFFERED = "offered", _("返事を 待っています")
    ACCEPTED = "accepted", _("受けました")
    ENDED = "ended", _("おわりました")


class EndReason(models.TextChoices):
    """Why an assignment ended, for the director's board. None of them counts for or against anybody."""

    DONE = "done", _("ぜんぶ おわりました")
    DECLINED = "declined", _("受けませんでした")
    UNANSWERED = "unanswered", _("返事の 期限が すぎました")
    TIME_UP = "time_up", _("期限が すぎました")
    CHILD_SICK = "child_sick", _("子どもの 病気")
    HANDED_BACK = "handed_back", _("手ばなしました")
    LEFT = "left", _("やめました")


class DeliveryState(models.TextChoices):
    SENT = "sent", _("確認待ち")
    RETURNED = "returned", _("なおしを おねがいしました")
    ACCEPTED = "accepted", _("合格")
    REJECTED = "rejected", _("不合格")


class CorrectionKind(models.TextChoices):
    """What a correction is about (B4)."""

    FACT = "fact", _("事実")
    STYLE = "style", _("書きかた")
    RULE = "rule", _("きまり")


class AppealState(models.TextChoices):
    OPEN = "open", _("見なおし中")
    UPHELD = "upheld", _("合格に かわりました")
    REFUSED = "refused", _("不合格の ままです")


class LedgerKind(models.TextChoices):
    """A line of the hub's month that no unit brings. The last two come in, the others go out."""

    RENT = "rent", _("場所")
    STAFF = "staff", _("人")
    CARE = "care", _("保育")
    PLATFORM = "platform", _("しくみ")
    OTHER = "other", _("ほか")
    SUBSIDY = "subsidy", _("補助金")
    GRANT = "grant", _("交付金")


#: Lines that come in.
INCOME = (LedgerKind.SUBSIDY, LedgerKind.GRANT)
