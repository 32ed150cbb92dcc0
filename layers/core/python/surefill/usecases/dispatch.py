"""Dispatch: once a minute, find the bots that are due and hand them out, one message per market and timeframe.

Nothing is written per bot and tick. A bot is due when a multiple of its interval lies since the last finished tick: a
missed minute is caught up and a repeated one changes nothing: intents are named after the tick.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from surefill.domain.bots import CADENCES, SHORTEST, due_cadences
from surefill.domain.reasons import Reason
from surefill.domain.records import ScheduleRow
from surefill.domain.rows import Bot
from surefill.domain.times import format_time, to_milliseconds
from surefill.ports import Clock, Observer, Queue, Store, StoreUnavailableError
from surefill.usecases.batches import Batch, encode

SCHEDULE = "dispatch"
WAITING_SINCE = "waiting_since"
# A tick that arrives later than this is dropped: its candle is no longer the last one.
LATEST = timedelta(seconds=60)
# After an outage only the last tick is traded; bots with long intervals that fell due meanwhile are still caught up.
_LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """What a tick handed out."""

    tick: datetime
    bots: int
    messages: int
    dropped: bool = False


def dispatch(*, tick: datetime, store: Store, queue: Queue, clock: Clock, observer: Observer) -> Dispatched:
    """Send every due bot to `evaluate`, then remember the tick as finished."""
    now = clock.now()
    if now - tick > LATEST:
        observer.event(Reason.TICK_LATE, tick=tick, age_seconds=(now - tick).total_seconds())
        return Dispatched(tick=tick, bots=0, messages=0, dropped=True)
    last = store.get(ScheduleRow, SCHEDULE)
    waiting = _waiting(queue, last=last, tick=tick)
    # The same minute again (a retry) hands out the same bots again; they meet their own intents.
    since = min(last.last_tick, tick - timedelta(minutes=1)) if last else tick - timedelta(minutes=1)
    due = due_cadences(CADENCES, after_minute=_minute(max(since, tick - _LOOK_BACK)), until_minute=_minute(tick))
    bots = [bot for seconds in due for bot in store.bots_of_cadence(str(seconds))]
    bodies = [body for batch in batches(bots, tick=tick) for body in encode(batch)]
    queue.send(bodies)
    between = [bot for bot in bots if bot.interval_seconds == SHORTEST]
    half = tick + timedelta(seconds=SHORTEST)
    queue.send([body for batch in batches(between, tick=half) for body in encode(batch)], delay_seconds=SHORTEST)
    store.replace(
        ScheduleRow(
            schedule_name=SCHEDULE,
            last_tick=max(tick, last.last_tick) if last else tick,
            finished_at=clock.now(),
            counts={"bots": str(len(bots)), "messages": str(len(bodies)), **waiting},
        )
    )
    observer.event(Reason.TICK, tick=tick, bots=len(bots), messages=len(bodies))
    observer.metric("Tick", 1)
    observer.metric("TickLagSeconds", (now - tick).total_seconds())
    return Dispatched(tick=tick, bots=len(bots), messages=len(bodies))


def _waiting(queue: Queue, *, last: ScheduleRow | None, tick: datetime) -> dict[str, str]:
    """What the minutes before left in the queue, and since when there was something at every tick."""
    try:
        depth = queue.depth()
    except StoreUnavailableError:
        return {}
    since = (last.counts if last else {}).get(WAITING_SINCE, format_time(tick))
    return {"waiting": str(depth), WAITING_SINCE: since} if depth else {}


def batches(bots: Iterable[Bot], *, tick: datetime) -> list[Batch]:
    """Group bots by what they look at, so that each market and timeframe is fetched once for all of them."""
    lanes: dict[tuple[str, str, str], list[Bot]] = defaultdict(list)
    for bot in bots:
        for symbol in bot.symbols:
            lanes[(bot.venue, symbol, bot.timeframe)].append(bot)
    return [
        Batch(tick=tick, venue=venue, symbol=symbol, timeframe=timeframe, bots=tuple(members))
        for (venue, symbol, timeframe), members in sorted(lanes.items())
    ]


def _minute(moment: datetime) -> int:
    return to_milliseconds(moment) // 60_000
