"""The message from dispatch to evaluate: one market and timeframe with all bots due on it, packed small."""

import base64
import json
import zlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from surefill.domain.rows import Bot
from surefill.domain.rules import ExitRules, GateRules, SizingRules
from surefill.domain.signals import Alert
from surefill.domain.times import format_time, parse_time
from surefill.wire import from_wire, to_wire

# SQS takes 256 KiB; definitions of similar bots shrink about tenfold, so one message carries thousands.
_LARGEST = 240_000


class BatchError(ValueError):
    """A message that is not a batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """All bots to evaluate on one market and timeframe at one tick; with an alert, because of it."""

    tick: datetime
    venue: str
    symbol: str
    timeframe: str
    bots: tuple[Bot, ...]
    alert: Alert | None = None


def encode(batch: Batch) -> list[str]:
    """Messages for the batch; more than one only when the bots do not fit into one."""
    packed = base64.b85encode(zlib.compress(json.dumps([_packed(bot) for bot in batch.bots]).encode(), 6)).decode()
    if len(packed) > _LARGEST and len(batch.bots) > 1:
        middle = len(batch.bots) // 2
        halves = (batch.bots[:middle], batch.bots[middle:])
        return [body for half in halves for body in encode(_with_bots(batch, half))]
    head = {"tick": format_time(batch.tick), "venue": batch.venue, "symbol": batch.symbol}
    alert = {"alert": to_wire(batch.alert)} if batch.alert else {}
    return [json.dumps({**head, "timeframe": batch.timeframe, "bots": packed, **alert})]


def decode(body: str) -> Batch:
    """The batch of a message; raises BatchError with what is wrong."""
    try:
        message = json.loads(body)
        bots = json.loads(zlib.decompress(base64.b85decode(message["bots"])))
        return Batch(
            tick=parse_time(message["tick"]),
            venue=message["venue"],
            symbol=message["symbol"],
            timeframe=message["timeframe"],
            bots=tuple(from_wire(Bot, bot) for bot in bots),
            alert=from_wire(Alert, message["alert"]) if "alert" in message else None,
        )
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise BatchError(f"message must be a batch of bots, {type(error).__name__}: {error}") from error


def _with_bots(batch: Batch, bots: tuple[Bot, ...]) -> Batch:
    return replace(batch, bots=bots)


_UNCHANGED = {"sizing": SizingRules(), "gates": GateRules(), "exit_rules": ExitRules()}


def _packed(bot: Bot) -> dict[str, Any]:
    """The bot as JSON; rules that nobody changed take no room."""
    return {
        name: told
        for name, told in to_wire(bot).items()
        if name not in _UNCHANGED or getattr(bot, name) != _UNCHANGED[name]
    }
