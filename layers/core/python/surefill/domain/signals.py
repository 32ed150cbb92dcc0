"""Wishes: what a strategy or a charting service wants."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Action(StrEnum):
    """What a strategy wants."""

    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a charting service sent: its wish, when it was sent, and the price it saw (None: it did not say)."""

    action: Action
    at: datetime
    price: Decimal | None = None
