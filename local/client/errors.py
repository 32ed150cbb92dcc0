"""What can go wrong between a person and the API, each said in one sentence."""

from __future__ import annotations

from typing import Any

from local.errors import LocalError


class RefusedError(LocalError):
    """The API refused a request. `field` names the part of it that must change, "" when no single one does."""

    def __init__(self, message: str, *, status: int, field: str = "", body: Any = None) -> None:
        self.status = status
        self.field = field
        self.body = body
        super().__init__(message)


class UnreachableError(LocalError):
    """Nobody answered, or not usefully: it is not known whether a change was made."""


def refusal(*, status: int, body: Any) -> RefusedError:
    """A 4xx answer as one sentence that names the field."""
    told = body if isinstance(body, dict) else {}
    field = str(told.get("field") or "")
    detail = str(told.get("detail") or told.get("message") or told.get("title") or body or "no reason given")
    if status in (401, 403) and not field:
        detail = f"these credentials may not call the API ({detail}): use a role that has execute-api:Invoke on it"
    sentence = f"{field}: {detail}" if field and field not in detail else detail
    return RefusedError(sentence, status=status, field=field, body=body)
