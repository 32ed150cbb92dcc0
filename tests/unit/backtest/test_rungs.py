"""Orders resting on a grid's rungs: filled at their own prices, not in their own candle, made anew after their time."""

from decimal import Decimal

from surefill.domain.reasons import Reason
from surefill.strategies import base
from surefill.strategies.market import MarketView
from tests.unit.backtest.scripted import FLAT, Script, moment, run


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
