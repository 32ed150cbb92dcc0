"""The models of every commit: every state visited, no law broken, and the machinery is not blind."""

import json

import pytest

from surefill.domain.rows import Intent, Slot
from surefill.domain.states import IntentState, SlotState
from tests.model.checker import Checker, ModelResult, check
from tests.model.machine import Machine
from tests.model.positions import ladder, tranche
from tests.model.run import run_all, summary
from tests.model.scenarios import buy, buy_limit, exit_watch, round_trip, scenarios

# The models are run once, not once per worker.
pytestmark = pytest.mark.xdist_group("model")


@pytest.fixture(scope="module")
def results() -> dict[str, ModelResult]:
    """Every model of a commit, once."""
    return {result.name: result for result in run_all("commit")}


@pytest.mark.parametrize(
    "name",
    [one.name for one in scenarios("commit")],
)
def test_every_state_is_visited_and_no_law_is_broken(results: dict[str, ModelResult], name: str) -> None:
    assert not results[name].violations, f"{name}: {results[name].violation}"
    assert results[name].complete


def test_the_models_are_as_large_as_promised(results: dict[str, ModelResult]) -> None:
    figures = summary(list(results.values()), seconds=0)
    assert sum(one.states for one in results.values()) >= 500_000
    assert json.dumps(figures, default=str)


def test_every_state_of_an_order_and_of_a_slot_is_reached() -> None:
    """A model in which nothing happens breaks no law either."""
    intents: set[IntentState] = set()
    slots: set[SlotState] = set()
    for scenario in (round_trip(faults=1, crashes=1), exit_watch(), buy(), buy_limit(), tranche(), ladder()):
        machine = Machine(scenario)
        Checker(machine, limit=60_000, liveness=False).run()
        intents |= {row.state for row in machine.tables.rows if isinstance(row, Intent)}
        slots |= {row.state for row in machine.tables.rows if isinstance(row, Slot)}
    assert intents == set(IntentState) - {IntentState.ADOPTED}
    assert slots == set(SlotState)


def test_a_counterexample_is_a_readable_story() -> None:
    found = check(round_trip(), without=frozenset({"not_sent_yet"}))
    assert found.violation is not None
    text = str(found.violation)
    assert "I8" in text
    assert "1. " in text
    assert "post -> accepted" in text


def test_the_same_model_has_the_same_states_every_time() -> None:
    one, two = check(round_trip()), check(round_trip())
    assert (one.states, one.transitions, one.crash_points) == (two.states, two.transitions, two.crash_points)
