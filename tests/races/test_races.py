"""The races at their per-commit size; `python -m tests.races` runs more of them and writes the report."""

from collections.abc import Iterator

import pytest

from tests.races.run import Races, races
from tests.races.workloads import WORKLOADS

pytestmark = [pytest.mark.xdist_group("races"), pytest.mark.timeout(120)]
CLIENTS, PROCESSES = 32, 4
# Three calm rounds, three with faults.
ROUNDS = 6


@pytest.fixture(scope="module")
def raced() -> Iterator[Races]:
    """32 clients in four processes at a local AWS of their own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
            patch.setenv(name, "testing")
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        with races(clients=CLIENTS, processes=PROCESSES, seed="tests") as raced:
            yield raced


@pytest.mark.parametrize("name", WORKLOADS)
def test_nobody_wins_twice_and_nothing_is_lost(raced: Races, name: str) -> None:
    figures = raced.run(name, rounds=ROUNDS)
    assert figures.rounds == ROUNDS
    assert figures.faults.total() > 0
    assert figures.clean(), "\n".join(figures.stories)


@pytest.mark.parametrize("name", WORKLOADS)
def test_without_its_protection_the_race_shows_why_it_is_there(raced: Races, name: str) -> None:
    figures = raced.run(name, rounds=1, control=True)
    assert getattr(figures, WORKLOADS[name].shows) > 0
