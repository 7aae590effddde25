"""What was told, earned and stated stays, and a price only rises: the database itself refuses (RULE-25, RULE-27).

As in 0002: SQLite drops triggers with a table that is made anew, so a later migration that alters one of these tables has
to put them again. tests/work/test_kept_rows.py would say so.
"""

from datetime import date
from typing import Any

from django.db import migrations

NOTICE = (
    "noticed_at", "hub_name", "worker_name", "client_name", "title", "kind", "description", "unit_count", "unit_yen",
    "amount_yen", "receipt_by", "place", "inspected_within_days", "pays_on", "client_pays_on", "pay_method", "kept_until",
)  # fmt: skip
RATE = (
    "order_id", "number", "price_yen", "worker_yen", "director_yen", "hub_yen", "platform_yen", "withholds", "reason",
    "made_at",
)  # fmt: skip
EARNING = (
    "delivery_id", "hub_id", "order_id", "member_id", "director_id", "received_on", "accepted_on", "latest_on",
    "price_yen", "worker_yen", "director_yen", "hub_yen", "platform_yen", "withholds",
)  # fmt: skip
STATEMENT = (
    "code", "hub_id", "member_id", "number", "month", "hub_name", "member_name", "registration_number", "unit_count",
    "work_yen", "director_yen", "withheld_from_yen", "withholding_yen", "net_yen", "deduction_percent", "pays_on",
    "latest_on", "made_at", "kept_until",
)  # fmt: skip
#: Table, columns that never change, and what a row says when it may not be deleted, on SQLite and on PostgreSQL.
DATED = ("OLD.kept_until >= date('now')", "OLD.kept_until >= CURRENT_DATE")
ALWAYS = ("1", "true")
KEPT = (
    ("work_worknotice", NOTICE, DATED),
    ("work_orderrate", RATE, ALWAYS),
    ("work_earning", EARNING, ALWAYS),
    ("work_statement", STATEMENT, DATED),
)
#: An earning is stated once: it never moves to another statement.
STATED = ("statement_id", "director_statement_id")
FALLS = (
    "NEW.number > 1 AND NOT EXISTS (SELECT 1 FROM work_orderrate before WHERE before.order_id = NEW.order_id"
    " AND before.number = NEW.number - 1 AND before.price_yen <= NEW.price_yen AND before.worker_yen <= NEW.worker_yen)"
)
STAYS, RISES = "what was written stays", "a price only rises"


def _sqlite() -> tuple[list[str], list[str]]:
    on, off = [], []

    def add(name: str, when: str, condition: str, said: str) -> None:
        on.append(f"CREATE TRIGGER {name} BEFORE {when} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{said}'); END")
        off.append(f"DROP TRIGGER {name}")

    for table, columns, (no_delete, _other) in KEPT:
        changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in columns)
        add(f"{table}_no_update", f"UPDATE ON {table}", changed, STAYS)
        add(f"{table}_no_delete", f"DELETE ON {table}", no_delete, STAYS)
    moved = " OR ".join(f"(OLD.{name} IS NOT NULL AND NEW.{name} IS NOT OLD.{name})" for name in STATED)
    add("work_earning_stated_once", "UPDATE ON work_earning", moved, STAYS)
    add("work_orderrate_rises", "INSERT ON work_orderrate", FALLS, RISES)
    return on, off


def _postgresql() -> tuple[list[str], list[str]]:
    on, off = [], []

    def refuse(function: str, said: str, condition: str) -> None:
        on.append(
            f"CREATE FUNCTION {function}() RETURNS trigger AS $$ BEGIN IF {condition} THEN RAISE EXCEPTION '{said}'"
            " USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN COALESCE(NEW, OLD); END $$ LANGUAGE plpgsql"
        )
        off.append(f"DROP FUNCTION {function}()")

    def add(name: str, when: str, function: str, condition: str = "") -> None:
        when_true = f" WHEN ({condition})" if condition else ""
        on.append(f"CREATE TRIGGER {name} BEFORE {when} FOR EACH ROW{when_true} EXECUTE FUNCTION {function}()")
        off.insert(0, f"DROP TRIGGER {name} ON {when.partition(' ON ')[2]}")

    refuse("work_row_stays", STAYS, "true")
    refuse("work_price_rises", RISES, FALLS)
    for table, columns, (_other, no_delete) in KEPT:
        changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in columns)
        add(f"{table}_no_update", f"UPDATE ON {table}", "work_row_stays", changed)
        add(f"{table}_no_delete", f"DELETE ON {table}", "work_row_stays", no_delete)
    moved = " OR ".join(f"(OLD.{name} IS NOT NULL AND NEW.{name} IS DISTINCT FROM OLD.{name})" for name in STATED)
    add("work_earning_stated_once", "UPDATE ON work_earning", "work_row_stays", moved)
    add("work_orderrate_rises", "INSERT ON work_orderrate", "work_price_rises")
    return on, off


ON_SQLITE, OFF_SQLITE = _sqlite()
ON_POSTGRESQL, OFF_POSTGRESQL = _postgresql()

#: RULE-30, domain.md A5. The percents after 2028 are from memory there; an older page still names 50 from 2026-10.
DEDUCTIONS = (
    (date(2023, 10, 1), 80, "domain.md RULE-30, S32"),
    (date(2026, 10, 1), 70, "domain.md RULE-30, S32"),
    (date(2028, 10, 1), 50, "domain.md RULE-30, from memory"),
    (date(2030, 10, 1), 30, "domain.md RULE-30, from memory"),
    (date(2031, 10, 1), 0, "domain.md RULE-30, from memory"),
)


def put(apps: Any, schema_editor: Any) -> None:
    for statement in ON_SQLITE if schema_editor.connection.vendor == "sqlite" else ON_POSTGRESQL:
        schema_editor.execute(statement)


def take_away(apps: Any, schema_editor: Any) -> None:
    for statement in OFF_SQLITE if schema_editor.connection.vendor == "sqlite" else OFF_POSTGRESQL:
        schema_editor.execute(statement)


def law(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("work", "InvoiceDeduction")
    for valid_from, percent, source in DEDUCTIONS:
        model.objects.get_or_create(valid_from=valid_from, defaults={"percent": percent, "source": source})


class Migration(migrations.Migration):
    dependencies = [("work", "0003_handing_out")]
    operations = [
        migrations.RunPython(put, take_away),
        migrations.RunPython(law, migrations.RunPython.noop),
    ]
