"""The gates before an entry: hours, price gap, and pauses after a bad record."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.domain.gates import (
    check_gates,
    gap_gate,
    gates,
    hours_gate,
    low_profit_gate,
    max_drawdown_gate,
    needs_trades,
    stop_loss_guard,
    window_of,
    zone_of,
)
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.rules import GateRules, Protection, SizingMode, SizingRules
from tests.fakes.rows import TICK, bot
from tests.unit.domain.test_trades import trade


def moment(text: str) -> datetime:
    """A time in the week of Monday, 5 January 2026."""
    day, clock = text.split()
    start = datetime(2026, 1, 5 + ("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(day), tzinfo=UTC)
    hours, minutes = clock.split(":")
    return start + timedelta(hours=int(hours), minutes=int(minutes))


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("mon-fri 08:00-18:00", ["mon 08:00", "fri 17:59"], ["mon 07:59", "fri 18:00", "sat 12:00"]),
        ("sat,sun 10:00-24:00", ["sat 10:00", "sun 23:59"], ["fri 12:00", "sat 09:59", "mon 00:00"]),
        ("mon-fri 22:00-06:00", ["mon 22:00", "tue 05:59", "sat 05:59"], ["mon 05:59", "tue 06:00", "sat 22:00"]),
        ("sun 22:00-06:00", ["sun 22:00", "mon 05:59"], ["mon 06:00", "sun 05:59"]),
        ("fri-mon 00:00-24:00", ["fri 00:00", "sun 12:00", "mon 23:59"], ["tue 00:00", "thu 23:59"]),
        ("mon,wed-thu 00:00-12:00", ["mon 00:00", "thu 11:59"], ["tue 00:00", "fri 00:00"]),
        ("Mon 09:00-00:00", ["mon 23:59"], ["tue 00:00"]),
    ],
)
def test_windows(window: str, inside: list[str], outside: list[str]) -> None:
    rules = GateRules(hours=(window,))
    assert [hours_gate(rules, tick=moment(text)) for text in inside] == [None] * len(inside)
    for text in outside:
        found = hours_gate(rules, tick=moment(text))
        assert found is not None
        assert (found.reason, found.numbers["local"]) == (Reason.MARKET_HOURS, text)


def test_one_open_window_is_enough_and_none_is_always_open() -> None:
    rules = GateRules(hours=("mon 08:00-09:00", "tue 08:00-09:00"))
    assert hours_gate(rules, tick=moment("tue 08:30")) is None
    assert hours_gate(rules, tick=moment("wed 08:30")) is not None
    assert hours_gate(GateRules(), tick=moment("wed 08:30")) is None


def test_hours_are_local_summer_and_winter() -> None:
    rules = GateRules(hours=("mon-fri 08:00-18:00",), time_zone="Europe/Berlin")
    for month, utc_hour in ((1, 7), (7, 6)):
        opens = datetime(2026, month, 6, utc_hour, tzinfo=UTC)
        assert hours_gate(rules, tick=opens) is None
        shut = hours_gate(rules, tick=opens - timedelta(minutes=1))
        assert shut is not None
        assert shut.numbers["local"].endswith("07:59")


@pytest.mark.parametrize(
    "text",
    [
        "", "mon-fri", "08:00-18:00", "mon 8:00-18:00", "mon 08:00", "mon 08:00-18:60", "mon 25:00-26:00", "day 1-2",
        "mon 08:00-24:01", "mon 24:00-06:00", "mon 08:00-08:00", "mon- 08:00-09:00", "mon-tue-wed 08:00-09:00",
        "mon, tue 08:00-09:00",
    ],
)  # fmt: skip
def test_a_window_that_cannot_be_read_says_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"hours must .* was "):
        window_of(text)
    with pytest.raises(ValueError, match="hours must"):
        check_gates(GateRules(hours=("mon 08:00-09:00", text)))


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Europe"])
def test_a_zone_nobody_knows_says_what_was_expected(name: str) -> None:
    with pytest.raises(ValueError, match="time_zone must be a name like"):
        zone_of(name)
    with pytest.raises(ValueError, match="time_zone"):
        check_gates(GateRules(time_zone=name))


def test_rules_that_can_be_read_pass_the_check() -> None:
    check_gates(GateRules(hours=("mon 08:00-09:00",), time_zone="America/New_York"))


@given(st.integers(min_value=0, max_value=7 * 24 * 60 - 1))
def test_a_window_and_its_rest_share_the_week(minute: int) -> None:
    at = moment("mon 00:00") + timedelta(minutes=minute)
    day, night = window_of("mon-sun 08:00-20:00"), window_of("mon-sun 20:00-08:00")
    assert day.contains(at) is not night.contains(at)


@pytest.mark.parametrize(("price", "shut"), [("105", False), ("95", False), ("105.01", True), ("94.98", True)])
def test_a_price_far_from_the_last_close_is_not_bought(price: str, shut: bool) -> None:
    found = gap_gate(GateRules(), quote_price=Decimal(price), last_close=Decimal(100))
    assert (found is not None) is shut
    if found is not None:
        assert found.reason is Reason.PRICE_GAP
        assert (found.numbers["price"], found.numbers["max_gap_percent"]) == (price, "5")


HOUR = 3600
STOPS = [trade("-1", minutes=minute, reason=Reason.STOP_LOSS) for minute in (0, 10, 20)]
GUARD = Protection(lookback_seconds=HOUR, trades=3, pause_seconds=2 * HOUR)


def at(minutes: float) -> datetime:
    return TICK + timedelta(minutes=minutes)


def test_stops_in_a_row_pause_from_the_last_of_them() -> None:
    found = stop_loss_guard(GUARD, tick=at(20), trades=STOPS)
    assert found is not None
    assert found.reason is Reason.STOP_LOSS_GUARD
    assert found.numbers == {"trades": "3", "limit": "3", "until": "2026-01-05T14:20:00Z"}
    assert stop_loss_guard(GUARD, tick=at(139), trades=STOPS) is not None  # long after they have left the lookback
    assert stop_loss_guard(GUARD, tick=at(140), trades=STOPS) is None


def test_a_guard_needs_so_many_losing_stops_so_close_together() -> None:
    assert stop_loss_guard(None, tick=at(20), trades=STOPS) is None
    assert stop_loss_guard(GUARD, tick=at(19), trades=STOPS) is None  # the third is yet to come
    assert stop_loss_guard(GUARD, tick=at(20), trades=STOPS[1:]) is None
    apart = [trade("-1", minutes=minute, reason=Reason.STOP_LOSS) for minute in (0, 30, 60)]
    assert stop_loss_guard(GUARD, tick=at(61), trades=apart) is None
    winners = [replace(stop, realised=Decimal(1), reason=Reason.TRAILING_STOP) for stop in STOPS]
    assert stop_loss_guard(GUARD, tick=at(20), trades=winners) is None
    others = [replace(stop, reason=Reason.TIME_LIMIT) for stop in STOPS]
    assert stop_loss_guard(GUARD, tick=at(20), trades=others) is None


def test_a_later_loss_that_does_not_complete_a_row_does_not_end_the_pause() -> None:
    later = [*STOPS, trade("-1", minutes=100, reason=Reason.STOP_LOSS)]
    found = stop_loss_guard(GUARD, tick=at(110), trades=later)
    assert found is not None
    assert found.numbers["until"] == "2026-01-05T14:20:00Z"


def test_a_drawdown_over_the_limit_pauses() -> None:
    rule = Protection(lookback_seconds=HOUR, trades=2, pause_seconds=HOUR, percent=Decimal(4))
    within = [trade("5"), trade("-4", minutes=10)]
    assert max_drawdown_gate(rule, tick=at(10), trades=within) is None
    found = max_drawdown_gate(rule, tick=at(11), trades=[*within, trade("-0.5", minutes=11)])
    assert found is not None
    assert found.reason is Reason.DRAWDOWN_PAUSE
    assert found.numbers["drawdown_percent"] == "4.5"
    assert max_drawdown_gate(rule, tick=at(0), trades=[trade("-9")]) is None  # one trade is not enough


def test_low_profit_pauses_the_symbol_alone() -> None:
    rule = Protection(lookback_seconds=HOUR, trades=2, pause_seconds=HOUR, percent=Decimal("0.5"))
    poor = [trade("1"), trade("-0.6", minutes=1)]
    other = [trade("9", symbol="ETH/USDT"), trade("9", minutes=1, symbol="ETH/USDT")]
    found = low_profit_gate(rule, symbol="BTC/USDT", tick=at(2), trades=[*poor, *other])
    assert found is not None
    assert found.reason is Reason.LOW_PROFIT
    assert (found.numbers["profit_percent"], found.numbers["needed"]) == ("0.4", "0.5")
    assert low_profit_gate(rule, symbol="ETH/USDT", tick=at(2), trades=[*poor, *other]) is None
    enough = [trade("1"), trade("-0.5", minutes=1)]
    assert low_profit_gate(rule, symbol="BTC/USDT", tick=at(2), trades=enough) is None


def test_the_gates_have_an_order() -> None:
    low = Protection(lookback_seconds=HOUR, trades=1, pause_seconds=HOUR, percent=Decimal(99))
    rules = GateRules(
        hours=("sun 00:00-01:00",), max_gap_percent=Decimal(1), stop_loss_guard=GUARD,
        max_drawdown=Protection(lookback_seconds=HOUR, trades=1, pause_seconds=HOUR), low_profit=low,
    )  # fmt: skip
    seen = []
    for opened in (
        {}, {"hours": ()}, {"max_gap_percent": Decimal(10)}, {"stop_loss_guard": None}, {"max_drawdown": None},
        {"low_profit": None},
    ):  # fmt: skip
        rules = replace(rules, **opened)
        found = gates(rules, symbol="BTC/USDT", tick=at(20), price=Decimal(105), last_close=Decimal(100), trades=STOPS)
        seen.append(found.reason if isinstance(found, Refusal) else None)
    assert seen == [
        Reason.MARKET_HOURS, Reason.PRICE_GAP, Reason.STOP_LOSS_GUARD, Reason.DRAWDOWN_PAUSE, Reason.LOW_PROFIT, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({}, False),
        ({"gates": GateRules(stop_loss_guard=GUARD)}, True),
        ({"gates": GateRules(max_drawdown=GUARD)}, True),
        ({"gates": GateRules(low_profit=GUARD)}, True),
        ({"sizing": SizingRules(mode=SizingMode.KELLY)}, True),
        ({"sizing": SizingRules(mode=SizingMode.HYBRID)}, True),
        ({"sizing": SizingRules(mode=SizingMode.RISK)}, False),
    ],
)
def test_trades_are_read_only_for_bots_that_look_at_them(changes: dict[str, object], needed: bool) -> None:
    assert needs_trades(bot(**changes)) is needed
