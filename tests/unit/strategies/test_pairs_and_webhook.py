"""pairs and webhook: one test per row of their signal tables."""

import math
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy
import pytest

from surefill.strategies import STRATEGIES
from surefill.strategies.base import Action, Alert, AlertStrategy, Position
from surefill.strategies.webhook import Webhook
from tests.unit.strategies.told import NOON, Told, held

SPAN = 100


def pair(z: float, *, other_closed_at: Any = NOON) -> Told:
    """A market whose log-ratio is z deviations from its mean: 99 values around 0 and the newest where z wants it."""
    calm = [0.01 if index % 2 else -0.01 for index in range(SPAN - 1)]
    low, high = -1.0, 1.0
    for _ in range(200):  # the deviation holds the newest value too, so it is found by halving
        middle = (low + high) / 2
        low, high = (middle, high) if z_of([*calm, middle]) < z else (low, middle)
    ratios = [*calm, high]
    return Told(
        close=50.0,
        window=numpy.exp(ratios) * 50,
        others={
            ("ETH/USDT", ""): Told(
                symbol="ETH/USDT", close=50.0, window=numpy.full(SPAN, 50.0), closed_at=other_closed_at
            )
        },
    )


def z_of(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return (values[-1] - mean) / math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


@pytest.mark.parametrize(
    ("position", "z", "action"),
    [
        (None, -2.01, "BUY"), (None, -1.99, "HOLD"), (None, -3.99, "BUY"), (None, -4.01, "HOLD"), (None, 3, "HOLD"),
        (held(), 0.01, "SELL"), (held(), -0.01, "HOLD"), (held(), -4.01, "SELL"), (held(), -3.99, "HOLD"),
    ],
)  # fmt: skip
def test_pairs(position: Position | None, z: float, action: str) -> None:
    signal = STRATEGIES["pairs"]({"lookback": SPAN}).decide(pair(z), position)
    assert (signal.action, float(signal.numbers["z_score"])) == (Action(action), pytest.approx(z, abs=1e-3))


@pytest.mark.parametrize("position", [None, held()])
def test_pairs_hold_when_candles_do_not_match(position: Position | None) -> None:
    market = pair(-3, other_closed_at=NOON - timedelta(hours=1))
    signal = STRATEGIES["pairs"]({"lookback": SPAN}).decide(market, position)
    assert (signal.action, signal.numbers["z_score"]) == (Action.HOLD, "unknown")


def test_pairs_hold_when_prices_stand_still() -> None:
    still = numpy.full(SPAN, 7.3)
    market = Told(close=7.3, window=still, others={("ETH/USDT", ""): Told(symbol="ETH/USDT", close=7.3, window=still)})
    assert STRATEGIES["pairs"]({"lookback": SPAN}).decide(market, None).numbers["z_score"] == "unknown"


def test_pairs_need_two_symbols() -> None:
    strategy = STRATEGIES["pairs"]({})
    (other,) = strategy.needs(("BTC/USDT", "ETH/USDT"), "ETH/USDT").others
    assert (other.symbol, other.candles) == ("BTC/USDT", strategy.needs(("A/B", "C/B"), "A/B").candles)
    with pytest.raises(ValueError, match="exactly 2 symbols, was 3"):
        strategy.needs(("A/B", "C/B", "D/B"), "A/B")


def test_webhook_waits() -> None:
    signal = Webhook({}).decide(Told(close=100), held())
    assert (signal.action, signal.numbers["waiting"]) == (Action.HOLD, "waiting for an alert")


@pytest.mark.parametrize(
    ("wish", "age", "price", "action"),
    [
        ("BUY", 0, None, "BUY"), ("BUY", 300, "102", "BUY"), ("BUY", 301, None, "HOLD"), ("BUY", 0, "102.1", "HOLD"),
        ("BUY", 0, "97.9", "HOLD"), ("SELL", -200, "100", "SELL"), ("HOLD", 0, None, "HOLD"),
    ],
)  # fmt: skip
def test_webhook_follows_alerts(wish: str, age: int, price: str | None, action: str) -> None:
    alert = Alert(action=Action(wish), at=NOON - timedelta(seconds=age), price=Decimal(price) if price else None)
    signal = Webhook({}).on_alert(alert, Told(close=100.0), None)
    assert (signal.action, signal.adds, signal.numbers["alert"]) == (Action(action), False, wish)


@pytest.mark.parametrize(("wish", "adds"), [("BUY", True), ("SELL", False)])
def test_an_alert_may_add_to_a_position(wish: str, adds: bool) -> None:
    signal = Webhook({"adds": True}).on_alert(Alert(action=Action(wish), at=NOON), Told(close=100.0), held())
    assert (signal.action, signal.adds) == (Action(wish), adds)


def test_only_webhook_answers_alerts() -> None:
    assert [name for name, kind in STRATEGIES.items() if issubclass(kind, AlertStrategy)] == ["webhook"]
