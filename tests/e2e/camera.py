"""A camera that sees what a test wants: a video file of a QR for Chromium's fake camera, and the browser that has it.

Raw frames (YUV4MPEG2), so that no picture library is needed. The file plays again and again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

import qrcode
from playwright.sync_api import Browser, Playwright

from tests import plugin

WIDTH, HEIGHT = 640, 480
WALL = 200  # grey of what is around the code


def picture(text: str, *, module: int = 8, blur: int = 0) -> bytes:
    """Brightness of a frame with the QR of ``text`` in its middle; ``blur`` is the radius in pixels."""
    code = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    side = len(matrix) * module
    assert side <= HEIGHT
    left, top = (WIDTH - side) // 2, (HEIGHT - side) // 2
    rows = [[WALL] * WIDTH for _ in range(HEIGHT)]
    for y, line in enumerate(matrix):
        drawn = [16 if dark else 235 for dark in line for _ in range(module)]
        for n in range(module):
            rows[top + y * module + n][left : left + side] = drawn
    return blurred(rows, blur)


def blurred(rows: Sequence[Sequence[int]], radius: int) -> bytes:
    """A frame of these rows of brightness, each pixel the mean of its square; 0 leaves it sharp."""
    if radius:
        rows = _smooth(rows, radius)
        columns = _smooth([list(column) for column in zip(*rows, strict=True)], radius)
        rows = [list(row) for row in zip(*columns, strict=True)]
    return bytes(value for row in rows for value in row)


def _smooth(rows: Sequence[Sequence[int]], radius: int) -> list[list[int]]:
    """Each value the mean of its neighbours in the row."""
    out = []
    for row in rows:
        sums = [0, *accumulate(row)]
        last = len(row)
        ends = [(max(0, n - radius), min(last, n + radius + 1)) for n in range(last)]
        out.append([(sums[b] - sums[a]) // (b - a) for a, b in ends])
    return out


def film(path: Path, frames: Sequence[bytes]) -> Path:
    """A video of these frames at 15 a second."""
    colourless = bytes([128]) * (WIDTH * HEIGHT // 2)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F15:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            file.write(b"FRAME\n" + frame + colourless)
    return path


def of_code(path: Path, text: str, *, blur: int = 0) -> Path:
    """Half a second of wall, then the code for a while."""
    empty, code = bytes([WALL]) * (WIDTH * HEIGHT), picture(text, blur=blur)
    return film(path, [empty] * 7 + [code] * 30)


@contextmanager
def seeing(playwright: Playwright, video: Path | None) -> Iterator[Browser]:
    """Chromium whose camera plays ``video``; None: it has a camera, and nobody allows it."""
    arguments = ["--no-sandbox", "--use-fake-device-for-media-stream"]
    if video is not None:
        arguments += ["--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={video}"]
    browser = playwright.chromium.launch(executable_path=plugin.chromium(), args=arguments)
    try:
        yield browser
    finally:
        browser.close()
