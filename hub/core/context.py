"""What every page knows: the product's name, the telephone number to call, whether this is the demo."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "product_name": settings.PRODUCT_NAME,
        "help_phone": settings.HELP_PHONE,
        "demo": settings.HIDAMARI_DEMO,
    }
