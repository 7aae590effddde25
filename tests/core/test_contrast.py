"""Every pair of colours that the pages use is readable in both themes (WCAG 2.2: 4.5 for text, 3 for controls)."""

import re
from itertools import product
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "static/css/hidamari.css").read_text()
TEXT, GRAPHIC = 4.5, 3.0
GROUNDS = ("paper", "surface", "sunken")
PAIRS = (
    [(ink, ground, TEXT) for ink, ground in product(("ink", "ink-2", "ink-3", "primary", "stop"), GROUNDS)]
    + [(edge, ground, GRAPHIC) for edge, ground in product(("line-strong", "focus"), GROUNDS)]
    + [(f"on-{k}", k, TEXT) for k in ("primary", "care", "event", "warn", "stop", "cream", "hero")]
    + [(f"{k}-ink", f"{k}-soft", TEXT) for k in ("primary", "care", "event", "ok", "warn", "stop")]
    + [(f"{k}-ink", "surface", TEXT) for k in ("primary", "care", "event", "ok", "warn", "stop")]
    + [
        (ink, f"{k}-soft", TEXT)
        for k in ("primary", "care", "ok", "warn", "stop")
        for ink in ("ink", "ink-2")
    ]
    + [(k, "surface", GRAPHIC) for k in ("care", "event", "ok", "stop", "ch1", "ch2")]
    + [("on-hero", "hero-2", TEXT), ("on-hero-2", "hero", TEXT), ("on-hero-2", "hero-2", TEXT)]
    + [("on-primary", "primary-hover", TEXT), ("on-cream", "cream-hover", TEXT), ("paper", "ink", TEXT)]
    + [("sun", "hero", GRAPHIC), ("on-cream", "sun", GRAPHIC), ("focus", "focus-halo", GRAPHIC)]
    + [("ch1", "sunken", GRAPHIC), ("ch2", "sunken", GRAPHIC)]
)


def tokens(selector: str) -> dict[str, str]:
    start = CSS.index(selector)
    block = CSS[CSS.index("{", start) : CSS.index("}", start)]
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", block))


LIGHT = tokens(":root {")
THEMES = {"light": LIGHT, "dark": LIGHT | tokens(':root[data-theme="dark"]')}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", THEMES)
def test_every_pair_of_colours_is_readable(theme: str) -> None:
    found = []
    for ink, ground, least in PAIRS:
        low, high = sorted((luminance(THEMES[theme][ink]), luminance(THEMES[theme][ground])))
        ratio = (high + 0.05) / (low + 0.05)
        if ratio < least:
            found.append(f"{ink} on {ground}: {ratio:.2f} < {least}")
    assert found == []


def test_both_dark_blocks_are_the_same() -> None:
    assert tokens(':root[data-theme="dark"]') == tokens(':root:not([data-theme="light"])')


def test_no_text_is_smaller_than_16_px() -> None:
    sizes = re.findall(r"font-size:\s*([\d.]+)(rem|px|em)", CSS)
    assert [size for size, unit in sizes if float(size) < (16 if unit == "px" else 1)] == []


def test_the_file_asks_for_nothing_from_elsewhere() -> None:
    assert re.findall(r"url\(|@import", CSS) == []
