"""The one error that rules raise. Pages turn it into a sentence, the API into RFC 9457 problem details."""

from typing import Any

from django.utils.functional import Promise


class DomainError(Exception):
    """A refusal: ``code`` for machines, ``message`` for people (lazy, translated when shown), HTTP ``status``.

    ``facts`` carries what the page needs to say more (the limit that binds, the child's code, ...).
    """

    def __init__(self, code: str, message: "str | Promise", status: int = 409, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
