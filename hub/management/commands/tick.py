import sys

from django.core.management.base import BaseCommand

from hub import tick


class Command(BaseCommand):
    help = "Periodic work: run it every minute (cron, systemd timer); `manage.py serve` does so itself."

    def handle(self, *args: object, **options: object) -> None:
        failed = tick.run()
        if failed:
            self.stderr.write("failed: " + ", ".join(failed))
            sys.exit(1)
