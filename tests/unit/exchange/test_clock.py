"""The clock, on its own and through the admin endpoint."""

from __future__ import annotations

from fractions import Fraction

import pytest

from local.exchange.clock import ExchangeClock
from tests.unit.exchange.helpers import START_MS, admin, admin_response, client, coin_exchange


class RealTime:
    """A real clock that a test moves."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def pass_ms(self, milliseconds: int) -> None:
        self.now_ns += milliseconds * 1_000_000


def test_a_clock_without_settings_tells_the_real_time() -> None:
    real = RealTime()
    clock = ExchangeClock(real_ns=real)
    assert clock.now_ms() == 1_000
    real.pass_ms(500)
    assert clock.now_ms() == 1_500


def test_a_scaled_clock_runs_at_its_rate_and_keeps_the_moment_when_the_rate_changes() -> None:
    real = RealTime()
    clock = ExchangeClock(now_ms=START_MS, rate=60, real_ns=real)
    real.pass_ms(1_000)
    assert clock.now_ms() == START_MS + 60_000
    clock.set_rate(Fraction(1, 2))
    real.pass_ms(1_000)
    assert clock.now_ms() == START_MS + 60_500
    clock.set_rate(0)
    real.pass_ms(9_000)
    assert (clock.now_ms(), clock.frozen) == (START_MS + 60_500, True)


def test_a_manual_clock_moves_when_told() -> None:
    clock = ExchangeClock.manual(START_MS)
    clock.advance(5)
    assert clock.now_ms() == START_MS + 5
    clock.set(START_MS)
    assert clock.now_ms() == START_MS
    with pytest.raises(ValueError, match="at least 0 ms, was -1"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="rate must be at least 0, was -1"):
        clock.set_rate(-1)


def test_the_admin_endpoint_shows_and_sets_it() -> None:
    exchange = coin_exchange()
    assert admin(exchange, "GET", "/admin/clock") == {"now_ms": START_MS, "rate": 0}
    assert admin(exchange, "PUT", "/admin/clock", {"now_ms": START_MS + 60_000}) == {
        "now_ms": START_MS + 60_000,
        "rate": 0,
    }
    assert client(exchange).fetch_time() == START_MS + 60_000
    assert admin(exchange, "PUT", "/admin/clock", {"rate": 2.5})["rate"] == 2.5
    assert admin(exchange, "PUT", "/admin/clock", {"rate": 0})["rate"] == 0


def test_going_back_is_possible_only_before_the_first_order() -> None:
    exchange = coin_exchange()
    admin(exchange, "PUT", "/admin/clock", {"now_ms": START_MS - 60_000})
    binance = client(exchange)
    order = binance.create_order("COIN/USDT", "limit", "buy", 1, 99)
    assert order["timestamp"] == START_MS - 60_000
    status, reply = admin_response(exchange, "PUT", "/admin/clock", {"now_ms": START_MS - 60_001})
    assert status == 400
    assert f"at least {START_MS - 60_000} once there are orders" in reply["error"]
    for wrong in ({"now_ms": "noon"}, {"rate": "fast"}, {"rate": -1}, {"minutes": 1}):
        assert admin_response(exchange, "PUT", "/admin/clock", wrong)[0] == 400
