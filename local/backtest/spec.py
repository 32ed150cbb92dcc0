"""What a backtest is to run: bots, their budgets, the trading rules, and how orders fill. Checked before it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from local.backtest.costs import Costs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from pathlib import Path

    from surefill.domain.records import MarketRules
    from surefill.strategies.base import Strategy

VENUE = "binance"
STAGE = "backtest"


class FillModel(StrEnum):
    """When an order of a decision fills.

    CLOSE: at the close of the candle decided on. NEXT_OPEN: at the open of the next one. TICKS: as the replay does,
    minute by minute at the simulated exchange's prices.
    """

    CLOSE = "close"
    NEXT_OPEN = "next_open"
    TICKS = "ticks"


class EngineKind(StrEnum):
    """What runs a backtest.

    PROTOCOL: the use cases and transactions of the product on tables in memory; it can do everything. DIRECT: the same
    money rules on plain positions, without the transactions; it refuses what is more. AUTO: DIRECT where it can.
    """

    AUTO = "auto"
    DIRECT = "direct"
    PROTOCOL = "protocol"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPlan:
    """A budget of a backtest: its name, its money (quote), and the limits its claims keep."""

    name: str
    amount: Decimal
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotPlan:
    """A bot as the API would be asked for it (fields of `BotBody`), on a budget named `budget`."""

    budget: str
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The bot's name."""
        return str(self.body["name"])

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols it trades."""
        return tuple(self.body["symbols"])


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSpec:
    """Everything a run needs. `files` are candle files by symbol; times are ms since 1970, None for all there is."""

    files: Mapping[str, Path]
    budgets: tuple[BudgetPlan, ...]
    bots: tuple[BotPlan, ...]
    fill: FillModel = FillModel.NEXT_OPEN
    engine: EngineKind = EngineKind.AUTO
    costs: Costs = field(default_factory=Costs)
    rules: Mapping[str, MarketRules] = field(default_factory=dict)
    since_ms: int | None = None
    until_ms: int | None = None
    strategies: Mapping[str, type[Strategy]] | None = None

    @property
    def currency(self) -> str:
        """What all budgets are in: the quote of the symbols."""
        return next(iter(self.files)).partition("/")[2]
