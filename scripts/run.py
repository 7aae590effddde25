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
LOCAL = ("", "127.0.0.1", "0.0.0.0", "::1")  # noqa: S104  compared with, not bound to
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
        manage("collectstatic", "--no-input", "--clear", "--verbosity", "0")
        step.remember()


def main() -> None:
    """Prepare, say where it is, become the server."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    data = Path(os.environ.get("DATA_DIR") or "var")
    data = data if data.is_absolute() else ROOT / data
    os.environ |= {"DATA_DIR": str(data), "HIDAMARI_DEMO": os.environ.get("HIDAMARI_DEMO", "1")}
    if not port.isdigit():
        sys.exit(f"PORT is {port}, but must be a number: make run PORT=8001")
    if port_is_taken(host, int(port)):
        sys.exit(f"Port {port} is in use. Type: make run PORT={int(port) + 1}")
    data.mkdir(parents=True, exist_ok=True)
    collect_static(data)
    manage("migrate", "--verbosity", "0")
    if os.environ["HIDAMARI_DEMO"] == "1":
        manage("load_demo", "--if-empty")
        shown = "localhost" if host in LOCAL else host
        print(f"\n  Hidamari is open:  http://{shown}:{port}")
        print("  Sign in:           misaki@demo.example   password: hidamari-demo")
        print("  Stop:              Ctrl+C   (your data stays in DATA_DIR)\n", flush=True)
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "manage.py", "serve", "--host", host, "--port", port])


if __name__ == "__main__":
    main()
