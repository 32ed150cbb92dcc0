"""Times and spans as a person types them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from local.errors import LocalError

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def span_of(text: str, *, option: str) -> timedelta:
    """A time span such as 30s, 10m, 2h, 1d. Raises LocalError naming the option."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise LocalError(f"{option} must be a time span such as 30s, 10m, 2h or 1d, was {text!r}")
    try:
        return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
    except OverflowError:
        raise LocalError(f"{option} is longer than can be, was {text!r}") from None


def since_of(text: str, *, now: datetime, option: str = "--since") -> datetime:
    """A moment: a span before now (2h), or a day or time, local unless it names a zone. Raises LocalError."""
    stripped = text.strip()
    try:
        if _SPAN.fullmatch(stripped):
            return now - span_of(stripped, option=option)
        return datetime.fromisoformat(stripped).astimezone(now.tzinfo)
    except (ValueError, OverflowError, OSError):
        raise LocalError(
            f"{option} must be a time span such as 10m or 2h, or a time such as 2026-11-20T09:00, was {text!r}"
        ) from None
