"""`manage.py serve`: web, live updates and the task worker in one process (design 9, the embedded default)."""

import logging
import os
import signal
import socket
import threading
from argparse import ArgumentParser
from contextlib import suppress
from types import FrameType

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand

from hub import tick
from hub.core.tasks import EmbeddedWorker

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  compared with
STOP_WITHIN = 1  # seconds for open requests, and as many for the worker


class Command(BaseCommand):
    help = "Serve pages, live updates and background tasks in one process. Ctrl+C or SIGTERM stops it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--no-worker", action="store_true", help="no tasks and no tick (a db_worker runs elsewhere)"
        )

    def handle(self, *args: object, host: str, port: int, no_worker: bool, **options: object) -> None:
        addresses = own_addresses() if host in EVERYWHERE else []
        if addresses and "ALLOWED_HOSTS" not in os.environ:
            settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, *addresses]
        shown = "localhost" if host in (*EVERYWHERE, "127.0.0.1", "::1") else host
        if "SITE_URL" not in os.environ:  # links in mails lead to this very server
            settings.SITE_URL = f"http://{shown}:{port}"
        from hub.asgi import application

        server = uvicorn.Server(
            uvicorn.Config(
                application,
                host=host,
                port=port,
                ws_per_message_deflate=False,  # half the memory per open page (dependencies.md 3)
                lifespan="off",
                access_log=False,
                log_level="warning",
                server_header=False,
                timeout_graceful_shutdown=STOP_WITHIN,
            )
        )
        # uvicorn raises the signal once more when it is done; then the worker still has to stop.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _nothing)
        worker = None if no_worker else EmbeddedWorker(tick=tick.run)
        say = threading.Thread(target=self._announce, args=(server, shown, port, addresses), daemon=True)
        if worker is not None:
            worker.start()
        say.start()
        try:
            server.run()
        finally:
            if worker is not None:
                worker.stop(wait=STOP_WITHIN)
            logging.shutdown()
            self.stdout.flush()
        # Python would now wait for every thread of the HTTP pool. What they do is in transactions, and a task that
        # is cut off is tried again: leaving is as safe as a power cut, and nobody waits at the prompt.
        os._exit(0 if server.started else 1)

    def _announce(self, server: uvicorn.Server, shown: str, port: int, addresses: list[str]) -> None:
        """One line once the port is open, so that who reads it can connect."""
        pause = threading.Event()
        while not server.started and not server.should_exit:
            pause.wait(0.02)
        if not server.started:
            return
        self.stdout.write(f"Serving at http://{shown}:{port}  (Ctrl+C stops it)")
        for address in addresses:
            self.stdout.write(f"On a phone in the same network: http://{address}:{port}")
        if addresses:
            self.stdout.write(
                "The camera needs https or localhost. By USB cable: adb reverse "
                f"tcp:{port} tcp:{port}, then open http://localhost:{port} on the phone."
            )
        self.stdout.flush()


def _nothing(signum: int, _frame: FrameType | None) -> None:
    """uvicorn has its own handlers while it runs."""


def own_addresses() -> list[str]:
    """IPv4 addresses and the name under which other machines reach this one. Sends nothing."""
    found: list[str] = []
    name = socket.gethostname()
    with suppress(OSError):
        found += socket.gethostbyname_ex(name)[2]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # RFC 5737: asks the routing table, no packet leaves
        found.append(probe.getsockname()[0])
    addresses = [address for address in dict.fromkeys(found) if not address.startswith("127.")]
    return [*addresses, name]
