"""What may not stand in a log: addresses that are keys themselves (security.md T29)."""

import logging
import re

#: Addresses whose last part opens something: a calendar feed, the invitation to a household.
_KEYS = re.compile(r"/(calendar|join)/[\w-]{16,}")


class HideKeys(logging.Filter):
    """Puts *** in the place of a secret part of an address, in every record of the handler that it stands on."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True: nothing is left out, only masked."""
        text = record.getMessage()
        masked = _KEYS.sub(r"/\1/***", text)
        if masked != text:
            record.msg, record.args = masked, ()
        return True
