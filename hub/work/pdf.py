"""A page as PDF, where WeasyPrint and Pango are installed (requirements-pdf.txt). Everything else works without them."""

from functools import cache
from typing import Any


@cache
def _weasyprint() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError):  # the package is an extra; without Pango it is there and does not load
        return None
    return weasyprint


def available() -> bool:
    """Whether this machine can write a PDF."""
    return _weasyprint() is not None


class Closed(Exception):
    """A document asked for a file or an address: ours hold everything in themselves."""


def _fetch(*_args: Any, **_kwargs: Any) -> Any:
    raise Closed


def render(html: str) -> bytes:
    """The document as PDF with its fonts in it. Nothing is fetched, whatever stands in ``html``."""
    document = _weasyprint().HTML(string=html, url_fetcher=_fetch)
    written: bytes = document.write_pdf()
    return written
