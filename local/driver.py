"""The local scheduler: fires the deployed schedules' own targets with their own payloads, at a chosen pace.

The local AWS has an EventBridge Scheduler, but it does not fill in the scheduled time, and it knows real minutes
only; so on the local stage the schedules are deployed disabled and fired from here. The exchange owns the time: at
each tick its clock is set to the full minute, then it runs on at the speed of real seconds until the next tick.
"""

from __future__ import annotations

import re
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from local.errors import LocalError
from local.schedules import Schedule, read_schedules
from local.stage.aws import InvocationFailedError
from surefill.domain.times import from_milliseconds

if TYPE_CHECKING:
    from datetime import datetime

    from local.stage.stage import LocalStage

_MINUTE = timedelta(minutes=1)
_PACE = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h)?$")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, None: 1.0}
# Orders under way are given this long before the clock jumps over their deadlines.
_SETTLE_SECONDS = 30.0
_FAILURES_KEPT = 20


def seconds_of(text: str, *, option: str) -> float:
    """A duration such as 2s, 500ms, 4m or 1h in seconds. Raises LocalError naming the option."""
    match = _PACE.match(text.strip())
    if match is None or float(match[1]) <= 0:
        raise LocalError(f"{option} must be a duration above 0 such as 2s, 500ms or 4m, was {text!r}")
    return float(match[1]) * _UNITS[match[2]]


@dataclass(slots=True, kw_only=True)
class DriverReport:
    """What the driver did so far."""

    ticks: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    last_failures: deque[str] = field(default_factory=lambda: deque(maxlen=_FAILURES_KEPT))
    late_ticks: int = 0
    slowest_tick_seconds: float = 0.0


class Driver:
    """Fires schedules tick by tick. `pace_seconds` is the real time of one virtual minute, at least."""

    def __init__(self, stage: LocalStage, *, pace_seconds: float, settle_seconds: float = _SETTLE_SECONDS) -> None:
        self._stage = stage
        self._pace = pace_seconds
        self._schedules = read_schedules(stage.aws, group=stage.outputs["ScheduleGroupName"])
        self._settle_seconds = settle_seconds
        self._tick = from_milliseconds(stage.exchange.now_ms()).replace(second=0, microsecond=0)
        self._pool = ThreadPoolExecutor(max_workers=len(self._schedules), thread_name_prefix="schedule")
        self._due_at: float | None = None
        self.report = DriverReport()

    @property
    def tick(self) -> datetime:
        """The virtual minute that was fired last, or the first one before any was."""
        return self._tick

    @property
    def pace_seconds(self) -> float:
        """Real seconds per virtual minute."""
        return self._pace

    def close(self) -> None:
        """End the driver's threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def fire(self, *names: str) -> None:
        """Fire schedules now, one after the other, due or not, at the present tick. Raises when a function fails."""
        self._stage.exchange.set_rate(1)
        for schedule in self._schedules:
            if schedule.name in names:
                self._stage.aws.invoke(schedule.function, schedule.payload(self._tick))

    def next_tick(self, *, only: frozenset[str] | None = None) -> None:
        """Wait for the pace, go to the next minute and fire what is due, all at once as AWS does.

        Returns when every fired function has answered and the orders they started have ended (within a bound): if
        that takes longer than the pace, virtual time runs slower and the tick counts as late.
        """
        self._await_pace()
        try:
            self._tick_once(only=only)
        except BotoCoreError as error:
            if not self._stage.revive():
                raise LocalError(f"the local AWS runs but does not answer: {error}") from error
            self.report.restarts += 1
            self._tell(f"the local AWS had ended ({type(error).__name__}); it was started again with its tables")

    def _tick_once(self, *, only: frozenset[str] | None) -> None:
        # Whatever was started between two ticks (a bot, a sale by hand) has this minute to end in.
        self._stage.wait_until_quiet(timeout_seconds=self._settle_seconds)
        started = time.monotonic()
        self._tick = self._next_minute()
        due = [item for item in self._schedules if item.is_due(self._tick) and (only is None or item.name in only)]
        list(self._pool.map(self._fire, due))
        self._stage.wait_until_quiet(timeout_seconds=self._settle_seconds)
        took = time.monotonic() - started
        self.report.ticks += 1
        self.report.slowest_tick_seconds = max(self.report.slowest_tick_seconds, took)
        if took > self._pace:
            self.report.late_ticks += 1

    def _await_pace(self) -> None:
        now = time.monotonic()
        due_at = self._due_at if self._due_at is not None else now
        if due_at > now:
            time.sleep(due_at - now)
        # A late tick does not make the next ones hurry.
        self._due_at = max(due_at, now) + self._pace

    def _next_minute(self) -> datetime:
        """Let the exchange's clock jump to the next minute; when it is beyond it already, minutes were slow."""
        exchange = self._stage.exchange
        now = from_milliseconds(exchange.now_ms())
        tick = max(self._tick + _MINUTE, now.replace(second=0, microsecond=0))
        if now < tick:
            exchange.set_clock(tick, rate=1)
        else:
            exchange.set_rate(1)
        return tick

    def _fire(self, schedule: Schedule) -> None:
        try:
            self._stage.aws.invoke(schedule.function, schedule.payload(self._tick))
            self.report.fired[schedule.name] += 1
        except InvocationFailedError as error:
            self.report.failures[schedule.name] += 1
            self._tell(str(error))

    def _tell(self, failure: str) -> None:
        self.report.last_failures.append(failure)
