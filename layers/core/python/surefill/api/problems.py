"""Refusals as problem documents (RFC 9457) that name the field."""

import json
from http import HTTPStatus

CONTENT_TYPE = "application/problem+json"


def problem(*, status: int, field: str, message: str) -> str:
    """A problem document as JSON."""
    return json.dumps({"title": HTTPStatus(status).phrase, "status": status, "field": field, "detail": message})
