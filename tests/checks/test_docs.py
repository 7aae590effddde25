"""What readers and browsers rely on: commands that exist, nothing of one machine, templates fit for a strict CSP."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = sorted(
    path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").rglob("*.html")
)

# Built up from parts, so that this file does not contain what it looks for.
FOREIGN = re.compile(
    "|".join(
        [
            r"files\.python" + r"hosted\.org",
            r"py" + r"pi\.org/simple",
            r"registry\." + r"npmjs\.org",
            r"deb\." + r"debian\.org",
            r"(?<![\w.])/(?:work|root)" + r"/[\w.-]+",
            r"/home" + r"/\w+/",
        ]
    )
)
# Pictures of characters from the emoji blocks, and the selector that makes a plain sign one.
EMOJI = re.compile("[\U0001f1e6-\U0001faff\u2600-\u26ff\u2705\u2714\u2716\u274c\u2728\u2764\u2b50\ufe0f]")
INLINE = {
    "style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "style element": re.compile(r"<style[\s>]", re.IGNORECASE),
    "event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "inline script": re.compile(
        r"<script(?![^>]*\ssrc\s*=)(?![^>]*type=\"application/json\")[^>]*>", re.IGNORECASE
    ),
    "javascript: link": re.compile(r"(?:href|action|src)\s*=\s*[\"']?\s*javascript:", re.IGNORECASE),
    "other host": re.compile(r"(?:src|href|action)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE),
}


def tracked() -> list[Path]:
    """Files of the commit, or every file that is not ignored where there is no git."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def markup(name: str) -> str:
    """A template without its Django tags and comments: what reaches the browser."""
    source = (ROOT / "templates" / name).read_text(encoding="utf-8")
    source = re.sub(r"\{% comment.*?endcomment %\}", "", source, flags=re.DOTALL)
    return re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", source)


def test_readme_commands_exist_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    asked = {
        name
        for document in documents
        for name in re.findall(
            r"(?:`|^\s{4}|^)make ([a-z]+)", document.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert asked - targets == set()
    assert {"run", "test"} <= asked


def test_changelog_names_the_version() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert version[1] in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_host_of_a_registry_and_no_path_of_a_machine() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FOREIGN.finditer(text)]
    assert found == []


def test_third_party_code_is_not_committed() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in tracked()]
    assert [
        name for name in names if name.startswith(("node_modules/", "static/vendor/", ".venv/", "var/"))
    ] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_compiles(name: str) -> None:
    assert get_template(name).template.name == name


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_has_nothing_inline(name: str) -> None:
    text = markup(name)
    assert [what for what, pattern in INLINE.items() if pattern.search(text)] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_has_no_emoji(name: str) -> None:
    assert EMOJI.findall((ROOT / "templates" / name).read_text(encoding="utf-8")) == []


def test_fragments_extend_nothing() -> None:
    fragments = [name for name in TEMPLATES if Path(name).name.startswith("_")]
    assert [
        name for name in fragments if "{% extends" in (ROOT / "templates" / name).read_text("utf-8")
    ] == []


def test_gate_can_be_started() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
