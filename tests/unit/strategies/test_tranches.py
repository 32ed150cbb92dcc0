"""dca, signal_dca, bollinger_range and rebalance: one test per row of their signal tables."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from surefill.strategies import STRATEGIES
from surefill.strategies.base import Action, Position, Signal
from tests.unit.strategies.told import NOON, Told, held


def signal_of(name: str, position: Position | None, params: dict[str, Any] | None = None, **told: Any) -> Signal:
    return STRATEGIES[name](params or {}).decide(Told(**told), position)


def test_dca_begins_at_once() -> None:
    signal = signal_of("dca", None, {"amount": "25"}, close=100)
    assert (signal.action, signal.adds, signal.spend) == (Action.BUY, True, Decimal(25))


@pytest.mark.parametrize(
    ("ago", "buys", "action"),
    [
        (timedelta(hours=24), 3, "BUY"), (timedelta(hours=23, minutes=59), 3, "BUY"), (timedelta(hours=23), 3, "HOLD"),
        (timedelta(hours=24), 4, "HOLD"), (timedelta(hours=1), 3, "HOLD"),
    ],
)  # fmt: skip
def test_dca_goes_on(ago: timedelta, buys: int, action: str) -> None:
    """A buy that filled within its hour counts from the start of that hour."""
    signal = signal_of("dca", held(tranches=buys, last_at=NOON - ago), {"max_buys": 4}, close=100)
    assert (signal.action, signal.adds) == (Action(action), action == "BUY")


def test_dca_has_no_limit_by_default() -> None:
    assert signal_of("dca", held(tranches=10_000, last_at=NOON - timedelta(days=2)), close=1).action is Action.BUY


@pytest.mark.parametrize(
    ("params", "told", "action"),
    [
        ({}, {"rsi": 30}, "BUY"), ({}, {"rsi": 30.1}, "HOLD"), ({}, {"rsi": 0}, "HOLD"),
        ({"entry": "always"}, {}, "BUY"),
        ({"entry": "composite"}, {"rsi": 20, "macd": (2, 1), "sma10": 2, "sma50": 1}, "BUY"),
        ({"entry": "composite"}, {"rsi": 50, "macd": (1, 2), "sma10": 2, "sma50": 1}, "HOLD"),
        ({"entry": "composite", "temperature": "cold"}, {"rsi": 40, "macd": (2, 1), "sma10": 1, "sma50": 1}, "HOLD"),
        ({"entry": "composite", "temperature": "hot"}, {"rsi": 40, "macd": (2, 1), "sma10": 1, "sma50": 1}, "BUY"),
    ],
)  # fmt: skip
def test_signal_dca_begins_on_its_signal(params: dict[str, Any], told: dict[str, Any], action: str) -> None:
    signal = signal_of("signal_dca", None, params, close=100, **told)
    assert (signal.action, signal.adds, signal.weight) == (Action(action), False, 1)


@pytest.mark.parametrize(
    ("params", "tranches", "close", "weight"),
    [
        ({}, 1, 98, "1"), ({}, 1, 98.1, None), ({}, 5, 98, "1"), ({}, 6, 50, None),
        ({"step_scale": 2}, 3, 92, "1"), ({"step_scale": 2}, 3, 92.1, None),
        ({"mode": "pyramid_up", "size_scale": 2}, 1, 98, "2"), ({"mode": "pyramid_up", "size_scale": 2}, 3, 98, "8"),
        ({"mode": "pyramid_down", "size_scale": 2}, 1, 98, "0.5"),
        ({"mode": "pyramid_down", "size_scale": 2}, 3, 98, "0.125"),
        ({"safety_orders": 0}, 1, 50, None),
    ],
)  # fmt: skip
def test_safety_orders(params: dict[str, Any], tranches: int, close: float, weight: str | None) -> None:
    signal = signal_of("signal_dca", held(price="120", last_price="100", tranches=tranches), params, close=close)
    if weight is None:
        assert signal.action is Action.HOLD
    else:
        assert (signal.action, signal.adds, signal.weight) == (Action.BUY, True, Decimal(weight))


@pytest.mark.parametrize(
    ("atr", "last", "close", "weight"),
    [
        (2.0, "100.3", 96, "2.0833"), (2.0, "100", 97, None), (0.4, "100", 99, "0.5"), (8.0, "100", 80, "3.0"),
        (1.0, "100.1", 98, "1.0204"),
    ],
)  # fmt: skip
def test_adaptive_safety_orders_follow_the_volatility(atr: float, last: str, close: float, weight: str | None) -> None:
    """At a close of 96, two ranges of 2 are 4.17 %: wider than the plain 2 %, and as much heavier."""
    params = {"mode": "adaptive", "atr_multiple": 2}
    signal = signal_of("signal_dca", held(last_price=last), params, close=close, atr=atr)
    assert (signal.action is Action.BUY, str(signal.weight)) == (weight is not None, weight or "1")


@pytest.mark.parametrize(("reference", "action"), [("last", "HOLD"), ("average", "BUY")])
def test_safety_orders_measure_from_the_last_price_or_the_average(reference: str, action: str) -> None:
    position = held(price="120", last_price="100")
    assert signal_of("signal_dca", position, {"reference": reference}, close=99).action == Action(action)


BANDS = (90.0, 100.0, 110.0)


@pytest.mark.parametrize(
    ("position", "close", "bands", "action"),
    [
        (None, 94, BANDS, "BUY"), (None, 94.1, BANDS, "HOLD"), (None, 85, BANDS, "BUY"), (None, 84.9, BANDS, "HOLD"),
        (None, 94, (93.8, 94.0, 94.2), "HOLD"), (None, 100, (100, 100, 100), "HOLD"),
        (held(last_price="94.5"), 94, BANDS, "BUY"), (held(last_price="94.4"), 94, BANDS, "HOLD"),
        (held(last_price="120", tranches=3), 94, BANDS, "HOLD"), (held(last_price="120"), 84.9, BANDS, "HOLD"),
        (held(last_price="120"), 100, BANDS, "HOLD"), (None, 100, BANDS, "HOLD"), (None, 108, BANDS, "HOLD"),
        (held(), 108, BANDS, "SELL"), (held(), 107.9, BANDS, "HOLD"),
    ],
)  # fmt: skip
def test_bollinger_range(position: Position | None, close: float, bands: Any, action: str) -> None:
    signal = signal_of("bollinger_range", position, close=close, bands=bands)
    assert signal.action == Action(action)
    if signal.action is Action.BUY:
        assert (signal.adds, signal.weight) == (True, Decimal("0.3333"))


def holding(quantity: str, *, equity: str = "1000") -> Position:
    return Position(quantity=Decimal(quantity), cost=Decimal(1), opened_at=NOON, equity=Decimal(equity))


WEIGHTS = {"weights": "BTC/USDT=50, ETH/USDT=30", "threshold_percent": 5, "minimum_trade": 20}


@pytest.mark.parametrize(
    ("quantity", "action", "amount"),
    [
        ("4.5", "BUY", "50"), ("4.51", "HOLD", None), ("0", "BUY", "500"), ("5", "HOLD", None), ("5.49", "HOLD", None),
        ("5.5", "SELL", "0.090910"), ("10", "SELL", "0.5"),
    ],
)  # fmt: skip
def test_rebalance(quantity: str, action: str, amount: str | None) -> None:
    """Half of an equity of 1000 at a price of 100 is 5."""
    signal = signal_of("rebalance", holding(quantity), WEIGHTS, close=100)
    assert signal.action == Action(action)
    if signal.action is Action.BUY:
        assert (signal.adds, signal.spend) == (True, Decimal(amount))
    elif signal.action is Action.SELL:
        assert signal.share == Decimal(amount)


def test_rebalance_leaves_small_differences() -> None:
    assert signal_of("rebalance", holding("0", equity="39.9"), WEIGHTS, close=100).action is Action.HOLD
    assert signal_of("rebalance", holding("0", equity="40"), WEIGHTS, close=100).action is Action.BUY


def test_rebalance_with_no_equity_does_nothing() -> None:
    assert signal_of("rebalance", holding("0", equity="0"), WEIGHTS, close=100).action is Action.HOLD


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ("BTC/USDT", "must look like"), ("BTC/USDT=50, BTC/USDT=10", "comes twice"), ("BTC/USDT=0", "above 0"),
        ("BTC/USDT=60, ETH/USDT=41", "was 101"), ("BTC/USDT=x", "must look like"), ("", "must look like"),
    ],
)  # fmt: skip
def test_weights_that_cannot_be_are_refused(weights: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        STRATEGIES["rebalance"]({"weights": weights})


def test_weights_must_name_the_symbols_of_the_bot() -> None:
    strategy = STRATEGIES["rebalance"](WEIGHTS)
    assert strategy.needs(("ETH/USDT", "BTC/USDT"), "BTC/USDT").equity
    with pytest.raises(ValueError, match="must name the bot's symbols BTC/USDT, was BTC/USDT, ETH/USDT"):
        strategy.needs(("BTC/USDT",), "BTC/USDT")
