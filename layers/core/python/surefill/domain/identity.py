"""Deterministic names: the same signal always yields the same intent, so a duplicate can only meet itself."""

import uuid
from datetime import datetime

from surefill.domain.times import format_time

_NAMESPACE = uuid.UUID("6f1c9a52-5f0e-5d5a-9a3f-2f0b6a1f7c11")


def entry_intent_id(
    *, stage: str, account_id: str, bot_id: str, symbol: str, tick: datetime, rung: str | None = None
) -> str:
    """Intent of the one entry a bot may make on a symbol (on each rung of a grid) at a tick (32 hex digits)."""
    return _name(stage, account_id, bot_id, symbol, "entry", format_time(tick), rung or "0")


def tranche_intent_id(*, entry_intent_id: str, tick: datetime) -> str:
    """Intent of the one tranche that may be added at a tick to the position that `entry_intent_id` opened."""
    return _name(entry_intent_id, "tranche", format_time(tick))


def exit_intent_id(*, entry_intent_id: str, attempt: int) -> str:
    """Intent of the n-th exit of the position that `entry_intent_id` opened.

    Take profit, stop loss, a manual close and a kill switch all compute the same name for the same attempt, and the
    attempt only grows once the one before is finished: two exits at once are one exit.
    """
    return _name(entry_intent_id, "exit", str(attempt))


def _name(*parts: str) -> str:
    for part in parts:
        if not part or "|" in part:
            raise ValueError(f"a part of an intent id must be non-empty and without '|', was {part!r}")
    return uuid.uuid5(_NAMESPACE, "|".join(parts)).hex


def execution_name(*, intent_id: str, is_exit: bool, tick: datetime) -> str:
    """Name of the workflow execution that carries an intent.

    An entry has one chance, at its tick, so its execution is named after the intent. An exit must be tried until it
    succeeds: when its claim failed (the tables did not answer), the next minute starts anew under another name. Twice
    in a minute is still once, and claim and send gate let two executions of one intent post one order.
    """
    return f"{intent_id}-{tick:%Y%m%dT%H%M}" if is_exit else intent_id


def client_order_id(intent_id: str) -> str:
    """What the venue is told: the 32 hex digits, accepted by every venue that takes 32 alphanumerics (Binance: 36)."""
    return intent_id


def market_key(*, venue: str, symbol: str) -> str:
    """Key of a market: "binance|BTC/USDT"."""
    return f"{venue}|{symbol}"


def evaluation_key(*, venue: str, symbol: str, timeframe: str) -> str:
    """Name among the schedules of what is evaluated together: "evaluate|binance|BTC/USDT|1h"."""
    return f"evaluate|{venue}|{symbol}|{timeframe}"


def owner_key(*, account_id: str, bot_id: str, rung: str | None = None) -> str:
    """Key of a bot inside a market. The account (and with it paper or live) is part of it: the two never meet.

    Each rung of a grid has a place of its own.
    """
    return f"{account_id}|{bot_id}|{rung}" if rung else f"{account_id}|{bot_id}"
