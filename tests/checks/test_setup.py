"""Set-up on machines that lack something: the one command to type is named, and finished steps are not repeated."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import pins
from scripts.setup import Step

ROOT = Path(__file__).resolve().parent.parent.parent


def find_python(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run find_python.sh on a machine whose only python3 is `script`, and which has apt-get."""
    commands = folder / "bin"
    commands.mkdir()
    for name, text in {
        "python3": script,
        "apt-get": "exit 0",
        "apt-cache": "exit 1",
        "id": "echo 1000",
    }.items():
        (commands / name).write_text(f"#!/bin/sh\n{text}\n")
        (commands / name).chmod(0o755)
    return subprocess.run(
        [shutil.which("sh") or "/bin/sh", ROOT / "scripts" / "find_python.sh"],
        cwd=folder,
        env={"PATH": str(commands)},
        capture_output=True,
        text=True,
    )


def test_python_found_is_printed(tmp_path: Path) -> None:
    done = find_python(tmp_path, "exit 0")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/bin/python3\n")


def test_old_python_names_the_command(tmp_path: Path) -> None:
    done = find_python(tmp_path, "exit 1")
    assert done.returncode == 1
    assert "Hidamari needs Python 3.11 or newer; none was found." in done.stderr
    assert "\n    sudo apt-get install -y python3-venv\n" in done.stderr


def test_missing_venv_module_names_the_command(tmp_path: Path) -> None:
    script = 'case "$2" in *ensurepip*) exit 1;; *print*) echo 3.12;; esac; exit 0'
    done = find_python(tmp_path, script)
    assert done.returncode == 1
    assert "Python 3.12 is here, but its venv module is not." in done.stderr
    assert "\n    sudo apt-get install -y python3.12-venv\n" in done.stderr


def test_step_is_done_until_its_input_changes(tmp_path: Path) -> None:
    source, made = tmp_path / "in", tmp_path / "out"
    source.write_text("1")
    made.write_text("x")

    def step() -> Step:
        return Step("name", [source], [made], folder=tmp_path)

    assert not step().done
    step().remember()
    assert step().done
    source.write_text("2")
    assert not step().done


def test_step_is_repeated_when_what_it_made_is_gone(tmp_path: Path) -> None:
    made = tmp_path / "out"
    step = Step("name", [], [made], folder=tmp_path)
    step.remember()
    assert not step.done


def test_pinned_files_carry_hashes_and_no_host() -> None:
    assert [fault for name in pins.NAMES for fault in pins.requirements_faults(name)] == []
    assert pins.package_lock_faults() == []


@pytest.mark.parametrize(
    "target", ["run", "test", "check", "messages", "bench", "soak", "screenshots", "pins"]
)
def test_make_target_exists(target: str) -> None:
    env = {**os.environ, "MAKEFLAGS": ""}
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stderr) == (0, "")
