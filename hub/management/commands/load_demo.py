from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hub.demo import loader
from hub.demo.data import DOMAIN


class Command(BaseCommand):
    help = (
        "Load the demo: two made-up hubs, the cast and their bookings. Run again, it fills the next two weeks. "
        "Refuses where real people have accounts."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="for `make run`: where the demo is loaded, fill its next two weeks, also when visitors signed up; "
            "leave a database of real people alone, without an error",
        )

    def handle(self, *args: object, if_empty: bool, **options: object) -> None:
        try:
            report = loader.load(top_up_only=if_empty and settings.HIDAMARI_DEMO)
        except loader.NotADemo:
            if if_empty:
                return
            raise CommandError(
                "This database holds people who are not of the demo, so the demo was not loaded. Nothing was changed. "
                "Use another folder: make run DATA_DIR=var-demo"
            ) from None
        if report.fresh and not settings.HIDAMARI_DEMO:
            self.stderr.write(
                "The demo's people have a public password. Do not use this database for real people."
            )
        if options["verbosity"]:
            made = "Loaded the demo" if report.fresh else "The demo is loaded"
            self.stdout.write(
                f"{made}: {report.booked} bookings made. Sign in as misaki@{DOMAIN}, password {settings.DEMO_PASSWORD}"
            )
