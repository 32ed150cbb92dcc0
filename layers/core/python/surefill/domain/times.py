"""Aware UTC times and ticks. A tick is the scheduled minute a decision belongs to, never the wall clock."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_TIMEFRAME = re.compile(r"^(\d+)([smhdw])$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def require_utc(moment: datetime, *, name: str = "time") -> datetime:
    """Return `moment` in UTC; a naive time raises ValueError, because nobody knows what it means."""
    if moment.tzinfo is None:
        raise ValueError(f"{name} must carry a time zone, was {moment!r}")
    return moment.astimezone(UTC)


def parse_time(text: str) -> datetime:
    """Parse an ISO 8601 time with a zone ("2026-11-20T09:00:00Z")."""
    return require_utc(datetime.fromisoformat(text), name=f"time {text!r}")


def format_time(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds only when there are any; sorts as text within one precision."""
    moment = require_utc(moment)
    text = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def sortable(moment: datetime) -> str:
    """ISO 8601 in UTC, always with milliseconds: text order is time order (for index keys)."""
    return require_utc(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_milliseconds(milliseconds: int) -> datetime:
    """The time `milliseconds` after 1970-01-01 UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970-01-01 UTC."""
    return (require_utc(moment) - _EPOCH) // _MILLISECOND


def minute_of(moment: datetime) -> datetime:
    """The minute a moment lies in."""
    return moment - timedelta(seconds=moment.second, microseconds=moment.microsecond)


def next_multiple(moment: datetime, *, seconds: int) -> datetime:
    """The first multiple of so many seconds since 1970 after a moment: when an interval of that length is next due."""
    step = seconds * 1_000
    return from_milliseconds((to_milliseconds(moment) // step + 1) * step)


def timeframe_seconds(timeframe: str) -> int:
    """Length of a candle in seconds: "1m" -> 60. Raises ValueError for anything else than <number><s|m|h|d|w>."""
    match = _TIMEFRAME.match(timeframe)
    if match is None or int(match[1]) == 0:
        raise ValueError(f"timeframe must look like 1m, 5m, 1h or 1d, was {timeframe!r}")
    return int(match[1]) * _UNITS[match[2]]


def day_of(moment: datetime, *, zone: str | None = None) -> str:
    """The day a moment belongs to, "2026-11-20", in a time zone ("Europe/Berlin"; UTC when None)."""
    utc = require_utc(moment)
    return (utc if zone is None else utc.astimezone(ZoneInfo(zone))).date().isoformat()
