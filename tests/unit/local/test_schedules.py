"""Schedules are fired as EventBridge would: by rate, with the scheduled time filled in."""

import json
from datetime import UTC, datetime

import pytest

from local.driver import seconds_of
from local.errors import LocalError
from local.schedules import Schedule, rate_minutes

TICK = datetime(2026, 1, 5, 12, 5, tzinfo=UTC)


def schedule(*, every_minutes: int = 1) -> Schedule:
    return Schedule(
        name="dispatch",
        every_minutes=every_minutes,
        function_arn="arn:aws:lambda:us-east-1:000000000000:function:surefill-local-dispatch",
        input='{"schedule":"dispatch","scheduled_time":"<aws.scheduler.scheduled-time>"}',
    )


def test_the_scheduled_time_is_filled_in() -> None:
    assert json.loads(schedule().payload(TICK)) == {"schedule": "dispatch", "scheduled_time": "2026-01-05T12:05:00Z"}


def test_the_function_is_the_last_part_of_the_arn() -> None:
    assert schedule().function == "surefill-local-dispatch"


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [("rate(1 minute)", 1), ("rate(5 minutes)", 5), ("rate(1 hour)", 60), ("rate(1 day)", 1_440)],
)
def test_rates_in_minutes(expression: str, minutes: int) -> None:
    assert rate_minutes(expression) == minutes


@pytest.mark.parametrize("expression", ["cron(0 12 * * ? *)", "rate(0 minutes)", "rate(1 week)", ""])
def test_other_expressions_are_refused(expression: str) -> None:
    with pytest.raises(LocalError, match="rate"):
        rate_minutes(expression)


@pytest.mark.parametrize(("every", "due"), [(1, True), (5, True), (2, False), (1_440, False)])
def test_due_at_full_multiples(every: int, *, due: bool) -> None:
    assert schedule(every_minutes=every).is_due(TICK) is due


@pytest.mark.parametrize(("text", "seconds"), [("2s", 2.0), ("500ms", 0.5), ("4m", 240.0), ("1h", 3_600.0), ("3", 3.0)])
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text, option="--for") == seconds


@pytest.mark.parametrize("text", ["", "0s", "-1s", "soon", "4 minutes"])
def test_what_is_no_duration_is_named(text: str) -> None:
    with pytest.raises(LocalError, match="--for must be a duration"):
        seconds_of(text, option="--for")
