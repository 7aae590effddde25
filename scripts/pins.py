"""Pinned packages: `update` compiles requirements*.in and package.json, `check` says whether the pins still match.

The pins carry hashes and no URL, so that no mirror of one machine becomes part of the project.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
NAMES = ["requirements", "requirements-pdf", "requirements-dev", "requirements-node"]
PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z0-9,._-]*\])?==(\S+)", re.MULTILINE | re.IGNORECASE)
UV_OPTIONS = [
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--universal",
    "--python-version",
    "3.11",
]


def normal(name: str) -> str:
    """PEP 503 form of a package name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, set[str]]:
    """Package -> pinned versions (a package may be pinned twice under different markers)."""
    found: dict[str, set[str]] = {}
    for name, version in PIN.findall(text):
        found.setdefault(normal(name), set()).add(version)
    return found


def compile_requirements(name: str, output: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run uv; existing pins in `output` are kept where they still fit."""
    # An index of this machine must not decide what the project pins.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("UV_")}
    constraint = [] if name == "requirements" else ["--constraint", "requirements.txt"]
    options = [*UV_OPTIONS, *constraint, *arguments, f"{name}.in", "-o", str(output)]
    command = [str(ROOT / ".venv/bin/uv"), "pip", "compile", "--quiet", *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def update(arguments: list[str]) -> int:
    """Compile everything. `--upgrade` (or `--upgrade-package NAME`) goes to uv."""
    for name in NAMES:
        done = compile_requirements(name, ROOT / f"{name}.txt", *arguments)
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            return 1
    npm = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    if subprocess.run(npm, cwd=ROOT).returncode:
        return 1
    lock = ROOT / "package-lock.json"
    content = json.loads(lock.read_text())
    for package in content["packages"].values():
        package.pop("resolved", None)  # where this machine took it from
        package.pop("funding", None)
    lock.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return check()


def requirements_faults(name: str) -> list[str]:
    """What is wrong with one pinned file, without asking any index."""
    text = (ROOT / f"{name}.txt").read_text()
    pinned = pins(text)
    found = []
    for line in text.splitlines():
        if "://" in line or "--index" in line or "--find-links" in line:
            found.append(f"{name}.txt names a host or a folder: {line.strip()}")
        if PIN.match(line) and not line.endswith("\\"):
            found.append(f"{name}.txt: {line} has no hash")
    for line in (ROOT / f"{name}.in").read_text().splitlines():
        line = line.partition("#")[0].strip()
        if not line or line.startswith("-"):
            continue
        wanted = Requirement(line)
        versions = pinned.get(normal(wanted.name), set())
        if not versions or not all(wanted.specifier.contains(Version(version)) for version in versions):
            found.append(f"{name}.in asks for {line}, {name}.txt has {', '.join(versions) or 'nothing'}")
    return found


def recompile_faults(name: str) -> list[str]:
    """Whether compiling again gives the same pins. Prints why where the index cannot be asked."""
    current = ROOT / f"{name}.txt"
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / current.name
        again.write_text(current.read_text())
        done = compile_requirements(name, again)
        if done.returncode:
            reason = next((line for line in done.stderr.splitlines() if line.strip()), "no reason given")
            if "No solution found" in done.stderr:
                return [f"{name}.in cannot be resolved:\n{done.stderr}"]
            print(f"{name}.txt was not compiled again: {reason.strip()}")
            return []
        old, new = pins(current.read_text()), pins(again.read_text())
    return [
        f"{current.name}: {package} is {' '.join(old.get(package, {'absent'}))}, compiled it is "
        f"{' '.join(new.get(package, {'absent'}))} (make pins)"
        for package in sorted(old.keys() | new.keys())
        if old.get(package) != new.get(package)
    ]


def package_lock_faults() -> list[str]:
    """package-lock.json belongs to package.json, holds integrity hashes and no URL."""
    text = (ROOT / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    wanted = json.loads((ROOT / "package.json").read_text()).get("dependencies", {})
    found = ["package-lock.json names a URL (make pins)"] if "://" in text else []
    if packages[""].get("dependencies", {}) != wanted:
        found.append("package-lock.json is not of this package.json (make pins)")
    found += [
        f"{name} has no integrity hash"
        for name, entry in packages.items()
        if name and "integrity" not in entry
    ]
    found += [
        f"{name} is {packages.get(f'node_modules/{name}', {}).get('version')}, package.json says {version}"
        for name, version in wanted.items()
        if packages.get(f"node_modules/{name}", {}).get("version") != version
    ]
    return found


def check() -> int:
    """Name everything that does not match."""
    found = package_lock_faults()
    for name in NAMES:
        found += requirements_faults(name) or recompile_faults(name)
    run, pdf, dev = (pins((ROOT / f"{name}.txt").read_text()) for name in NAMES[:3])
    found += [
        f"{package} is {' '.join(versions)} to run, {' '.join(dev.get(package, {'absent'}))} to develop"
        for package, versions in (run | pdf).items()
        if dev.get(package) != versions
    ]
    print("\n".join(found) if found else "all pins match")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(update(sys.argv[2:]) if sys.argv[1:2] == ["update"] else check())
