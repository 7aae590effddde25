"""A text as a QR code, drawn by the server: one path of an inline SVG, no image, nothing to load."""

from dataclasses import dataclass

from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M

QUIET = 4  # modules of white around the code (ISO/IEC 18004)


@dataclass(frozen=True)
class Square:
    """A QR code in SVG units of one module: ``modules`` a side without the quiet zone, ``path`` of the dark ones."""

    modules: int
    path: str

    @property
    def size(self) -> int:
        """Modules a side, quiet zone included."""
        return self.modules + 2 * QUIET

    @property
    def box(self) -> str:
        """The viewBox: the code and its quiet zone."""
        return f"-{QUIET} -{QUIET} {self.size} {self.size}"


def square(text: str) -> Square:
    """``text`` as a QR code, row by row.

    Error correction M: phones are read in calm places, and level Q would make the modules of a small phone smaller.
    """
    code = QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make(fit=True)
    parts = []
    for y, row in enumerate(code.modules):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                parts.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
            x += 1
    return Square(len(code.modules), "".join(parts))
