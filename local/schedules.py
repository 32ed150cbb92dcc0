"""The deployed schedules as EventBridge would run them: their rate, target and input, read from the Scheduler API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.errors import LocalError
from surefill.domain.times import format_time, to_milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from local.stage.aws import LocalAws

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
_RATE = re.compile(r"^rate\((\d+) (minute|hour|day)s?\)$")
_MINUTES = {"minute": 1, "hour": 60, "day": 1_440}
# The order within one minute: what trades first, then what protects, then what cleans up. On AWS they run together.
_ORDER = ("refresh_markets", "sync_account", "dispatch", "watch_exits", "reconcile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One schedule: its name, every how many minutes it fires, the function it invokes and the input it sends."""

    name: str
    every_minutes: int
    function_arn: str
    input: str

    @property
    def function(self) -> str:
        """Name of the function."""
        return self.function_arn.rpartition(":")[2]

    def payload(self, tick: datetime) -> str:
        """The input with the scheduled time filled in, as EventBridge Scheduler does."""
        return self.input.replace(SCHEDULED_TIME, format_time(tick))

    def is_due(self, tick: datetime) -> bool:
        """Whether it fires at this minute (rates are counted from 1970, so all schedules share the full hours)."""
        return to_milliseconds(tick) // 60_000 % self.every_minutes == 0


def read_schedules(aws: LocalAws, *, group: str) -> list[Schedule]:
    """All schedules of a group, in the order they are fired within a minute. Raises LocalError on one it can't run."""
    found = []
    for summary in aws.schedules.list_schedules(GroupName=group)["Schedules"]:
        shown = aws.schedules.get_schedule(GroupName=group, Name=summary["Name"])
        _require_permission(aws, role=shown["Target"]["RoleArn"], function=shown["Target"]["Arn"], name=shown["Name"])
        found.append(
            Schedule(
                name=shown["Name"],
                every_minutes=rate_minutes(shown["ScheduleExpression"]),
                function_arn=shown["Target"]["Arn"],
                input=shown["Target"].get("Input", "{}"),
            )
        )
    if not found:
        raise LocalError(f"schedule group {group!r} has no schedules: the deployment is incomplete")
    return sorted(found, key=lambda schedule: (_position(schedule.name, _ORDER), schedule.name))


def _require_permission(aws: LocalAws, *, role: str, function: str, name: str) -> None:
    """EventBridge would invoke as the schedule's role. Only its service may assume it, so here it is asked about."""
    answer = aws.identities.simulate_principal_policy(
        PolicySourceArn=role, ActionNames=["lambda:InvokeFunction"], ResourceArns=[function]
    )
    decisions = [result["EvalDecision"] for result in answer["EvaluationResults"]]
    if decisions != ["allowed"]:
        raise LocalError(f"the role of schedule {name!r} must be allowed to invoke {function}, was {decisions}")


def rate_minutes(expression: str) -> int:
    """Minutes of a rate expression: "rate(5 minutes)" -> 5. Raises LocalError for any other kind."""
    match = _RATE.match(expression)
    if match is None or int(match[1]) < 1:
        raise LocalError(f"a schedule must have a rate such as rate(5 minutes), was {expression!r}")
    return int(match[1]) * _MINUTES[match[2]]


def _position(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)
