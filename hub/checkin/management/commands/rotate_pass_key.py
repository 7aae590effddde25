from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hub.checkin import keys
from hub.spaces.models import Hub


class Command(BaseCommand):
    help = "Make a new key for the passes of a hub. --revoke: the old ones were stolen and open no door any more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("hub", help="the hub's slug")
        parser.add_argument("--revoke", action="store_true", help="refuse passes of the old keys at once")

    def handle(self, *args: Any, **options: Any) -> None:
        slug: str = options["hub"]
        if not Hub.objects.filter(slug=slug).exists():
            raise CommandError(f"no hub {slug}")
        old = [key.kid for key in keys.ring().values() if key.hub == slug and not key.is_revoked]
        made = keys.rotate(slug, revoke=options["revoke"])
        self.stdout.write(f"{slug}: key {made.kid} signs from now on.")
        if not old:
            return
        named = ", ".join(str(kid) for kid in sorted(old))
        if options["revoke"]:
            self.stdout.write(f"Revoked: {named}. Phones must open their pass again with a connection.")
        else:
            self.stdout.write(
                f"Still accepted for {keys.OVERLAP.days} days after each was replaced: {named}."
            )
