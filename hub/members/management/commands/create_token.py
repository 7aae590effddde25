from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hub.members.queries import member_by_email
from hub.members.tokens import new_token


class Command(BaseCommand):
    help = "Print a new API token of the member with this e-mail address, and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        member = member_by_email(options["email"])
        if member is None:
            raise CommandError(f"no member with the address {options['email']}")
        self.stdout.write(new_token(member, "cli")[1])
