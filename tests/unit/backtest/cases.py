"""Random backtests of plain positions: candles, bots, limits, costs and trading rules, all drawn from one seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any, ClassVar

import numpy as np

from local.backtest.costs import Costs
from local.backtest.history import History
from local.backtest.outcome import BudgetResult
from local.backtest.setting_up import permissive_rules
from local.backtest.spec import EngineKind, FillModel
from surefill.domain.records import MarketRules
from surefill.domain.rows import Bot
from surefill.domain.rules import ExitRules, GateRules, Protection, RoiStep, SizingMode, SizingRules, Tier
from surefill.domain.times import timeframe_seconds
from surefill.strategies import base
from surefill.strategies.market import MarketView, Series
from surefill.strategies.rsi_macd import RsiMacd
from tests.unit.backtest.bench import body, run_bodies
from tests.unit.backtest.markets import START_MS, random_walk, symbol_of

_ACTIONS = (base.Action.HOLD, base.Action.BUY, base.Action.SELL)
Step = tuple[int, str, str | None]


class Erratic(base.Strategy):
    """Does at each candle what a list says, by the candle's place in time: an action, a weight, an amount."""

    name: ClassVar[str] = "rsi_macd"
    Params: ClassVar[type[base.Params]] = base.Params
    PLAN: ClassVar[tuple[Step, ...]] = ()

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        return base.Needs(candles=2)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        action, weight, spend = self.PLAN[int(market.closed_at.timestamp()) // 300 % len(self.PLAN)]
        amount = None if spend is None else Decimal(spend)
        return base.Signal(action=_ACTIONS[action], weight=Decimal(weight), spend=amount)


class Moody(base.Strategy):
    """Buys on a rise, sells on a fall, and says so of all candles at once."""

    name: ClassVar[str] = "rsi_macd"
    Params: ClassVar[type[base.Params]] = base.Params
    confirms: ClassVar[bool] = False

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        return base.Needs(candles=2)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        now, before = market.close(), market.close(1)
        action = base.Action.BUY if now > before else base.Action.SELL if now < before * 0.999 else base.Action.HOLD
        return base.Signal(action=action)

    def sides(self, series: Series) -> Any:
        now = series.column("close")
        before = np.concatenate([[np.nan], now[:-1]])
        return np.where(now > before, 1, np.where(now < before * 0.999, -1, 0))


class Quick(RsiMacd):
    """The product's rule with a short memory."""

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        return base.Needs(candles=12)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One backtest that any engine can run."""

    histories: Sequence[History]
    bodies: list[dict[str, Any]]
    rules_of_bots: dict[str, dict[str, Any]]
    strategy: type[base.Strategy]
    fill: FillModel
    costs: Costs
    budget: str
    limits: dict[str, Any]
    rules: dict[str, MarketRules]

    def run(self, engine: EngineKind) -> BudgetResult:
        """Run it on an engine."""

        def changed(bot: Bot) -> Bot:
            return replace(bot, **self.rules_of_bots[bot.bot_id])

        return run_bodies(
            self.bodies,
            list(self.histories),
            fill=self.fill,
            costs=self.costs,
            budget=self.budget,
            limits=self.limits,
            rules=self.rules,
            strategies={"rsi_macd": self.strategy},
            changed=changed,
            engine=engine,
        )


def case_of(seed: int) -> Case:
    """The case of a seed."""
    draw = Random(seed)
    pairs = draw.randint(1, 3)
    timeframe = draw.choice(("1m", "5m", "1h"))
    histories = [_history(draw, seed=seed, pair=pair, timeframe=timeframe) for pair in range(pairs)]
    symbols = [history.symbol for history in histories]
    strategy = draw.choice((_erratic(draw), _erratic(draw), Moody, Quick))
    names = [f"bot{number}" for number in range(draw.randint(1, 3))]
    return Case(
        histories=histories,
        bodies=[_body(draw, name, symbols, timeframe=timeframe, strategy=strategy) for name in names],
        rules_of_bots={name: _rules_of_bot(draw) for name in names},
        strategy=strategy,
        fill=draw.choice((FillModel.CLOSE, FillModel.NEXT_OPEN)),
        costs=Costs(
            fee=Decimal(draw.choice(("0", "0.001", "0.00075"))),
            slippage_percent=Decimal(draw.choice(("0", "0", "0.05", "1.3"))),
            fee_in_quote=draw.random() < 0.3,
        ),
        budget=draw.choice(("150", "1000", "10000.12345678")),
        limits=_limits(draw),
        rules={history.symbol: _rules(draw, history) for history in histories if draw.random() < 0.5},
    )


def _history(draw: Random, *, seed: int, pair: int, timeframe: str) -> History:
    count = draw.randint(90, 150)
    walk = random_walk(pairs=pair + 1, candles=count, seed=seed)
    kept = np.ones(count, dtype=bool)
    for _ in range(draw.choice((0, 0, 3))):
        kept[draw.randint(2, count - 2)] = False
    scale = draw.choice((1.0, 1.0, 1e-4))
    opened_ms = START_MS + np.arange(count, dtype=np.int64) * timeframe_seconds(timeframe) * 1_000
    columns = {name: (getattr(walk, name)[pair] * scale)[kept] for name in ("open", "high", "low", "close")}
    return History(
        symbol=symbol_of(pair),
        timeframe=timeframe,
        opened_ms=opened_ms[kept],
        volume=walk.volume[pair][kept] * (draw.random() > 0.05),
        **columns,
    )


def _erratic(draw: Random) -> type[base.Strategy]:
    busy = draw.choice((0.2, 0.5, 0.9))
    plan = [
        (
            draw.randint(1, 2) if draw.random() < busy else 0,
            draw.choice(("1", "1", "2", "0.1")),
            draw.choice((None, None, None, "40")),
        )
        for _ in range(draw.randint(1, 40))
    ]
    return type("Planned", (Erratic,), {"PLAN": tuple(plan), "confirms": draw.random() < 0.6})


def _body(
    draw: Random, name: str, symbols: Sequence[str], *, timeframe: str, strategy: type[base.Strategy]
) -> dict[str, Any]:
    own = draw.sample(list(symbols), draw.randint(1, len(symbols)))
    longer = {"1m": ("1m", "5m"), "5m": ("5m", "15m"), "1h": ("1h",)}[timeframe]
    params = {"rsi_period": 4, "macd_fast": 2, "macd_slow": 4, "macd_signal": 2, "rsi_entry": 60, "rsi_exit": 65}
    return body(
        own,
        name=name,
        timeframe=draw.choice(longer),
        interval_seconds=draw.choice((60, 300, 900)),
        params=params if issubclass(strategy, RsiMacd) else {},
        budget_percent=draw.choice(("5", "20", "25")),
        take_profit_percent=draw.choice(("0.4", "1", "5", "1000")),
        stop_loss_percent=draw.choice(("0.3", "0.9", "4", "99")),
        slippage_percent=draw.choice(("0", "0.5")),
        confirmation_seconds=draw.choice((0, 0, 300, 900)),
        cooldown_seconds=draw.choice((0, 0, 600, 3_600)),
        accept_risk_ratio=True,
    )


def _rules_of_bot(draw: Random) -> dict[str, Any]:
    return {"sizing": _sizing(draw), "gates": _gates(draw), "exit_rules": _exits(draw)}


def _sizing(draw: Random) -> SizingRules:
    return SizingRules(
        mode=draw.choice((SizingMode.PERCENT, *SizingMode)),
        amount=Decimal(draw.choice(("30", "75.5"))),
        kelly_trades=draw.choice((2, 5)),
        tiers=(Tier(from_equity=Decimal(0), percent=Decimal(10)), Tier(from_equity=Decimal(900), percent=Decimal(20))),
        max_percent=Decimal(draw.choice(("25", "12"))),
        max_trade=draw.choice((None, Decimal("60.5"))),
        minimum_tolerance_percent=Decimal(draw.choice(("0", "50"))),
    )


def _gates(draw: Random) -> GateRules:
    def protection(percent: str) -> Protection | None:
        if draw.random() < 0.75:
            return None
        return Protection(
            lookback_seconds=draw.choice((3_600, 86_400)),
            trades=draw.randint(1, 3),
            pause_seconds=draw.choice((900, 7_200)),
            percent=Decimal(percent),
        )

    return GateRules(
        hours=draw.choice(((), (), ("mon-fri 08:00-18:00",))),
        time_zone=draw.choice(("UTC", "Europe/Berlin")),
        max_gap_percent=Decimal(draw.choice(("5", "0.2"))),
        stop_loss_guard=protection("0"),
        max_drawdown=protection("0.5"),
        low_profit=protection("0.1"),
    )


def _exits(draw: Random) -> ExitRules:
    if draw.random() < 0.4:
        return ExitRules()

    def some(*values: str) -> Decimal | None:
        return Decimal(draw.choice(values)) if draw.random() < 0.4 else None

    return ExitRules(
        trailing_percent=some("0.2", "1"),
        trailing_from_percent=Decimal(draw.choice(("0", "0.3"))),
        break_even_from_percent=some("0.2", "0.6"),
        break_even_margin_percent=Decimal(draw.choice(("0", "0.1"))),
        roi=draw.choice(
            (
                (),
                (
                    RoiStep(after_seconds=0, percent=Decimal("0.8")),
                    RoiStep(after_seconds=1_800, percent=Decimal("0.1")),
                ),
            )
        ),
        time_limit_seconds=draw.choice((None, None, 1_000, 7_200)),
        atr_stop_multiple=some("2"),
    )


def _limits(draw: Random) -> dict[str, Any]:
    possible: dict[str, Any] = {
        "max_open_positions": draw.randint(1, 2),
        "max_trades_per_day": draw.randint(2, 8),
        "max_daily_loss": Decimal(draw.choice(("0.3", "2"))),
        "max_exposure_per_asset": Decimal(draw.choice(("50", "400"))),
        "max_drawdown": Decimal(draw.choice(("1", "8"))),
        "time_zone": draw.choice(("Asia/Tokyo", "America/New_York")),
    }
    limits = {name: value for name, value in possible.items() if draw.random() < 0.25}
    if "max_drawdown" in limits:
        limits["realised_floor"] = -limits["max_drawdown"]
    return limits


def _rules(draw: Random, history: History) -> MarketRules:
    """Steps that an entry buys thousands of, or so few of that the fee leaves less than one to sell."""
    coarse = Decimal(10) ** (Decimal(20 / float(history.close[0])).adjusted())
    return replace(
        permissive_rules(history.symbol, fee=Decimal(0)),
        quantity_step=draw.choice((Decimal("0.00000001"), coarse / 100, coarse)),
        price_step=Decimal(draw.choice(("0.00000001", "0.01"))),
        min_quantity=Decimal(draw.choice(("0", "0.01"))),
        min_notional=Decimal(draw.choice(("0", "5", "35"))),
    )
