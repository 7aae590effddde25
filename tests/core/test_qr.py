"""The QR code as one path of an SVG."""

import pytest

from hub.core import qr


@pytest.mark.parametrize("text", ["x", "otpauth://totp/x?secret=" + "A" * 32, "HP1." + "7" * 150])
def test_square_is_one_path_with_room_around(text: str) -> None:
    drawn = qr.square(text)
    assert (drawn.modules - 17) % 4 == 0  # 21, 25, 29 ... (ISO/IEC 18004)
    assert drawn.box == f"-4 -4 {drawn.modules + 8} {drawn.modules + 8}"
    finder = [f"M0 {y}h7v1h-7z" for y in (0, 6)]  # the outer ring of the first finder pattern
    assert all(line in drawn.path for line in finder)
