"""Places in a text: numbered sentences to point at, words found again, and a text cut at its marks.

A place is a range of characters of the text as it was sent in. Somebody who types or copies words gets spaces, line ends and
the width of letters wrong, so these are looked over; the range found is exact.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hub.work.models import Correction

_SENTENCE = re.compile(r"[^。！？!?\r\n]*[。！？!?]+[」』）)]*|[^。！？!?\r\n]+")


@dataclass(frozen=True)
class Line:
    """A sentence, or what stands on a line: its number for people, and characters ``[start, end)`` of the text."""

    number: int
    start: int
    end: int
    text: str


@dataclass
class Piece:
    """A stretch of text under the same marks; ``begins`` are those that start here, by their numbers for people."""

    text: str
    is_marked: bool
    begins: list[int] = field(default_factory=list)


def lines(text: str) -> list[Line]:
    """The sentences of ``text`` in their order, without the space around them."""
    found: list[Line] = []
    for match in _SENTENCE.finditer(text):
        said = match.group()
        start = match.start() + len(said) - len(said.lstrip())
        said = said.strip()
        if said:
            found.append(Line(len(found) + 1, start, start + len(said), said))
    return found


def _plain(text: str, start: int, end: int) -> tuple[str, list[int]]:
    """``text[start:end]`` without spaces and widths, and for each character of it where it stands in ``text``."""
    letters: list[str] = []
    places: list[int] = []
    for at in range(start, end):
        for letter in unicodedata.normalize("NFKC", text[at]).lower():
            if not letter.isspace():
                letters.append(letter)
                places.append(at)
    return "".join(letters), places


def places_of(text: str, words: str, within: tuple[int, int] | None = None) -> list[tuple[int, int]]:
    """Every range of ``text`` that says ``words``, from the first to the last; they may overlap."""
    start, end = within or (0, len(text))
    here, places = _plain(text, start, end)
    wanted, _unused = _plain(words, 0, len(words))
    found: list[tuple[int, int]] = []
    at = here.find(wanted) if wanted else -1
    while at >= 0:
        found.append((places[at], places[at + len(wanted) - 1] + 1))
        at = here.find(wanted, at + 1)
    return found


def pieces(text: str, marks: Sequence[Correction] | Iterable[Correction]) -> list[Piece]:
    """``text`` cut where a mark begins or ends; marks are numbered in the order in which they come."""
    rows = list(marks)
    cuts = sorted({0, len(text)} | {row.start for row in rows} | {row.end for row in rows})
    return [
        Piece(
            text[start:end],
            any(row.start <= start < row.end for row in rows),
            [n for n, row in enumerate(rows, 1) if row.start == start],
        )
        for start, end in pairwise(cuts)
    ]
