"""Every crash point of the flows, alone per commit and in pairs with `-m slow`."""

import pytest

from tests.simulation.crash import figures
from tests.simulation.crash.flows import FLOWS, Flow
from tests.simulation.crash.listed import LISTED
from tests.simulation.crash.matrix import cover


@pytest.mark.parametrize(
    "flow",
    [pytest.param(flow, id=flow.name) for flow in FLOWS],
)
def test_every_single_crash_comes_to_rest(flow: Flow) -> None:
    (covered,) = cover(pairs=False, processes=1, flows=[flow])
    assert covered.violations == []
    assert covered.singles == covered.singles_listed == 3 * covered.boundaries
    assert max(covered.minutes) <= 4


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_every_pair_of_crashes_comes_to_rest() -> None:
    covered = figures.cover_and_write(pairs=True)
    assert [text for one in covered for text in one.violations] == []
    told = figures.figures(covered)
    assert told["crash_single_pct"] == told["crash_pair_pct"] == 100
    # No name stays on the list that nothing meets any more.
    assert set().union(*(one.seen for one in covered)) == LISTED
