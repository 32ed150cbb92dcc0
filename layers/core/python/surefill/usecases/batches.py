"""The message from dispatch to evaluate: one market and timeframe with all bots due on it, packed small."""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from surefill.domain.rows import Bot, BotState
from surefill.domain.times import format_time, parse_time

# SQS takes 256 KiB; definitions of similar bots shrink about tenfold, so one message carries thousands.
_LARGEST = 240_000


class BatchError(ValueError):
    """A message that is not a batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """All bots to evaluate on one market and timeframe at one tick."""

    tick: datetime
    venue: str
    symbol: str
    timeframe: str
    bots: tuple[Bot, ...]


def encode(batch: Batch) -> list[str]:
    """Messages for the batch; more than one only when the bots do not fit into one."""
    packed = base64.b85encode(zlib.compress(json.dumps([_bot_out(bot) for bot in batch.bots]).encode(), 6)).decode()
    if len(packed) > _LARGEST and len(batch.bots) > 1:
        middle = len(batch.bots) // 2
        halves = (batch.bots[:middle], batch.bots[middle:])
        return [body for half in halves for body in encode(_with_bots(batch, half))]
    head = {"tick": format_time(batch.tick), "venue": batch.venue, "symbol": batch.symbol}
    return [json.dumps({**head, "timeframe": batch.timeframe, "bots": packed})]


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
            bots=tuple(_bot_in(bot) for bot in bots),
        )
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise BatchError(f"message must be a batch of bots, {type(error).__name__}: {error}") from error


def _with_bots(batch: Batch, bots: tuple[Bot, ...]) -> Batch:
    return Batch(tick=batch.tick, venue=batch.venue, symbol=batch.symbol, timeframe=batch.timeframe, bots=bots)


def _bot_out(bot: Bot) -> dict[str, Any]:
    return {item.name: _plain(getattr(bot, item.name)) for item in fields(bot)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Decimal):
        return str(value)
    return dict(value) if isinstance(value, Mapping) else value


def _bot_in(body: Mapping[str, Any]) -> Bot:
    amounts = ("budget_percent", "take_profit_percent", "stop_loss_percent", "slippage_percent")
    return Bot(
        **{
            **body,
            **{name: Decimal(body[name]) for name in amounts},
            "symbols": tuple(body["symbols"]),
            "state": BotState(body["state"]),
            "created_at": parse_time(body["created_at"]),
        }
    )
