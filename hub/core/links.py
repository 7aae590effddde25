"""Absolute links for mails and calendar files, in the reader's language."""

from django.conf import settings
from django.urls import reverse
from django.utils import translation


def absolute(name: str, *args: str, language: str = "ja") -> str:
    """The full address of a page by URL name."""
    with translation.override(language):
        return f"{settings.SITE_URL.rstrip('/')}{reverse(name, args=args)}"
