"""One real deployment for all system tests; after each of them every invariant must hold."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.invariants import check_all
from local.stage.isolated import isolated_plan
from local.stage.stage import LocalStage
from tests.system.bench import Bench, exchange_arguments, write_rising_market

_REPOSITORY = Path(__file__).resolve().parents[2]
_FOLDER = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here; with several workers one of them gets all of it, because there is one stage."""
    for item in items:
        if item.path.is_relative_to(_FOLDER):
            item.add_marker(pytest.mark.system)
            item.add_marker(pytest.mark.xdist_group("local stage"))
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    recording = write_rising_market(tmp_path_factory.mktemp("market") / "rising.csv")
    plan = isolated_plan(_REPOSITORY, kind="system", exchange_arguments=exchange_arguments(recording))
    with LocalStage(plan) as stage:
        bench = Bench(stage)
        yield bench
        bench.driver.close()


@pytest.fixture
def bench(deployed: Bench) -> Iterator[Bench]:
    """The stage, with all faults off before and after, and no invariant violated."""
    deployed.stage.exchange.clear_faults()
    yield deployed
    deployed.stage.exchange.clear_faults()
    assert [str(violation) for violation in check_all(deployed.rows())] == []


@pytest.fixture
def on_linux() -> None:
    if sys.platform != "linux":
        pytest.skip("finds a function's process through /proc, which only Linux has")
