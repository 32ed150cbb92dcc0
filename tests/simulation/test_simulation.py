"""A few hundred seeds per commit; thousands with `-m slow`."""

import pytest

from surefill.domain.reasons import Reason
from tests.simulation import report
from tests.simulation.run import run_seed

# Four parts, so that two workers share them.
_PARTS, _SEEDS_PER_PART = 4, 50


@pytest.mark.parametrize("part", range(_PARTS))
def test_no_seed_violates_anything(part: int) -> None:
    seeds = range(part * _SEEDS_PER_PART, (part + 1) * _SEEDS_PER_PART)
    tally = report.simulate(seeds, processes=1)
    assert tally.failures == {}
    assert tally.steps > 10_000
    # With faults stopped, everything unfinished is settled within three minutes (L1).
    assert max(tally.settled_after, default=0) <= 180


def test_a_freeze_meets_a_sale_that_is_on_its_way() -> None:
    """Seed found by taking the guard `not_frozen` out: then a sale is claimed although its position is frozen."""
    verdict = run_seed(100_087)
    assert verdict.violations == []
    assert verdict.heard["pressed FREEZE"]
    assert verdict.heard[Reason.FROZEN]


def test_the_same_seed_leaves_the_same_trace() -> None:
    first, other = run_seed(3), run_seed(5)
    assert run_seed(3).trace_hash == first.trace_hash != other.trace_hash


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_thousands_of_seeds() -> None:
    tally = report.simulate(range(1_000_000, 1_005_000))
    report.write(tally)
    assert tally.failures == {}
    assert tally.steps >= 1_000_000
    assert tally.bot_years >= 2
    assert max(tally.settled_after) <= 180
