"""The deployed functions raced by many at once: one tick eight times, double clicks, workflow against reconcile."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from local.errors import LocalError
from local.invariants import check_all
from local.stage.api import ApiError
from local.stage.isolated import isolated_plan
from local.stage.stage import LocalStage
from surefill.domain.kinds import Leg
from surefill.domain.states import IntentState, SlotState
from surefill.domain.times import format_time
from tests.system.bench import Bench, exchange_arguments, write_rising_market

pytestmark = [
    pytest.mark.system,
    pytest.mark.slow,
    pytest.mark.xdist_group("deployed races"),
    pytest.mark.timeout(240),
]
_REPOSITORY = Path(__file__).resolve().parents[2]
_POST = {"method": "POST", "path": "/api/v3/order"}
TWICE, CLICKS = 8, 16


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One real deployment."""
    recording = write_rising_market(tmp_path_factory.mktemp("market") / "rising.csv")
    plan = isolated_plan(_REPOSITORY, kind="system", exchange_arguments=exchange_arguments(recording))
    with LocalStage(plan) as stage:
        bench = Bench(stage)
        yield bench
        bench.driver.close()


@pytest.fixture
def bench(deployed: Bench) -> Iterator[Bench]:
    """The deployment without faults; afterwards every invariant holds."""
    deployed.stage.exchange.clear_faults()
    yield deployed
    deployed.stage.exchange.clear_faults()
    deployed.stage.wait_until_quiet(timeout_seconds=30)
    assert [str(violation) for violation in check_all(deployed.rows())] == []


def together(count: int, action: Callable[[], Any]) -> list[Any]:
    """Do something from many threads at one moment; refusals of the stage are answers too."""
    start = Barrier(count)

    def one(_: int) -> Any:
        start.wait(30)
        try:
            return action()
        except LocalError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def firing(bench: Bench, schedule: str) -> Callable[[], Any]:
    """A schedule's function invoked with the present tick."""
    payload = json.dumps({"schedule": schedule, "scheduled_time": format_time(bench.driver.tick)})
    return lambda: bench.stage.aws.invoke(bench.stage.function(schedule), payload)


def test_one_tick_eight_times_at_once_is_one_order(bench: Bench) -> None:
    bot = bench.make_bot("tick_race", symbol="BTC/USDT")
    answers = together(TWICE, firing(bench, "dispatch"))
    # The function runs once at a time: further invocations are refused or answered, never half done.
    assert any(isinstance(answer, dict) for answer in answers), answers
    bench.stage.wait_until_quiet(timeout_seconds=60)
    (entry,) = bench.intents(bot)
    assert entry.state is IntentState.FILLED
    assert bench.posts(entry) == 1
    bench.stop_bot(bot)


def test_start_and_close_clicked_sixteen_times_are_one_order_each(bench: Bench) -> None:
    api, bot, symbol = bench.stage.api, bench.make_bot("clicks", symbol="ETH/USDT"), "ETH/USDT"
    answers = together(CLICKS, lambda: api.post("bots", bot, "start"))
    assert all(isinstance(answer, dict) for answer in answers), answers
    bench.open_position(bot)
    (entry,) = bench.intents(bot)
    assert bench.posts(entry) == 1
    bench.stop_bot(bot)
    closed = together(CLICKS, lambda: api.post("positions", "close", body={"bot_id": bot, "symbol": symbol}))
    # Who asks after the sale has begun is told so.
    assert all(isinstance(one, dict) or (isinstance(one, ApiError) and one.status == 409) for one in closed), closed
    assert any(isinstance(one, dict) for one in closed)
    bench.tick_until(lambda: bench.slot(bot).state is SlotState.EMPTY)
    (sale,) = bench.intents(bot, Leg.EXIT)
    assert bench.posts(sale) == 1


def test_workflow_reconcile_and_settle_together_book_an_order_once(bench: Bench) -> None:
    bench.stage.exchange.add_fault(kind="accept_then_drop", symbol="SOL/USDT", **_POST)
    bench.stage.exchange.add_fault(kind="visibility_lag", seconds="3", symbol="SOL/USDT", **_POST)
    bot = bench.make_bot("all_settle", symbol="SOL/USDT")
    bench.wait_until(lambda: any(intent.state is IntentState.UNKNOWN for intent in bench.intents(bot)))
    (entry,) = bench.intents(bot)
    payload = json.dumps({"intent_id": entry.intent_id, "attempt": 1})
    for _ in range(4):
        together(TWICE, lambda: bench.stage.aws.invoke(bench.stage.function("settle_order"), payload))
        together(2, firing(bench, "reconcile"))
    bench.tick_until(lambda: bench.slot(bot).state is SlotState.OPEN)
    (entry,) = bench.intents(bot)
    booked = [row for row in bench.rows().ledger if row.entry_key == f"{entry.intent_id}#record"]
    assert (entry.state, len(booked), bench.posts(entry)) == (IntentState.FILLED, 1, 1)
    bench.stop_bot(bot)
