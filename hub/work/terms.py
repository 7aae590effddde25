"""The agreed terms as a text that anybody can keep and print: the fields of RULE-25 in their order."""

from django.utils.translation import gettext as _

from hub.work.models import OrderTerms


def lines(terms: OrderTerms) -> list[tuple[str, str]]:
    """Label and value of every field, in the language that is active."""
    tz = terms.order.hub.tz
    rows = [
        (_("注文した 人"), _("%(client)s（担当：%(contact)s）") % {"client": terms.client_name, "contact": terms.contact_name}),
        (_("受けた ハブ"), terms.hub_name),
        (_("注文の 日"), terms.ordered_on.isoformat()),
        (_("受けた 時"), terms.accepted_at.astimezone(tz).strftime("%Y-%m-%d %H:%M")),
        (_("しごとの 名前"), terms.title),
        (_("種類"), str(terms.get_kind_display())),
        (_("すること"), terms.description),
        (_("できる人"), str(terms.get_level_display())),
        (_("納める日"), terms.deliver_on.isoformat()),
        (_("納める ところ"), terms.place),
        (_("たしかめおわる日"), terms.inspected_by.isoformat() if terms.inspected_by else _("きめていません")),
        (_("件数"), _("%(n)s件") % {"n": f"{terms.unit_count:,}"}),
        (_("1件の 金額"), _("%(yen)s円") % {"yen": f"{terms.price_yen:,}"}),
        (_("1件に かかる時間"), _("%(n)s分") % {"n": terms.minutes_per_unit}),
        (_("金額"), _("%(yen)s円") % {"yen": f"{terms.amount_yen:,}"}),
        (_("しはらいの 日"), terms.client_pays_on.isoformat()),
        (_("しはらいの 方法"), terms.pay_method),
        (_("働く人への しはらい"), _("%(day)sまで。ハブが 働く人に たのむ 再委託です。") % {"day": terms.worker_pays_on.isoformat()}),
        (_("機密"), _("はい。秘密の 約束 第%(n)s版") % {"n": terms.nda_version} if terms.is_confidential else _("いいえ")),
        (_("この 書類を のこす日"), terms.kept_until.isoformat()),
    ]  # fmt: skip
    for rate in terms.order.rates.exclude(number=1):
        day = rate.made_at.astimezone(tz).date().isoformat()
        said = _("%(day)sから 1件 %(yen)s円。わけ：%(reason)s") % {
            "day": day, "yen": f"{rate.price_yen:,}", "reason": rate.reason,
        }  # fmt: skip
        rows.append((_("あとから 上げた 金額"), said))
    return rows


def document(terms: OrderTerms) -> str:
    """The whole as plain text, one field a line."""
    head = _("受注の 条件（%(code)s）") % {"code": terms.order.code}
    return "\r\n".join([head, "", *(f"{label}: {value}" for label, value in lines(terms)), ""])
