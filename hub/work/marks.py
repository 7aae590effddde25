"""A text with the passages that corrections mark, cut so that a page can show them. Passages may overlap."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from hub.work.models import Correction


@dataclass(frozen=True)
class Numbered:
    """A correction with its number in the text, from 1."""

    number: int
    row: Correction


@dataclass
class Piece:
    """Some characters of the text: the marks that begin with it, that cover it, and that end with it."""

    text: str
    begins: list[Numbered] = field(default_factory=list)
    covers: list[Numbered] = field(default_factory=list)
    ends: list[Numbered] = field(default_factory=list)


def numbered(corrections: Iterable[Correction]) -> list[Numbered]:
    """In the order of the text, counted from 1."""
    rows = sorted(corrections, key=lambda row: (row.start, row.end, row.pk))
    return [Numbered(number, row) for number, row in enumerate(rows, 1)]


def pieces(text: str, marks: list[Numbered]) -> list[Piece]:
    """``text`` cut wherever a mark begins or ends; put together again it is ``text``."""
    cuts = {0, len(text)}
    for mark in marks:
        cuts |= {min(mark.row.start, len(text)), min(mark.row.end, len(text))}
    found = []
    for start, end in pairwise(sorted(cuts)):
        covers = [mark for mark in marks if mark.row.start <= start and end <= mark.row.end]
        found.append(
            Piece(
                text[start:end],
                [mark for mark in covers if mark.row.start == start],
                covers,
                [mark for mark in covers if mark.row.end == end],
            )
        )
    return found
