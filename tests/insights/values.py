"""Log lines as Insights shows them, and its values: untyped, a number where one can be read."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]


def events(lines: Iterable[str], *, log: str, at: float = 0.0) -> list[Row]:
    """Log lines of one log group as Insights shows them: nested JSON as dotted fields. `at`: seconds of the first."""
    found: list[Row] = []
    for index, line in enumerate(lines):
        row: Row = {"@timestamp": at + index / 1_000, "@message": line, "@log": log}
        try:
            content = json.loads(line)
        except ValueError:
            content = None
        if isinstance(content, dict):
            row.update(_flat(content))
        found.append(row)
    return found


def _flat(content: Mapping[str, Any], prefix: str = "") -> Row:
    row: Row = {}
    for name, value in content.items():
        if isinstance(value, dict):
            row.update(_flat(value, f"{prefix}{name}."))
        elif value is not None:
            row[f"{prefix}{name}"] = value
    return row


def order(value: Any) -> tuple[int, float, str]:
    found = number(value)
    if found is not None:
        return (1, found, "")
    return (0, 0.0, "") if value is None else (2, 0.0, str(value))


def number(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def shown(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S.000")
