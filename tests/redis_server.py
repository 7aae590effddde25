"""A private Redis for one test: a Unix socket in a folder of its own, nothing on disk, gone afterwards."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tests import plugin


class Server:
    """`url` for REDIS_URL. It can be killed, started again at the same place, and made to answer nothing."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "redis.sock"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", "", "--appendonly", "no"]
        command = [str(plugin.redis_server()), *options, "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 15
        with Redis(unix_socket_path=str(self._socket)) as client:
            while True:
                try:
                    client.ping()
                except RedisError:
                    assert time.monotonic() < end, "Redis did not start"
                    time.sleep(0.05)
                else:
                    return

    def kill(self) -> None:
        """As a power cut."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(10)

    def hang(self) -> None:
        """Connections stay, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def running() -> Iterator[Server]:
    """A server that runs; whatever became of it, it is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="hidamari-redis-", dir="/tmp"))  # socket paths are short
    server = Server(folder)
    try:
        server.start()
        yield server
    finally:
        if server._process is not None and server._process.poll() is None:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)
