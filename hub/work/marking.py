"""Places in a text: numbered sentences to point at, and words found again.

A place is a range of characters of the text as it was sent in. Somebody who types or copies words gets spaces, line ends and
the width of letters wrong, so these are looked over; the range found is exact.
"""

import re
import unicodedata
from dataclasses import dataclass

_SENTENCE = re.compile(r"[^。！？!?\r\n]*[。！？!?]+[」』）)]*|[^。！？!?\r\n]+")


@dataclass(frozen=True)
class Line:
    """A sentence, or what stands on a line: its number for people, and characters ``[start, end)`` of the text."""

    number: int
    start: int
    end: int
    text: str


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
