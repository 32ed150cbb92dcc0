"""Spot grid and infinity grid: levels, rungs and names."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from surefill.strategies.base import Action, Rung
from surefill.strategies.infinity_grid import InfinityGrid
from surefill.strategies.spot_grid import SpotGrid
from tests.unit.strategies.told import Told

SPOT = {"lower": 100, "upper": 140, "levels": 5, "spacing": "arithmetic"}
INFINITE = {"lower": 100, "step_percent": 10, "rungs": 2}


def rungs_of(strategy: SpotGrid | InfinityGrid, close: float) -> tuple[Rung, ...]:
    signal = strategy.decide(Told(close=close), None)
    assert signal.action is Action.HOLD
    assert signal.numbers["rungs"] == str(len(signal.rungs))
    return signal.rungs


def buying(strategy: SpotGrid | InfinityGrid, close: float) -> list[str]:
    return [rung.name for rung in rungs_of(strategy, close) if rung.buys]


@pytest.mark.parametrize(
    ("close", "listed"),
    [
        (99.9, []), (100, ["level0"]), (119.9, ["level0", "level1"]), (120, ["level0", "level1", "level2"]),
        (140, ["level0", "level1", "level2", "level3"]), (500, ["level0", "level1", "level2", "level3"]),
    ],
)  # fmt: skip
def test_spot_grid_buys_at_or_below_the_close(close: float, listed: list[str]) -> None:
    assert buying(SpotGrid(SPOT), close) == listed


@pytest.mark.parametrize("close", [1, 105, 500])
def test_spot_grid_lists_every_rung_so_that_it_can_sell(close: float) -> None:
    assert [rung.name for rung in rungs_of(SpotGrid(SPOT), close)] == ["level0", "level1", "level2", "level3"]


def test_spot_grid_fills_its_upper_part_when_asked() -> None:
    assert len(buying(SpotGrid({**SPOT, "fill_upper": True}), 105)) == 4


def test_arithmetic_levels_are_equally_far_in_quote() -> None:
    rungs = rungs_of(SpotGrid(SPOT), 200)
    assert [(rung.buy_price, rung.sell_price) for rung in rungs] == [(100, 110), (110, 120), (120, 130), (130, 140)]


def test_geometric_levels_are_equally_far_in_per_cent() -> None:
    rungs = rungs_of(SpotGrid({**SPOT, "lower": 100, "upper": 1600, "spacing": "geometric"}), 2_000)
    assert [(rung.buy_price, rung.sell_price) for rung in rungs] == [(100, 200), (200, 400), (400, 800), (800, 1600)]


def test_infinity_grid_leaves_out_steps_that_cannot_pay_the_fees() -> None:
    """A step of 10 is 0.2 % of 5,000."""
    rungs = rungs_of(InfinityGrid({**INFINITE, "spacing": "arithmetic"}), 80_000)
    assert [(rung.name, rung.buy_price) for rung in rungs] == [("level489", 4_990), ("level490", 5_000)]


prices = some.decimals(min_value="0.00001", max_value="100000", places=8)


@given(lower=prices, span=some.decimals(min_value="1.5", max_value="50", places=2), count=some.integers(2, 40))
@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
def test_neighbouring_rungs_share_a_level(lower: Decimal, span: Decimal, count: int, spacing: str) -> None:
    upper = lower * span
    try:
        strategy = SpotGrid({"lower": lower, "upper": upper, "levels": count, "spacing": spacing})
    except ValidationError as error:
        assert "apart to pay the fees" in str(error)
        return
    rungs = rungs_of(strategy, float(upper) * 2)
    assert (len(rungs), rungs[0].buy_price, rungs[-1].sell_price) == (count - 1, lower, upper)
    assert all(rung.buy_price < rung.sell_price for rung in rungs)
    assert all(low.sell_price == high.buy_price for low, high in pairwise(rungs))


@pytest.mark.parametrize(
    ("close", "listed"),
    [
        (99.9, []), (100, ["level0"]), (109.9, ["level0"]), (110, ["level0", "level1"]), (121, ["level1", "level2"]),
        (1_000, ["level23", "level24"]),
    ],
)  # fmt: skip
def test_infinity_grid_follows_the_price(close: float, listed: list[str]) -> None:
    assert buying(InfinityGrid(INFINITE), close) == listed


def test_infinity_grid_lists_rungs_above_that_may_sell() -> None:
    rungs = rungs_of(InfinityGrid(INFINITE), 125)
    assert [rung.name for rung in rungs] == [f"level{index}" for index in range(1, 303)]
    assert [rung.name for rung in rungs if rung.buys] == ["level1", "level2"]


def test_infinity_grid_in_equal_steps() -> None:
    rungs = [rung for rung in rungs_of(InfinityGrid({**INFINITE, "spacing": "arithmetic"}), 1_005) if rung.buys]
    assert [(rung.name, rung.buy_price, rung.sell_price) for rung in rungs] == [
        ("level89", 990, 1_000), ("level90", 1_000, 1_010),
    ]  # fmt: skip


@given(
    closes=some.lists(some.floats(min_value=1, max_value=1e6), min_size=2, max_size=6),
    step=some.decimals(min_value="0.2", max_value="20", places=1),
)
@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
def test_a_name_is_one_pair_of_prices_for_good(closes: list[float], step: Decimal, spacing: str) -> None:
    strategy = InfinityGrid({"lower": 1, "step_percent": step, "rungs": 5, "spacing": spacing})
    seen: dict[str, tuple[Decimal, Decimal]] = {}
    for close in closes:
        rungs = rungs_of(strategy, close)
        nearest = [rung for rung in rungs if rung.buys][-1]
        if spacing == "geometric":
            assert nearest.buy_price <= Decimal(str(close)) < nearest.sell_price
        for rung in rungs:
            prices = rung.buy_price, rung.sell_price
            assert seen.setdefault(rung.name, prices) == prices


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        (SpotGrid, {}), (SpotGrid, {"lower": 2, "upper": 1}), (SpotGrid, {"lower": 100, "upper": 101, "levels": 10}),
        (SpotGrid, {**SPOT, "levels": 1}), (InfinityGrid, {}), (InfinityGrid, {**INFINITE, "step_percent": "0.1"}),
        (SpotGrid, {**SPOT, "lower": "NaN"}), (InfinityGrid, {"lower": 0}),
    ],
)  # fmt: skip
def test_grids_that_cannot_work_are_refused(kind: type[Any], params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind(params)
