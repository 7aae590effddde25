from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hub.core.db import run_write
from hub.members import factors
from hub.members.queries import member_by_email

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Take away the passkeys, the app and the spare codes of the member with this address, and end her sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        member = member_by_email(options["email"])
        if member is None:
            raise CommandError(f"no member with the address {options['email']}")
        count = run_write(lambda: factors.take_away_all(member))
        log.warning("second_factors_reset", hub="", member=member.code, by="command", count=count)
        self.stdout.write(f"{count} factor{'' if count == 1 else 's'} taken away, all sessions ended")
