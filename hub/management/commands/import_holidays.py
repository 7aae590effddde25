"""`manage.py import_holidays [--year 2027] [--hub ekimae] [--confirm]`: the yearly import of RULE-33."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub.booking.closures import import_holidays
from hub.booking.conflicts import VisitsAffected
from hub.core import clock
from hub.core.errors import DomainError
from hub.spaces.models import Hub


class Command(BaseCommand):
    help = "Imports Japanese holidays and 29 December to 3 January into the table of each hub."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--year", type=int, help="this year and the next one when left out")
        parser.add_argument("--hub", help="slug of one hub; all when left out")
        parser.add_argument(
            "--confirm", action="store_true", help="end visits that lie on a new closed day, with a mail"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        hubs = Hub.objects.order_by("pk")
        if options["hub"]:
            hubs = hubs.filter(slug=options["hub"])
            if not hubs.exists():
                raise CommandError(f"no hub {options['hub']!r}")
        refused = []
        for hub in hubs:
            this_year = clock.today(hub.tz).year
            for year in [options["year"]] if options["year"] else [this_year, this_year + 1]:
                try:
                    count, changed = import_holidays(hub=hub, year=year, confirm=options["confirm"])
                except VisitsAffected as error:
                    affected = [visit for _what, visit in error.changed.touched] + error.changed.inside
                    codes = ", ".join(visit.code for visit in affected)
                    refused.append(f"{hub.slug} {year}: nothing imported, visits lie on these days: {codes}")
                    continue
                except DomainError as error:
                    raise CommandError(f"{hub.slug} {year}: {error}") from None
                ended = f", {len(changed.ended)} visits ended" if changed.ended else ""
                self.stdout.write(f"{hub.slug} {year}: {count} days{ended}")
        if refused:
            raise CommandError(
                "\n".join([*refused, "Run again with --confirm to end those visits with a mail."])
            )
