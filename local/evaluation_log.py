"""Evaluations and their decisions, counted from the log of the evaluate function (the journal keeps changes only)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from surefill.domain.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.stage.aws import LocalAws

_PAGE = 10_000


@dataclass(slots=True)
class Evaluations:
    """How often a bot was evaluated on a symbol, and how often each decision was made."""

    evaluations: int = 0
    decisions: Counter[str] = field(default_factory=Counter)


def read_evaluations(aws: LocalAws, *, function: str) -> Evaluations:
    """Count what the function's log group holds."""
    return count_evaluations(_messages(aws, group=f"/aws/lambda/{function}"))


def count_evaluations(lines: Iterable[str]) -> Evaluations:
    """Add up the lines that sum up an invocation: {"message": "schedule.evaluated", "bots": 2, "reasons": {...}}."""
    found = Evaluations()
    for line in lines:
        entry = _parsed(line)
        if entry is None or entry.get("message") != Reason.EVALUATED:
            continue
        found.evaluations += int(entry["bots"])
        found.decisions.update(entry["reasons"])
    return found


def _messages(aws: LocalAws, *, group: str) -> Iterable[str]:
    token: dict[str, str] = {}
    while True:
        page = aws.logs.filter_log_events(
            logGroupName=group,
            filterPattern=f'"{Reason.EVALUATED}"',
            limit=_PAGE,
            **token,  # type: ignore[arg-type]
        )
        yield from (event["message"] for event in page["events"])
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


def _parsed(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
