"""The law as it is known today, as dated rows (domain.md A1.1 to A1.5). People add rows; code never changes them."""

from datetime import date
from typing import Any

from django.db import migrations

START = date(2015, 4, 1)  # the present support system for childcare began
NEW_RATIOS = date(2024, 4, 1)  # 3: 20 -> 15, 4 and 5: 30 -> 25

# scheme: (plus, share, area of classes 0-1, area of classes 2-5, source)
SCHEMES = {
    "corporate_led": (1, (1, 2), 33_000, 19_800, "職員配置の国の基準（docs/ratio.md 出典 S3 S4 S12）"),
    "unlicensed": (0, (1, 3), 16_500, 16_500, "職員配置の国の基準（docs/ratio.md 出典 S7 S8）"),
    "licensed": (0, (1, 1), 33_000, 19_800, "職員配置の国の基準（docs/ratio.md 出典 S1 S2 S8 S12）"),
    "small_a": (1, (1, 1), 33_000, 19_800, "職員配置の国の基準（docs/ratio.md 出典 S8 S12）"),
    "small_b": (1, (1, 2), 33_000, 19_800, "職員配置の国の基準（docs/ratio.md 出典 S12）"),
    "temporary": (0, (1, 2), 33_000, 19_800, "児童福祉法施行規則36条の35（docs/ratio.md、たしかめ中）"),
}


def enter(apps: Any, schema_editor: Any) -> None:
    rule = apps.get_model("childcare", "CareRule")
    rows = []
    for scheme, (plus, share, infant, toddler, source) in SCHEMES.items():
        for table, since, r3, r45 in (
            ("current", START, 20, 30),
            ("current", NEW_RATIOS, 15, 25),
            ("former", START, 20, 30),
        ):
            rows.append(
                rule(
                    scheme=scheme, table=table, valid_from=since, r0=3, r1=6, r2=6, r3=r3, r45=r45, plus=plus,
                    share_num=share[0], share_den=share[1], area_infant_cm2=infant, area_toddler_cm2=toddler,
                    source=source, entered_by="Hidamari",
                )  # fmt: skip
            )
    rule.objects.bulk_create(rows)


class Migration(migrations.Migration):
    dependencies = [("childcare", "0002_initial")]
    operations = [migrations.RunPython(enter, migrations.RunPython.noop)]
