"""What a strategy is: parameters, the candles it needs, and one `decide`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from surefill.domain.money import ZERO
from surefill.domain.signals import Action, Alert
from surefill.strategies.market import MarketView, Series

# What the author of a strategy needs comes from here.
__all__ = [
    "Action",
    "Alert",
    "AlertStrategy",
    "Needs",
    "Other",
    "Params",
    "Position",
    "Rung",
    "Signal",
    "Strategy",
    "readings",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One level of a grid, a position of its own: bought at `buy_price` or below, sold at `sell_price` or above.

    `name` (letters and digits) is its identity for good; `weight` is a multiple of what the sizer would spend. A rung
    that must not buy now (`buys`) is only there so that it can sell what it bought before.
    """

    name: str
    buy_price: Decimal
    sell_price: Decimal
    weight: Decimal = Decimal(1)
    buys: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """The wish of a strategy and the numbers it read it from.

    Of a BUY, `weight` is a multiple of what the sizer would spend and `spend` (quote money) replaces the sizer; both
    stay under the caps. With a position open, a BUY is one more tranche when `adds` is set, and refused otherwise.
    Of a SELL, `share` is the part of the position to sell, above 0 and at most 1. `rungs` are a grid's resting orders.
    """

    action: Action
    numbers: Mapping[str, str] = field(default_factory=dict)
    weight: Decimal = Decimal(1)
    spend: Decimal | None = None
    adds: bool = False
    share: Decimal = Decimal(1)
    rungs: tuple[Rung, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What the bot holds of the symbol: base quantity, its cost in quote, since when, and its newest tranche.

    `equity` is only given to strategies that need it (`Needs.equity`): the free money of the bot plus all it holds, in
    quote at the last closes; such a strategy is given a position of quantity 0 when there is none.
    """

    quantity: Decimal
    cost: Decimal
    opened_at: datetime | None
    tranches: int = 1
    last_price: Decimal | None = None
    last_at: datetime | None = None
    equity: Decimal | None = None

    @property
    def average_price(self) -> float:
        """Quote paid per base, fees included; 0 when nothing is held."""
        return float(self.cost / self.quantity) if self.quantity > ZERO else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """More candles than the bot's own: another symbol (None: the same one), another timeframe (None: the same one)."""

    candles: int
    symbol: str | None = None
    timeframe: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What `decide` must be given: closed candles of the symbol evaluated, those of others, the bot's equity.

    It always gets exactly so many: a result never depends on how much history happens to be there.
    """

    candles: int
    others: tuple[Other, ...] = ()
    equity: bool = False


class Params(BaseModel):
    """Base of every strategy's parameters: frozen, nothing unknown accepted. Limits and units go into the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Strategy(ABC):
    """Base of every strategy. `decide` sees closed candles only and must depend on nothing but its arguments."""

    name: ClassVar[str]
    Params: ClassVar[type[Params]]
    default_timeframe: ClassVar[str] = "1m"
    default_interval_seconds: ClassVar[int] = 60
    # A strategy that holds on purpose (accumulating, rebalancing, grids) may be run without take profit and stop loss.
    holds_without_stop: ClassVar[bool] = False
    # Off when a signal is an appointment, an order from outside or the event of one candle: it can't stand for a while.
    confirms: ClassVar[bool] = True
    params: Any

    def __init__(self, params: Mapping[str, object]) -> None:
        """Validate the parameters; raises pydantic.ValidationError."""
        self.params = self.Params.model_validate(dict(params))

    @abstractmethod
    def needs(self, symbols: tuple[str, ...], symbol: str) -> Needs:
        """What `decide` on `symbol` needs, of a bot that trades `symbols`."""

    @abstractmethod
    def decide(self, market: MarketView, position: Position | None) -> Signal:
        """The wish at the end of the last closed candle."""

    def screen(self, series: Series) -> Any:
        """Candles (a boolean array) at which `decide` may want something, with or without a position; None: all.

        Only a backtest asks, to leave the others out. Saying True too often costs time; False where `decide` would act
        is a defect, which `surefill strategy check` looks for.
        """
        sides = self.sides(series)
        return None if sides is None else sides != 0

    def sides(self, series: Series) -> Any:
        """What `decide` says at each candle, whatever is held: 1 (BUY), -1 (SELL), 0 (HOLD); None: it depends.

        For strategies whose signals carry no weight, amount, share or tranche. Only a backtest asks, to leave out what
        can't be done as things stand; a value other than `decide`'s is a defect that `surefill strategy check` finds.
        """
        return None


class AlertStrategy(Strategy):
    """A strategy that also answers alerts from outside, at once and not at its next interval."""

    @abstractmethod
    def on_alert(self, alert: Alert, market: MarketView, position: Position | None) -> Signal:
        """The wish because of an alert. Like `decide`, it must depend on nothing but its arguments."""


def readings(**values: float) -> dict[str, str]:
    """Numbers of a signal: eight significant digits, enough for any price."""
    return {name: f"{value:.8g}" for name, value in values.items()}
