"""`make run` after set-up: prepare the data folder, load the demo once, serve in one process.

PORT, HOST and DATA_DIR come from the Makefile. Everything that is written goes under DATA_DIR; a second run keeps it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVERYWHERE = "0.0.0.0"  # noqa: S104  only what a person asks for with HOST=
LOCAL = ("127.0.0.1", "::1", EVERYWHERE)
sys.path.insert(0, str(ROOT))

from scripts.setup import Step, say  # noqa: E402  (started as a file, so the path comes first)


def manage(*arguments: str) -> None:
    """Run a management command; on failure its output is already on the screen, so just leave."""
    code = subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT).returncode
    if code:
        sys.exit(code)


def port_is_taken(host: str, port: int) -> bool:
    """Whether somebody listens there already (another `make run`, most likely)."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def collect_static(data: Path) -> None:
    """Copy, hash and compress the static files, when one of them or a package changed."""
    files = sorted(path for path in (ROOT / "static").rglob("*") if path.is_file())
    names = "\n".join(str(path.relative_to(ROOT)) for path in files)
    step = Step("static", [ROOT / "requirements.txt", *files], [data / "static"], extra=names, folder=data)
    if not step.done:
        say("collecting the static files")
        # The API's pages are Swagger's; ninja's second viewer is as big as everything else together.
        manage("collectstatic", "--no-input", "--clear", "--verbosity", "0", "--ignore", "redoc*")
        step.remember()


def own_address() -> str:
    """This machine's address in its network, for a phone beside it; nothing is sent to find it out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: an address of documentation, nobody has it
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def welcome(host: str, port: str) -> None:
    """Where it is and who can sign in."""
    print(f"\n  Hidamari is open:  http://{'localhost' if host in LOCAL else host}:{port}")
    if host == EVERYWHERE:
        print(
            f"  On a phone:        http://{own_address()}:{port}   in the same network; its camera needs https, or"
        )
        print(
            f"                     a cable and: adb reverse tcp:{port} tcp:{port}, then http://localhost:{port}"
        )
    print("  Sign in:           misaki@demo.example   password: hidamari-demo")
    print("  Stop:              Ctrl+C   (what you did stays in DATA_DIR)\n", flush=True)


def main() -> None:
    """Prepare, say where it is, become the server."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not port.isdigit():
        sys.exit(f"PORT is {port}, but must be a number: make run PORT=8001")
    if port_is_taken(host, int(port)):
        sys.exit(f"Port {port} is in use. Type: make run PORT={int(port) + 1}")
    data = ROOT / (os.environ.get("DATA_DIR") or "var")
    data.mkdir(parents=True, exist_ok=True)
    names = {"localhost", "127.0.0.1", "[::1]", own_address() if host == EVERYWHERE else host}
    defaults = {
        "HIDAMARI_DEMO": "1",
        "ALLOWED_HOSTS": ",".join(sorted(names)),
        "SITE_URL": f"http://localhost:{port}",
    }
    os.environ.update({**defaults, **os.environ, "DATA_DIR": str(data)})
    collect_static(data)
    manage("migrate", "--verbosity", "0")
    if os.environ["HIDAMARI_DEMO"] == "1":
        manage("load_demo", "--if-empty")
        welcome(host, port)
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "manage.py", "serve", "--host", host, "--port", port])


if __name__ == "__main__":
    main()
