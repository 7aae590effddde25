"""A text as a QR code in SVG units, drawn by the server: one path, no image, nothing to load."""

from functools import lru_cache

from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M

QUIET = 4  # modules of white around the code (ISO/IEC 18004)


@lru_cache(maxsize=512)
def drawing(text: str) -> tuple[int, str]:
    """The width in modules (without the quiet zone) and the path of the dark ones, row by row.

    Error correction M: a hub's door is a calm place, and level Q would make the modules of a small phone smaller.
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
    return len(code.modules), "".join(parts)
