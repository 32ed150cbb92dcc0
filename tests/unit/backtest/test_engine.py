"""Fills, exits inside a candle, limits, gaps, grids: what the engine does with candles made for one question each."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
import pytest

from local.backtest.costs import Costs
from local.backtest.history import History
from local.backtest.outcome import BudgetResult, Trade
from local.backtest.setting_up import permissive_rules
from local.backtest.spec import EngineKind, FillModel
from local.errors import LocalError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot
from surefill.domain.rules import ExitRules, LadderStep
from surefill.domain.times import from_milliseconds
from surefill.strategies import STRATEGIES, base
from surefill.strategies.market import MarketView
from tests.unit.backtest.bench import NO_COSTS, body, run_bodies
from tests.unit.backtest.markets import FIVE_MINUTES_MS, START_MS, history_of, random_walk

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


# fills


def test_a_decision_fills_at_its_close_or_at_the_next_open() -> None:
    rows = [FLAT, (100, 101, 99, 101.0), (102.0, 103, 102, 103), (104.0, 104, 104, 104)]
    strategy = script(buys=(1,), sells=(2,))
    at_close = only(run(rows, strategy=strategy, fill=FillModel.CLOSE))
    assert (at_close.entry_price, at_close.exit_price) == (101.0, 103.0)
    assert (at_close.opened_at, at_close.closed_at) == (moment(2), moment(3))
    at_open = only(run(rows, strategy=strategy, fill=FillModel.NEXT_OPEN))
    assert (at_open.entry_price, at_open.exit_price) == (102.0, 104.0)
    assert (at_open.opened_at, at_open.closed_at) == (moment(2), moment(3))


def test_the_last_candle_has_no_next_open() -> None:
    assert not run([FLAT, FLAT], fill=FillModel.NEXT_OPEN).orders
    assert len(run([FLAT, FLAT], fill=FillModel.CLOSE).orders) == 1


def test_fee_and_slippage_are_paid_both_ways() -> None:
    costs = Costs(fee=Decimal("0.001"), slippage_percent=Decimal("0.5"))
    fields = {"slippage_percent": "1"}
    trade = only(run([FLAT] * 4, strategy=script(sells=(2,)), costs=costs, fields=fields))
    assert (trade.entry_price, trade.exit_price) == pytest.approx((100.5, 99.5))
    kept = trade.quantity - (trade.quantity * Decimal("0.001")).quantize(Decimal("0.00000001"), rounding="ROUND_DOWN")
    assert trade.cost == trade.quantity * Decimal("100.5")
    gross = kept * Decimal("99.5")
    assert trade.proceeds == gross - (gross * Decimal("0.001")).quantize(Decimal("0.00000001"), rounding="ROUND_DOWN")


def test_a_buy_never_pays_more_than_its_limit() -> None:
    trade = only(run([FLAT] * 4, strategy=script(sells=(2,)), costs=Costs(fee=Decimal(0), slippage_percent=Decimal(3))))
    assert (trade.entry_price, trade.exit_price) == (100.0, 97.0)


def test_an_order_fills_no_more_than_its_share_of_the_volume() -> None:
    result = run([FLAT] * 6, strategy=script(sells=(2, 3, 4)), costs=Costs(fee=Decimal(0), volume_share=Decimal("0.1")))
    assert [order.quantity for order in result.orders] == [Decimal(10), Decimal(10)]
    assert only(result).proceeds == Decimal(1_000)


def test_rules_of_the_venue_refuse_and_round() -> None:
    rules = replace(permissive_rules(BTC, fee=Decimal(0)), quantity_step=Decimal("0.1"), min_notional=Decimal(200))
    small = run([FLAT] * 4, rules={BTC: rules}, budget="1000")
    assert not small.orders
    assert small.decisions[Reason.BELOW_MINIMUM] == 1
    enough = run([FLAT] * 4, rules={BTC: rules}, budget="2510")
    assert enough.orders[0].quantity == Decimal("2.5")


# inside a candle


@pytest.mark.parametrize("fill", [FillModel.CLOSE, FillModel.NEXT_OPEN])
@pytest.mark.parametrize(
    ("candle", "price", "reason"),
    [
        ((100.0, 104.0, 94.0, 103.0), 95.0, Reason.STOP_LOSS),
        ((100.0, 111.0, 99.0, 100.0), 110.0, Reason.TAKE_PROFIT),
        ((100.0, 120.0, 90.0, 119.0), 95.0, Reason.STOP_LOSS),
        ((93.0, 96.0, 92.0, 95.5), 93.0, Reason.STOP_LOSS),
        ((112.0, 113.0, 94.0, 112.0), 112.0, Reason.TAKE_PROFIT),
        ((95.0, 97.0, 95.0, 96.0), 95.0, Reason.STOP_LOSS),
    ],
    ids=["low at stop", "high at profit", "both: the stop", "gap below the stop", "gap above the profit", "touch"],
)
def test_levels_are_met_in_the_careful_order(fill: FillModel, candle: Row, price: float, reason: Reason) -> None:
    trade = only(run([FLAT, FLAT, FLAT, candle, FLAT], fill=fill))
    assert (trade.exit_price, trade.reason) == (price, reason)
    assert moment(3) <= trade.closed_at < moment(4)


def test_the_candle_of_the_entry_counts_only_from_the_entry_on() -> None:
    wild = (100.0, 150.0, 50.0, 100.0)
    assert not run([FLAT, wild, FLAT, FLAT], fill=FillModel.CLOSE).trades
    assert only(run([FLAT, FLAT, wild, FLAT], fill=FillModel.NEXT_OPEN)).reason is Reason.STOP_LOSS


def test_exits_are_looked_for_in_the_recorded_candles_not_in_the_longer_ones() -> None:
    minutes = [FLAT] * 12 + [(100.0, 111.0, 100.0, 100.0), (100.0, 100.0, 90.0, 100.0)] + [FLAT] * 6
    trade = only(run([], history=history_of(minutes, timeframe="1m")))
    assert trade.reason is Reason.TAKE_PROFIT


def test_a_trailing_stop_follows_the_highs() -> None:
    rows = [FLAT, FLAT, (100, 104.0, 100, 104), (104, 108.0, 104, 108), (108, 108, 104.0, 105), FLAT]
    trade = only(run(rows, exits=ExitRules(trailing_percent=Decimal(3), trailing_from_percent=Decimal(2))))
    assert trade.reason is Reason.TRAILING_STOP
    assert trade.exit_price == pytest.approx(108 * 0.97)


def test_a_trailing_stop_raised_by_a_high_holds_for_the_close_of_the_same_candle() -> None:
    rows = [FLAT, FLAT, (100, 109.0, 100.0, 101.0), FLAT]
    trade = only(run(rows, exits=ExitRules(trailing_percent=Decimal(3), trailing_from_percent=Decimal(2))))
    assert trade.reason is Reason.TRAILING_STOP
    assert trade.exit_price == pytest.approx(109 * 0.97)


def test_a_time_limit_ends_a_position_at_the_open_after_it() -> None:
    rows = [FLAT, FLAT, FLAT, FLAT, (101.0, 101, 101, 101), FLAT]
    trade = only(run(rows, exits=ExitRules(time_limit_seconds=600)))
    assert trade.reason is Reason.TIME_LIMIT
    assert trade.closed_at - trade.opened_at == timedelta(minutes=10)
    assert trade.exit_price == 101.0


def test_a_ladder_sells_in_parts() -> None:
    ladder = (LadderStep(percent=Decimal(2), share=Decimal("0.5")), LadderStep(percent=Decimal(4), share=Decimal(1)))
    rows = [FLAT, FLAT, (100, 102.5, 100, 102.5), (102.5, 105.0, 102.5, 105), FLAT]
    result = run(rows, exits=ExitRules(ladder=ladder))
    assert [order.reason for order in result.orders] == [Reason.BUY, Reason.LADDER, Reason.LADDER]
    assert [order.price for order in result.orders[1:]] == pytest.approx([102.0, 104.0], rel=1e-6)
    assert result.orders[1].quantity == result.orders[2].quantity
    assert only(result).exit_price == pytest.approx(103.0, rel=1e-6)


# limits and signals


def test_limits_of_the_budget_hold() -> None:
    rows = [FLAT] * 12
    strategy = script(buys=(1, 3, 5, 7), sells=(2, 4, 6, 8))
    assert len(run(rows, strategy=strategy).trades) == 4
    limited = run(rows, strategy=strategy, limits={"max_trades_per_day": 2})
    assert len(limited.trades) == 2
    assert limited.decisions[Reason.LIMIT_TRADES] == 2


def test_two_bots_share_one_budget() -> None:
    bodies = [body([BTC], name="one", budget_percent="25"), body([BTC], name="two", budget_percent="20")]
    result = run_bodies(
        bodies, [history_of([FLAT] * 5)], limits={"max_open_positions": 1}, strategies={"rsi_macd": script()}
    )
    assert [order.bot for order in result.orders] == ["one"]
    assert result.decisions[Reason.LIMIT_OPEN_POSITIONS] == 1


def test_a_cooldown_and_a_confirmation_wait() -> None:
    every = script(buys=tuple(range(20)), sells=())
    falling = [FLAT, FLAT, FLAT, (100.0, 100.0, 94.0, 100.0), *[FLAT] * 8]
    cool = run(falling, strategy=every, fields={"cooldown_seconds": 1_200})
    assert [order.at for order in cool.orders if order.side == "BUY"] == [moment(1), moment(8)]
    firm = run([FLAT] * 8, strategy=every, fields={"confirmation_seconds": 900})
    assert [order.at for order in firm.orders] == [moment(4)]
    brief = run([FLAT] * 8, strategy=script(buys=(1, 2, 4, 5)), fields={"confirmation_seconds": 900})
    assert not brief.orders


def test_a_bot_is_asked_at_its_interval_only() -> None:
    every = script(buys=tuple(range(20)))
    result = run([FLAT] * 9, strategy=every, fields={"interval_seconds": 1_800})
    assert [order.at for order in result.orders] == [moment(6)]


def test_a_gap_is_no_candle() -> None:
    history = history_of([FLAT, FLAT, (90.0, 90, 90, 90), FLAT])
    times = history.opened_ms.copy()
    times[2:] += 10 * FIVE_MINUTES_MS
    trade = only(run([], history=replace(history, opened_ms=times)))
    assert (trade.exit_price, trade.closed_at) == (90.0, moment(12))


def test_a_symbol_that_lists_later_trades_later() -> None:
    early = random_walk(pairs=2, candles=3_000)
    late = early.history(1)
    listed = replace(late, **{name: getattr(late, name)[2_000:] for name in _COLUMNS})
    result = run_bodies([body([late.symbol, "C00/USDT"])], [early.history(0), listed])
    first = min(trade.opened_at for trade in result.trades if trade.symbol == late.symbol)
    assert first.timestamp() * 1_000 > int(listed.opened_ms[0])
    assert len(result.curve.times_ms) == 3_000


_COLUMNS = ("opened_ms", "open", "high", "low", "close", "volume")


def test_a_warm_up_longer_than_the_data_is_one_sentence() -> None:
    with pytest.raises(LocalError, match=r"needs .* candles of 5m on C00/USDT before its first decision, there are 50"):
        run_bodies([body(["C00/USDT"])], [random_walk(pairs=1, candles=50).history(0)])


def test_a_strategy_that_fails_stops_its_bot_and_no_other() -> None:
    class Both(Script):
        def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
            if market.symbol == "BAD/USDT":
                raise ZeroDivisionError("no reason")
            return super().decide(market, position)

    histories = [history_of([FLAT] * 6), history_of([FLAT] * 6, symbol="BAD/USDT")]
    bodies = [body([BTC], name="good"), body(["BAD/USDT"], name="bad")]
    result = run_bodies(bodies, histories, strategies={"rsi_macd": Both})
    assert [order.bot for order in result.orders] == ["good"]
    assert result.decisions[Reason.STRATEGY_FAILED] == 1


def test_a_bot_that_fails_on_one_symbol_is_paused_on_all_and_its_exits_go_on() -> None:
    class FailsLate(Script):
        def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
            if market.symbol == "BAD/USDT" and market.closed_at >= moment(3):
                raise ZeroDivisionError("no reason")
            return super().decide(market, position)

    good = history_of([FLAT] * 5 + [(100.0, 100.0, 90.0, 95.0), FLAT, FLAT])
    result = run_bodies(
        [body([BTC, "BAD/USDT"], stop_loss_percent="5")],
        [good, history_of([FLAT] * 8, symbol="BAD/USDT")],
        strategies={"rsi_macd": type("Late", (FailsLate,), {"BUYS": frozenset({1, 7})})},
    )
    assert [(order.symbol, order.side) for order in result.orders] == [
        (BTC, "BUY"), ("BAD/USDT", "BUY"), (BTC, "SELL"),
    ]  # fmt: skip
    assert result.decisions[Reason.STRATEGY_FAILED] == 1


def test_screened_candles_and_all_candles_give_the_same_orders() -> None:
    from surefill.strategies.rsi_macd import RsiMacd

    class Unscreened(RsiMacd):
        def screen(self, series: Any) -> Any:
            return None

    histories = [random_walk(pairs=1, candles=2_500).history(0)]
    screened = run_bodies([body(["C00/USDT"], stop_loss_percent="1", take_profit_percent="1")], histories)
    asked = run_bodies(
        [body(["C00/USDT"], stop_loss_percent="1", take_profit_percent="1")],
        histories,
        strategies={"rsi_macd": Unscreened},
    )
    assert screened.orders == asked.orders
    assert len(screened.trades) > 20
    assert np.array_equal(screened.curve.values, asked.curve.values)


LEVELS = {"stop_loss_percent": "1", "take_profit_percent": "2"}


@pytest.mark.parametrize("fields", [{}, {"confirmation_seconds": 600, "cooldown_seconds": 1_800}])
def test_plain_signals_and_whole_evaluations_give_the_same_orders(fields: dict[str, Any]) -> None:
    walk = random_walk(pairs=2, candles=2_500, seed=5)
    bodies = [
        body(
            ["C00/USDT", "C01/USDT"], name=name, strategy=name, stop_loss_percent="1", take_profit_percent="2", **fields
        )
        for name in ("rsi_macd", "composite", "signal_dca")
    ]
    histories = [walk.history(0), walk.history(1)]
    limits = {"max_open_positions": 4, "max_trades_per_day": 25}
    plain = run_bodies(bodies, histories, strategies=STRATEGIES, limits=limits, engine=EngineKind.PROTOCOL)
    whole = run_bodies(bodies, histories, strategies=STRATEGIES, limits=limits, whole=True)
    assert plain.orders == whole.orders
    assert plain.decisions == whole.decisions
    assert plain.available == whole.available
    assert len(plain.orders) > 40


class OneRung(Script):
    """A grid of one rung: buys at 95, sells at 105."""

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        rung = base.Rung(name="level0", buy_price=Decimal(95), sell_price=Decimal(105))
        return base.Signal(action=base.Action.HOLD, rungs=(rung,))


def test_a_rung_fills_at_its_own_prices_again_and_again() -> None:
    rows = [
        FLAT, FLAT,
        (100, 100, 94.0, 96.0), (96, 106.0, 96, 104),
        (104, 104, 95.0, 96), (96, 110.0, 94.0, 100), FLAT,
    ]  # fmt: skip
    result = run(rows, strategy=OneRung, fields={"take_profit_percent": "50", "stop_loss_percent": "50"})
    assert [(order.side, order.price) for order in result.orders] == [
        ("BUY", 95.0), ("SELL", 105.0), ("BUY", 95.0), ("SELL", 105.0),
    ]  # fmt: skip
    assert [order.at >= moment(place) for order, place in zip(result.orders, (2, 3, 4, 5), strict=True)] == [True] * 4
    assert result.decisions[Reason.GRID_ARMED] >= 4


def test_an_order_placed_in_a_candle_does_not_fill_in_it() -> None:
    rows = [FLAT, FLAT, (100, 106.0, 94.0, 100.0), FLAT, FLAT]
    result = run(rows, strategy=OneRung, fields={"take_profit_percent": "50", "stop_loss_percent": "50"})
    assert [order.side for order in result.orders] == ["BUY"]


def test_waiting_orders_are_made_anew_after_their_time() -> None:
    week = 7 * 288
    rows = [FLAT] * (week + 300) + [(100, 100, 94.0, 95.0)]
    result = run(
        rows,
        strategy=OneRung,
        fields={"take_profit_percent": "50", "stop_loss_percent": "50", "interval_seconds": 86_400},
    )
    assert result.decisions[Reason.GRID_ARMED] == 2
    assert [order.price for order in result.orders] == [95.0]
