"""The first link: is the bot in the schedule, does the schedule tick, was the bot evaluated, when is it next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from surefill.domain.bots import EVALUATED
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, ScheduleRow
from surefill.usecases.explain.facts import Place
from surefill.usecases.explain.making import fine, moment, said
from surefill.usecases.explain.model import Link, LinkName, LinkState
from surefill.usecases.explain.stopped import stop_link

# A schedule that ticks every minute is silent when this has passed since its last finished tick.
SILENT = timedelta(minutes=3)
# From a tick to the decision it leads to: the queue, a cold start, the candles.
_HANDED_OUT = timedelta(minutes=2)
_FAILED = f"{Reason.STRATEGY_FAILED}: "


def schedule_link(place: Place) -> Link:
    """Whether the bot comes to be evaluated."""
    bot = place.bot
    if bot.strategy not in place.strategies:
        return said(Reason.STRATEGY_UNKNOWN, {"strategy": repr(bot.strategy)})
    if bot.state not in EVALUATED:
        stop = stop_link(place) if place.stops else None
        return replace(stop, name=LinkName.SCHEDULE) if stop else _not_running(bot)
    silent = silence(place.schedules.get("dispatch"), now=place.now)
    if silent is not None:
        return silent
    if bot.cadence_key is None:
        return said(Reason.BOT_NOT_ACTIVE, {"state": f"{bot.state}, but in no schedule", "bot": bot.bot_id})
    last = place.schedules["dispatch"].last_tick
    coming = next_run(bot, last_tick=last)
    if place.slot.last_reason is None and place.rung is None:
        return _not_evaluated(place, coming=coming, last=last)
    return fine(
        LinkName.SCHEDULE,
        f"schedule: every {bot.interval_seconds} s, last tick {moment(last)}, next run at {moment(coming)}",
    )


def silence(row: ScheduleRow | None, *, now: datetime) -> Link | None:
    """The link of a schedule that no longer ticks; None when it does."""
    if row is not None and now - row.last_tick <= SILENT:
        return None
    tick = moment(row.last_tick) if row else "the deployment"
    return said(Reason.NO_TICK, {"tick": tick}, since=row.last_tick if row else None)


def next_run(bot: Bot, *, last_tick: datetime) -> datetime:
    """The next multiple of the bot's interval after the last finished tick."""
    interval = bot.interval_seconds
    return datetime.fromtimestamp((int(last_tick.timestamp()) // interval + 1) * interval, UTC)


def _not_running(bot: Bot) -> Link:
    numbers = {"state": bot.state.value, "bot": bot.bot_id}
    if bot.state_reason.startswith(_FAILED):
        error = {"error": bot.state_reason.removeprefix(_FAILED), **numbers}
        return said(Reason.STRATEGY_FAILED, error, name=LinkName.SCHEDULE)
    if bot.state_reason:
        numbers["state"] = f"{bot.state} ({bot.state_reason})"
    return said(Reason.BOT_NOT_ACTIVE, numbers)


def _not_evaluated(place: Place, *, coming: datetime, last: datetime) -> Link:
    """Never evaluated: not due yet, or handed out and lost."""
    bot = place.bot
    first = next_run(bot, last_tick=bot.created_at)
    if last - first < _HANDED_OUT:
        run = max(first, coming) if first > last else coming
        numbers = {"interval_seconds": str(bot.interval_seconds), "next_run_at": moment(run)}
        says = f"schedule: every {bot.interval_seconds} s, not evaluated yet, next run at {moment(run)}"
        return Link(name=LinkName.SCHEDULE, state=LinkState.WAITING, says=says, reason=Reason.TICK, evidence=numbers)
    return said(Reason.NOT_EVALUATED, {"from": moment(first)}, since=first)
