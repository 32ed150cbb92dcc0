"""What wakes a function, checked: a schedule's tick, or a request to import trades."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from surefill.domain.times import format_time, parse_time


class EventError(ValueError):
    """The event is not what this function is woken by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """Which past trades of an account are to be read from its venue."""

    account_id: str
    symbols: tuple[str, ...]
    since: datetime

    def as_event(self) -> dict[str, Any]:
        """As `import_request` reads it."""
        asked = {"account_id": self.account_id, "symbols": list(self.symbols), "since": format_time(self.since)}
        return {"import": asked}


def import_request(event: Mapping[str, Any]) -> ImportRequest | None:
    """The import an event asks for; None when it is another kind of event."""
    if "import" not in event:
        return None
    asked = event["import"]
    try:
        return ImportRequest(
            account_id=str(asked["account_id"]),
            symbols=tuple(map(str, asked["symbols"])),
            since=parse_time(str(asked["since"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise EventError(f"import must have account_id, symbols and since, was {asked!r}") from error


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
