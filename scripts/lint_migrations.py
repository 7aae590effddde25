"""Ask django-migration-linter about our migrations: what would lock a table, or break the version still running?

The linter is a development package, so it is not in INSTALLED_APPS; this is its management command without that.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
if os.environ.get("TEST_POSTGRES_URL"):  # the SQL of the production database says more
    os.environ["DATABASE_URL"] = os.environ["TEST_POSTGRES_URL"]

import django  # noqa: E402
from django.apps import apps  # noqa: E402

django.setup()

from django_migration_linter import MigrationLinter  # noqa: E402

ours = [config.label for config in apps.get_app_configs() if config.name.startswith("hub.")]
# A first migration makes tables that nobody uses yet: nothing to lock, nothing to break.
linter = MigrationLinter(
    str(ROOT), include_apps=ours, no_cache=True, ignore_initial_migrations=True, quiet=["ok", "ignore"]
)
linter.lint_all_migrations()
linter.print_summary()
sys.exit(1 if linter.has_errors else 0)
