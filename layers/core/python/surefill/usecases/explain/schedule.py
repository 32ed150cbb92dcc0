"""The first link: is the bot in the schedule, does the schedule tick, was the bot evaluated, when is it next."""

from dataclasses import replace
from datetime import datetime, timedelta

from surefill.domain.bots import EVALUATED
from surefill.domain.reasons import Reason
from surefill.domain.records import ScheduleRow
from surefill.domain.rows import Bot
from surefill.domain.times import next_multiple
from surefill.usecases.dispatch import SCHEDULE, WAITING_SINCE
from surefill.usecases.explain.facts import Place
from surefill.usecases.explain.making import fine, moment, said
from surefill.usecases.explain.model import Link, LinkName, LinkState
from surefill.usecases.explain.stopped import stop_link

# A schedule that ticks every minute is silent when this has passed since its last finished tick.
SILENT = timedelta(minutes=3)
# From a tick to the decision it leads to: the queue, a cold start, the candles.
_HANDED_OUT = timedelta(minutes=2)
# A batch is tried again after a minute; one that was so in the last minutes is so now.
_LATELY = timedelta(minutes=3)
_MINUTE = timedelta(minutes=1)
_FAILED = f"{Reason.STRATEGY_FAILED}: "


def schedule_link(place: Place) -> Link:
    """Whether the bot comes to be evaluated."""
    bot = place.bot
    if bot.strategy not in place.strategies:
        return said(Reason.STRATEGY_UNKNOWN, {"strategy": repr(bot.strategy)})
    if bot.state not in EVALUATED:
        stop = stop_link(place) if place.stops else None
        return replace(stop, name=LinkName.SCHEDULE) if stop else _not_running(bot)
    silent = silence(place.schedules.get(SCHEDULE), now=place.now)
    if silent is not None:
        return silent
    if bot.cadence_key is None:
        return said(Reason.BOT_NOT_ACTIVE, {"state": f"{bot.state}, but in no schedule", "bot": bot.bot_id})
    last = place.schedules[SCHEDULE].last_tick
    missed = _missed(place, last=last)
    if missed is not None:
        return said(Reason.NOT_EVALUATED, {"from": moment(missed)}, since=missed)
    coming = max(next_run(bot, last_tick=last), next_run(bot, last_tick=_since(bot)))
    if _never(place):
        return _not_yet(bot, coming=coming)
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
    return next_multiple(last_tick, seconds=bot.interval_seconds)


def _last_due(bot: Bot, *, last_tick: datetime) -> datetime:
    """The newest multiple of the bot's interval that is not after a tick."""
    return next_run(bot, last_tick=last_tick) - timedelta(seconds=bot.interval_seconds)


def _not_running(bot: Bot) -> Link:
    numbers = {"state": bot.state.value, "bot": bot.bot_id}
    if bot.state_reason.startswith(_FAILED):
        error = {"error": bot.state_reason.removeprefix(_FAILED), **numbers}
        return said(Reason.STRATEGY_FAILED, error, name=LinkName.SCHEDULE)
    if bot.state_reason:
        numbers["state"] = f"{bot.state} ({bot.state_reason})"
    return said(Reason.BOT_NOT_ACTIVE, numbers)


def _missed(place: Place, *, last: datetime) -> datetime | None:
    """When the bot was handed out without being evaluated, as far as that can be told.

    A bot that never decided anything was left out from the first; a market whose evaluation does not end is noted by
    the second attempt at it; and what is not taken from the queue is counted at each tick.
    """
    bot = place.bot
    first, due = next_run(bot, last_tick=_since(bot)), _last_due(bot, last_tick=last)
    if _never(place) and last - first >= _HANDED_OUT:
        return first
    if place.unfinished is not None and place.now - place.unfinished <= _LATELY + timedelta(
        seconds=bot.interval_seconds
    ):
        return place.unfinished
    waiting = place.schedules[SCHEDULE].counts.get(WAITING_SINCE)
    left = datetime.fromisoformat(waiting) - _MINUTE if waiting else None
    return left if left is not None and last - left >= _HANDED_OUT + _MINUTE and due >= max(first, left) else None


def _never(place: Place) -> bool:
    return place.slot.last_reason is None and place.rung is None


def _since(bot: Bot) -> datetime:
    return bot.scheduled_since or bot.created_at


def _not_yet(bot: Bot, *, coming: datetime) -> Link:
    """Never evaluated, and not due for long enough to be missed."""
    numbers = {"interval_seconds": str(bot.interval_seconds), "next_run_at": moment(coming)}
    says = f"schedule: every {bot.interval_seconds} s, not evaluated yet, next run at {moment(coming)}"
    return Link(name=LinkName.SCHEDULE, state=LinkState.WAITING, says=says, reason=Reason.TICK, evidence=numbers)
