"""What a strategy is: parameters, the candles it needs, and one `decide`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from surefill.strategies.market import MarketView


class Action(StrEnum):
    """What a strategy wants."""

    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """The wish of a strategy and the numbers it read it from."""

    action: Action
    numbers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What the bot holds of the symbol: base quantity, its cost in quote, since when."""

    quantity: Decimal
    cost: Decimal
    opened_at: datetime


class Params(BaseModel):
    """Base of every strategy's parameters: frozen, nothing unknown accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Strategy(ABC):
    """Base of every strategy. `decide` sees closed candles only and must depend on nothing but its arguments."""

    name: ClassVar[str]
    Params: ClassVar[type[Params]]

    @abstractmethod
    def __init__(self, params: Mapping[str, object]) -> None:
        """Validate the parameters; raises pydantic.ValidationError."""

    @property
    @abstractmethod
    def candles_needed(self) -> int:
        """How many closed candles `decide` needs. It always gets exactly so many: results don't depend on history."""

    @abstractmethod
    def decide(self, market: MarketView, position: Position | None) -> Signal:
        """The wish at the end of the last closed candle."""
