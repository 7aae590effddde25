"""A page as PDF, where WeasyPrint and Pango are installed (requirements-pdf.txt). Everything else works without them."""

import logging
from functools import cache
from pathlib import Path
from typing import Any

_STYLE = Path(__file__).with_name("statement.css")


@cache
def _weasyprint() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError):  # the package is an extra; without Pango it is there and does not load
        return None
    logging.getLogger("weasyprint").setLevel(logging.WARNING)  # it tells every step of every page
    return weasyprint


def available() -> bool:
    """Whether this machine can write a PDF."""
    return _weasyprint() is not None


def render(html: str) -> bytes:
    """The document as PDF with its fonts in it. Nothing is fetched, whatever stands in ``html``: no scheme is allowed."""
    from weasyprint.urls import URLFetcher

    closed = URLFetcher(allowed_protocols=())
    style = _weasyprint().CSS(string=_STYLE.read_text(encoding="utf-8"), url_fetcher=closed)
    written: bytes = _weasyprint().HTML(string=html, url_fetcher=closed).write_pdf(stylesheets=[style])
    return written
