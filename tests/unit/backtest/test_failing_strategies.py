"""A strategy that raises stops its own bot: no other, and not that bot's exits."""

from surefill.domain.reasons import Reason
from surefill.strategies import base
from surefill.strategies.market import MarketView
from tests.unit.backtest.bench import body, run_bodies
from tests.unit.backtest.markets import history_of
from tests.unit.backtest.scripted import BTC, FLAT, Script, moment


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
