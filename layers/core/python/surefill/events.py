"""What wakes a function, checked: a schedule's tick."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from surefill.domain.times import parse_time


class EventError(ValueError):
    """The event is not what this function is woken by."""


def scheduled_tick(event: Mapping[str, Any], *, schedule: str) -> datetime:
    """The tick of a schedule's event: its scheduled time, on the minute. The same however often it is delivered."""
    if event.get("schedule") != schedule:
        raise EventError(f"event must be of schedule {schedule!r}, was {event.get('schedule')!r}")
    text = event.get("scheduled_time")
    try:
        moment = parse_time(str(text))
    except ValueError as error:
        raise EventError(f"scheduled_time must be a time with a zone, was {text!r}") from error
    return moment - timedelta(seconds=moment.second, microseconds=moment.microsecond)
