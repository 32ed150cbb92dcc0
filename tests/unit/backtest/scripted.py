"""A strategy that buys and sells at listed candles, and one bot run with it over a few rows."""

from dataclasses import replace
from typing import Any, ClassVar

from local.backtest.costs import Costs
from local.backtest.history import History
from local.backtest.outcome import BudgetResult, Trade
from local.backtest.spec import FillModel
from surefill.domain.rows import Bot
from surefill.domain.rules import ExitRules
from surefill.domain.times import from_milliseconds
from surefill.strategies import base
from surefill.strategies.market import MarketView
from tests.unit.backtest.bench import NO_COSTS, body, run_bodies
from tests.unit.backtest.markets import FIVE_MINUTES_MS, START_MS, history_of

BTC = "BTC/USDT"
FLAT = (100.0, 100.0, 100.0, 100.0)
Row = tuple[float, float, float, float]


class Script(base.Strategy):
    """Buys at the closes listed, sells at those in `SELLS`; stands for any strategy."""

    name: ClassVar[str] = "rsi_macd"
    Params: ClassVar[type[base.Params]] = base.Params
    BUYS: ClassVar[frozenset[int]] = frozenset({1})
    SELLS: ClassVar[frozenset[int]] = frozenset()
    confirms = True

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        return base.Needs(candles=1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        index = int((market.closed_at.timestamp() * 1_000 - START_MS) // FIVE_MINUTES_MS) - 1
        action = base.Action.HOLD
        if index in self.BUYS:
            action = base.Action.BUY
        elif index in self.SELLS:
            action = base.Action.SELL
        return base.Signal(action=action)


def script(*, buys: tuple[int, ...] = (1,), sells: tuple[int, ...] = ()) -> type[base.Strategy]:
    return type("Scripted", (Script,), {"BUYS": frozenset(buys), "SELLS": frozenset(sells)})


def run(
    rows: list[Row],
    *,
    strategy: type[base.Strategy] | None = None,
    fill: FillModel = FillModel.CLOSE,
    costs: Costs = NO_COSTS,
    exits: ExitRules | None = None,
    fields: dict[str, Any] | None = None,
    limits: dict[str, Any] | None = None,
    history: History | None = None,
    **more: Any,
) -> BudgetResult:
    def changed(bot: Bot) -> Bot:
        return bot if exits is None else replace(bot, exit_rules=exits)

    levels = {"take_profit_percent": "10", "stop_loss_percent": "5", **(fields or {})}
    return run_bodies(
        [body([BTC], **levels)],
        [history or history_of(rows)],
        fill=fill,
        costs=costs,
        limits=limits,
        strategies={"rsi_macd": strategy or script()},
        changed=changed,
        **more,
    )


def only(result: BudgetResult) -> Trade:
    (trade,) = result.trades
    return trade


def moment(place: int) -> Any:
    return from_milliseconds(START_MS + place * FIVE_MINUTES_MS)
