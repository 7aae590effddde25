"""What was agreed cannot be changed, nor deleted before its time: the database itself refuses (RULE-25, RULE-27).

SQLite drops triggers with a table that is made anew: a later migration that alters a column of OrderTerms has to call
`put` again. tests/work/test_terms_guard.py would say so.
"""

from typing import Any

from django.db import migrations

FUNCTION = """
CREATE FUNCTION work_orderterms_stay() RETURNS trigger AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.kept_until < CURRENT_DATE THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'terms stay as they were agreed' USING ERRCODE = 'integrity_constraint_violation';
END $$ LANGUAGE plpgsql
"""
ON_POSTGRESQL = [
    FUNCTION,
    "CREATE TRIGGER work_orderterms_stay BEFORE UPDATE OR DELETE ON work_orderterms"
    " FOR EACH ROW EXECUTE FUNCTION work_orderterms_stay()",
]
ON_SQLITE = [
    "CREATE TRIGGER work_orderterms_no_update BEFORE UPDATE ON work_orderterms"
    " BEGIN SELECT RAISE(ABORT, 'terms stay as they were agreed'); END",
    "CREATE TRIGGER work_orderterms_no_delete BEFORE DELETE ON work_orderterms WHEN OLD.kept_until >= date('now')"
    " BEGIN SELECT RAISE(ABORT, 'terms stay as they were agreed'); END",
]
OFF_POSTGRESQL = [
    "DROP TRIGGER work_orderterms_stay ON work_orderterms", "DROP FUNCTION work_orderterms_stay()"
]
OFF_SQLITE = ["DROP TRIGGER work_orderterms_no_update", "DROP TRIGGER work_orderterms_no_delete"]


def put(apps: Any, schema_editor: Any) -> None:
    for statement in ON_SQLITE if schema_editor.connection.vendor == "sqlite" else ON_POSTGRESQL:
        schema_editor.execute(statement)


def take_away(apps: Any, schema_editor: Any) -> None:
    for statement in OFF_SQLITE if schema_editor.connection.vendor == "sqlite" else OFF_POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("work", "0001_initial")]
    operations = [migrations.RunPython(put, take_away)]
