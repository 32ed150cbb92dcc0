"""Rules of a bot's definition that need no outside knowledge."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime

from surefill.domain.kinds import BotState
from surefill.domain.rows import Bot
from surefill.domain.times import timeframe_seconds

# Evaluated at each tick: a bot in these states still watches its market (a draining one never enters).
EVALUATED = frozenset({BotState.ACTIVE, BotState.DRAINING})
_NOT_DEFINITION = frozenset(
    {
        "bot_id", "state", "state_reason", "definition_hash", "created_at", "cadence_key", "scheduled_since",
        "hook_hash",
    }
)  # fmt: skip


def definition_hash(bot: Bot) -> str:
    """Fingerprint of what the bot does (not of its id or state): two equal ones are the same bot twice (N09)."""
    definition = {
        item.name: str(getattr(bot, item.name))
        if item.name != "params"
        else json.dumps(dict(bot.params), sort_keys=True)
        for item in fields(bot)
        if item.name not in _NOT_DEFINITION
    }
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:16]


def cadence_key(bot: Bot) -> str | None:
    """Where the dispatcher finds the bot: its interval in seconds, or nowhere while it is not evaluated."""
    return str(bot.interval_seconds) if bot.state in EVALUATED else None


def scheduled(bot: Bot, *, now: datetime) -> dict[str, object]:
    """The fields to write when a bot is put into its schedule, or taken out of it, by its state and interval."""
    return {"cadence_key": cadence_key(bot), "scheduled_since": now}


def due_cadences(cadences: Iterable[int], *, after_minute: int, until_minute: int) -> list[int]:
    """Intervals (seconds) of which a multiple lies in the minutes (after_minute, until_minute] since 1970."""
    return [seconds for seconds in sorted(set(cadences)) if until_minute * 60 // seconds > after_minute * 60 // seconds]


# Ticks of a schedule come once a minute; this interval has one more in between.
SHORTEST = 30
# The intervals a bot may have, in seconds: from half a minute to a week. One index partition each.
CADENCES = (SHORTEST, 60, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 604_800)


def check_interval(*, interval_seconds: int, timeframe: str) -> None:
    """Raise ValueError unless the bot's interval is one of CADENCES and its candles have a known length."""
    timeframe_seconds(timeframe)
    if interval_seconds not in CADENCES:
        raise ValueError(f"interval_seconds must be one of {', '.join(map(str, CADENCES))}, was {interval_seconds}")
