"""Whether the schedules run, and when each bot is due next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from surefill.domain.bots import EVALUATED
from surefill.domain.records import ScheduleRow
from surefill.domain.rows import Bot
from surefill.domain.times import next_multiple
from surefill.ports import Store

# How often each schedule wakes its function, in seconds.
EVERY: Mapping[str, int] = {
    "dispatch": 60,
    "watch_exits": 60,
    "reconcile": 60,
    "sync_account": 300,
    "refresh_markets": 86_400,
}
# A tick may take so long to arrive and to be finished before a schedule counts as late.
GRACE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState:
    """A schedule: its interval and lag in seconds, and whether it is in time. No lag: it never ran."""

    name: str
    interval_seconds: int
    running: bool
    last_tick: datetime | None
    finished_at: datetime | None
    next_tick: datetime
    lag_seconds: int | None
    counts: Mapping[str, str]


def schedules(store: Store, *, now: datetime) -> list[ScheduleState]:
    """All schedules, in the order of a tick."""
    rows = {row.schedule_name: row for row in store.get_many(ScheduleRow, [(name,) for name in EVERY])}
    return [_state(name, rows.get(name), now=now) for name in EVERY]


def next_run(bot: Bot, *, now: datetime) -> datetime | None:
    """The next time the bot is due; None while it is not evaluated."""
    return next_multiple(now, seconds=bot.interval_seconds) if bot.state in EVALUATED else None


def _state(name: str, row: ScheduleRow | None, *, now: datetime) -> ScheduleState:
    interval = EVERY[name]
    late = now - row.last_tick if row else None
    return ScheduleState(
        name=name,
        interval_seconds=interval,
        running=late is not None and late <= timedelta(seconds=interval) + GRACE,
        last_tick=row.last_tick if row else None,
        finished_at=row.finished_at if row else None,
        next_tick=next_multiple(now, seconds=interval),
        lag_seconds=max(int(late.total_seconds()) - interval, 0) if late is not None else None,
        counts=row.counts if row else {},
    )
