"""The texts of the site: `update` collects them, `check` finds gaps, `merge` takes translations, `compile` builds .mo.

Done with Babel, so nobody needs GNU gettext. The msgids are Japanese and Japanese needs no catalogue; English is
committed as locale/en/LC_MESSAGES/django.po, sorted, with file names and without dates, so that diffs stay small.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"

Key = tuple[str, str | None]  # msgid (singular), context
HEADER = """\
msgid ""
msgstr ""
"Project-Id-Version: Hidamari\\n"
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""

# What babel calls keywords: which arguments hold msgid, plural and ("c") context.
PLAIN, PLURAL, CONTEXT, CONTEXT_PLURAL = None, (1, 2), ((1, "c"), 2), ((1, "c"), 2, 3)
KEYWORDS = {
    "_": PLAIN,
    "gettext": PLAIN,
    "gettext_lazy": PLAIN,
    "gettext_noop": PLAIN,
    "ngettext": PLURAL,
    "ngettext_lazy": PLURAL,
    "pgettext": CONTEXT,
    "pgettext_lazy": CONTEXT,
    "npgettext": CONTEXT_PLURAL,
    "npgettext_lazy": CONTEXT_PLURAL,
}

NAMED = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
POSITIONAL = re.compile(r"(?<!%)(?:%%)*%([sd])")
JAPANESE = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff]")
SENTENCE = re.compile("\\w。|ください|ません|です$|ます$")
OWN_NAMES = "日本語"  # a language is named in itself, whatever the page's language
SAMPLES = (
    "styleguide",
    "demo",
)  # names of files with sample texts: the gallery of components, the demo's data


def extract_source(source: str) -> Iterator[tuple[str | tuple[str, str], str | None]]:
    """Yield (msgid or (msgid, plural), context) for every call of KEYWORDS in Python source."""
    # Babel annotates what extract() yields; extract_python() yields (line, function, text or texts, comments).
    calls = cast(
        Iterable[tuple[int, str, Any, Any]], extract_python(BytesIO(source.encode()), KEYWORDS, (), {})
    )
    for _line, name, found, _comments in calls:
        arguments: list[str | None] = list(found) if isinstance(found, tuple) else [found]
        spec = KEYWORDS[name] or (1,)
        picked: list[str] = []
        context: str | None = None
        for argument in spec:
            index = argument[0] if isinstance(argument, tuple) else argument
            text = arguments[index - 1] if index <= len(arguments) else None
            if not text:
                break  # a variable, not a literal: nothing to collect
            if isinstance(argument, tuple):
                context = text
            else:
                picked.append(text)
        else:
            yield (picked[0] if len(picked) == 1 else (picked[0], picked[1])), context


def extract_template(source: str) -> Iterator[tuple[str | tuple[str, str], str | None]]:
    """The same for a Django template. Django's own `templatize` turns the tags into gettext calls, one a line here."""
    calls = "\n".join(line.strip() for line in templatize(source).splitlines())
    yield from extract_source(calls)


def untranslatable(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of Japanese text in a template that stands outside the translation tags."""
    inside = ""
    for token in Lexer(re.sub(r"\{#.*?#\}", "", source)).tokenize():
        if token.token_type == TokenType.BLOCK:
            name = token.contents.split()[0]
            if inside:
                inside = "" if name == f"end{inside}" else inside
            elif name in ("blocktranslate", "blocktrans", "comment"):
                inside = name
        elif token.token_type == TokenType.TEXT and not inside:
            for offset, line in enumerate(token.contents.splitlines()):
                if JAPANESE.search(line.replace(OWN_NAMES, "")):
                    yield (token.lineno or 0) + offset, line.strip()


def sources(root: Path) -> Iterator[Path]:
    """Files that may hold texts, in a stable order."""
    yield from sorted(
        path
        for path in (root / "hub").rglob("*.py")
        if "migrations" not in path.parts and not path.name.startswith(SAMPLES)
    )
    yield from sorted(
        path
        for path in (root / "templates").rglob("*")
        if path.suffix in (".html", ".txt", ".ics") and not path.name.startswith(SAMPLES)
    )


def collect(root: Path = ROOT) -> Catalog:
    """The catalogue of everything the code and the templates say, without translations."""
    catalogue = Catalog()
    for path in sources(root):
        source = path.read_text(encoding="utf-8")
        try:
            found = list(extract_source(source) if path.suffix == ".py" else extract_template(source))
        except SyntaxError as error:
            raise SystemExit(f"{path.relative_to(root)}: {error}") from error
        for msgid, context in found:
            catalogue.add(msgid, locations=[(path.relative_to(root).as_posix(), 0)], context=context)
    return catalogue


def messages(catalogue: Catalog) -> Iterator[Message]:
    """All entries but the header."""
    return (message for message in catalogue if message.id)


def key(message: Message) -> Key:
    """What Django looks a text up by."""
    return (message.id if isinstance(message.id, str) else message.id[0]), message.context


def texts(message: Message) -> tuple[str, ...]:
    """The translations of an entry: one, or one per plural form."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def load(path: Path) -> dict[Key, Message]:
    """Read a .po file; a missing one is empty."""
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return {key(message): message for message in messages(read_po(file, abort_invalid=True))}


def po_files() -> list[Path]:
    """The catalogues of the repository."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po")) or [LOCALE / "en" / "LC_MESSAGES" / "django.po"]


def save(path: Path, catalogue: Catalog) -> None:
    """Write a .po file: sorted, file names only, no dates."""
    body = BytesIO()
    write_po(body, catalogue, width=110, omit_header=True, sort_output=True, include_lineno=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER.format(language=path.parts[-3]) + body.getvalue().decode(), encoding="utf-8")


def filled(known: dict[Key, Message]) -> Catalog:
    """The collected texts with the translations of `known`; obsolete ones are dropped, a changed plural is emptied."""
    catalogue = collect()
    for message in messages(catalogue):
        old = known.get(key(message))
        if old is not None and isinstance(old.id, str) == isinstance(message.id, str):
            message.string = old.string
    return catalogue


def update() -> int:
    """Collect the texts into each catalogue, keep what is translated."""
    for path in po_files():
        catalogue = filled(load(path))
        save(path, catalogue)
        empty = sum(not all(texts(message)) for message in messages(catalogue))
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {empty} to translate")
    return 0


def merge(files: Iterable[Path]) -> int:
    """Take translations from other .po files. The last file wins; differences and unknown msgids are named."""
    path = LOCALE / "en" / "LC_MESSAGES" / "django.po"
    known = load(path)
    wanted = {key(message) for message in messages(collect())}
    for file in files:
        for msgid, message in load(file).items():
            if not all(texts(message)):
                continue
            if msgid not in wanted:
                print(f"{file.name}: not in the code (any more): {msgid[0]}")
            old = known.get(msgid)
            if old is not None and all(texts(old)) and old.string != message.string:
                print(f"{file.name}: {msgid[0]}\n    was {old.string!r}\n    now {message.string!r}")
            known[msgid] = message
    save(path, filled(known))
    return update()


def compile_all() -> int:
    """Build django.mo beside each django.po."""
    for path in po_files():
        if path.exists():
            with path.open("rb") as source, path.with_suffix(".mo").open("wb") as target:
                write_mo(target, read_po(source, abort_invalid=True))
    return 0


def placeholders(text: str) -> tuple[set[str], Counter[str]]:
    """Names of `%(name)s` and `{name}`, and how often `%s` and `%d` stand in a text."""
    return {a or b for a, b in NAMED.findall(text)}, Counter(POSITIONAL.findall(NAMED.sub("", text)))


def placeholder_faults(message: Message) -> Iterator[str]:
    """What would go wrong, or missing, when this entry's translations are filled in."""
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    names, positions = set[str](), placeholders(ids[-1])[1]
    for text in ids:
        names |= placeholders(text)[0]
    for form, text in enumerate(texts(message)):
        has, has_positions = placeholders(text)
        for name in sorted(has - names):
            yield f"{name} is not in the original"
        # "one child" may leave the number out; every other form needs all of it.
        for name in sorted(names - has) if len(ids) == 1 or form > 0 else ():
            yield f"{name} is missing"
        if has_positions != positions:
            yield "%s or %d differ"
        if any("%(" in original for original in ids):
            try:
                text % dict.fromkeys(names | has, 1)
            except (ValueError, TypeError):
                yield "a % that is not doubled"


def faults(catalogue: Catalog, known: dict[Key, Message]) -> list[str]:
    """Everything that keeps a catalogue from being complete, one sentence each."""
    wanted = {key(message): message for message in messages(catalogue)}
    found = [f"not in the catalogue: {msgid}" for msgid, _ in wanted if (msgid, _) not in known]
    for (msgid, context), message in known.items():
        source = wanted.get((msgid, context))
        if source is None:
            found.append(f"no longer used: {msgid}")
        elif isinstance(source.id, str) != isinstance(message.id, str) or (
            not isinstance(source.id, str) and source.id[1] != message.id[1]
        ):
            found.append(f"plural differs from the code: {msgid}")
        elif message.fuzzy:
            found.append(f"fuzzy: {msgid}")
        elif not all(texts(message)):
            found.append(f"not translated: {msgid}")
        else:
            found.extend(f"{fault}: {msgid}" for fault in placeholder_faults(message))
    return found


def python_faults(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, what is wrong): a text formatted before it is looked up, a sentence that is never looked up."""
    tree = ast.parse(source)
    fine: set[ast.AST] = set()  # docstrings, and whatever stands inside a translation call
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            fine.add(node.value)
        elif isinstance(node, ast.Call) and node.args:
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in KEYWORDS:
                fine.update(ast.walk(node))
                if isinstance(node.args[0], ast.JoinedStr | ast.BinOp):
                    yield node.lineno, "formatted before translation"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or node in fine or not isinstance(node.value, str):
            continue
        if SENTENCE.search(node.value):
            yield node.lineno, f"outside gettext: {node.value}"


def check() -> int:
    """Name every gap: untranslated, missing, obsolete, fuzzy, wrong placeholders, Japanese outside the tags."""
    catalogue = collect()
    found = []
    for path in po_files():
        found += [f"{path.parts[-3]}: {fault}" for fault in faults(catalogue, load(path))]
    for path in sources(ROOT):
        source, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT)
        if path.is_relative_to(ROOT / "hub" / "demo"):
            continue  # what the demo writes into its database is data of a Japanese hub
        if path.suffix == ".py":
            found += [f"{name}:{line}: {fault}" for line, fault in python_faults(source)]
        else:
            found += [
                f"{name}:{line}: outside {{% translate %}}: {text}" for line, text in untranslatable(source)
            ]
    print("\n".join(found) if found else f"{len(catalogue)} texts, all translated")
    return 1 if found else 0


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=["update", "check", "merge", "compile"])
    parser.add_argument("files", nargs="*", type=Path, help="for merge: .po files")
    options = parser.parse_args()
    if not settings.configured:
        settings.configure(USE_I18N=True)  # templatize and the Lexer want Django, not the site
        django.setup()
    if options.command == "merge":
        return merge(options.files)
    return {"update": update, "check": check, "compile": compile_all}[options.command]()


if __name__ == "__main__":
    sys.exit(main())
