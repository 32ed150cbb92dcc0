"""Answers that take more than tables to make, told by the use cases themselves: why, statistics, dry runs, closings."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from surefill.adapters.memory.store import MemoryStore
from surefill.domain.kinds import CloseOutcome, Leg, Scope, Side, StopKind
from surefill.domain.reasons import Reason
from surefill.domain.records import Closing, Stop
from surefill.domain.rows import Account
from surefill.usecases.control.simulate import Simulated
from surefill.usecases.explain import Explainer, told
from surefill.usecases.statistics import StatisticsReader
from surefill.wire import to_wire
from tests.fakes.ports import FakeClock
from tests.fakes.rows import TICK, bot, budget, rules
from tests.unit.cli.conftest import BUDGET_ID, Answer, Cli, Request, Server
from tests.unit.cli.test_trading import ENTRY, EXIT, order

Scripted = Callable[[Callable[[Request], Answer | None]], Server]
ACCOUNT = Account(
    account_id="live-binance-main", venue="binance", mode="live", currency="USDT", reconciled_at=TICK,
    balances={"USDT": "1500"},
)  # fmt: skip


@pytest.fixture
def store() -> MemoryStore:
    """A bot on an account, with nothing that ever ran."""
    made = MemoryStore()
    for row in (ACCOUNT, budget(), bot(), rules()):
        made.insert(row)
    return made


def answering(**answers: Any) -> Callable[[Request], Answer]:
    """A server that knows some paths: `bots_trend_why` is /bots/trend/why."""
    known = {"/" + name.replace("__", "-").replace("_", "/"): body for name, body in answers.items()}
    return lambda request: Answer(200, known[request.path]) if request.path in known else Answer(404, {"detail": "no"})


def test_why_is_told_as_the_product_tells_it(store: MemoryStore, cli: Cli, scripted: Scripted) -> None:
    explanation = Explainer(store=store, clock=FakeClock()).why("trend")
    server = scripted(answering(bots_trend_why=to_wire(explanation)))
    lines = cli.run("why", "trend").stdout.rstrip("\n").splitlines()
    assert [line.rstrip() for line in lines] == [line.rstrip() for line in told(explanation)]
    assert lines[1].startswith("STOPPED")
    cli.run("why", "trend", "BTC/USDT")
    assert [request.query for request in server.requests] == [{}, {"symbol": "BTC/USDT"}]
    assert cli.json("why", "trend") == to_wire(explanation)


def test_statistics_of_a_bot(store: MemoryStore, cli: Cli, scripted: Scripted) -> None:
    from surefill.domain.rows import LedgerEntry

    sale = order(
        EXIT, leg=Leg.EXIT, side=Side.SELL, reason=Reason.TAKE_PROFIT, entry_intent_id=ENTRY, reserved=Decimal(0),
        basis=Decimal(200), realised=Decimal(10), opened_at=TICK - timedelta(hours=1),
    )  # fmt: skip
    store.insert(sale)
    store.insert(
        LedgerEntry(
            budget_id=BUDGET_ID, entry_key=f"{EXIT}#record", at=TICK, available=Decimal(210), deployed=Decimal(-200),
            realised=Decimal(10), intent_id=EXIT, bot_id="trend", symbol="BTC/USDT",
        )
    )  # fmt: skip
    found = to_wire(StatisticsReader(store=store, clock=FakeClock()).of_bot("trend"))
    server = scripted(answering(bots_trend_statistics=found))
    shown = cli.run("statistics", "trend").stdout
    for told_ in (
        "bot trend (live, in USDT)",
        "+10.00",
        "1 and 0 (100% won)",
        "5 %",
        "2026-01-05",
        "+10.00 on BTC/USDT",
    ):
        assert told_ in shown
    assert cli.json("statistics", "trend") == found
    assert "say whose" in cli.refused("statistics")
    assert "say whose" in cli.refused("statistics", "trend", "--account", "live-binance-main")
    assert [request.path for request in server.requests] == ["/bots/trend/statistics"] * 2


def test_a_dry_run(cli: Cli, scripted: Scripted) -> None:
    simulated = Simulated(
        symbol="BTC/USDT", tick=TICK, reason=Reason.BUY, numbers={"score": "0.7"}, intents=(order(),), holds=False
    )
    answer = {"bot_id": "trend", "dry": True, "results": [to_wire(simulated)]}
    server = scripted(answering(bots_trend_simulate=answer, bots_trend_evaluate=answer))
    shown = cli.run("bots", "simulate", "trend", "BTC/USDT", "--signal", "buy").stdout
    assert "decision.buy" in shown
    assert "BUY 0.002 LIMIT_IOC at 100,500" in shown
    assert server.requests[0].body == '{"signal": "BUY", "symbol": "BTC/USDT"}'
    cli.run("bots", "evaluate", "trend", "--dry")
    assert server.requests[1].body == '{"dry": true}'


def test_close_all_waits_for_the_result_of_each_position(cli: Cli, scripted: Scripted) -> None:
    stop = Stop(
        scope=Scope.ALL, stop_id="all-1", kind=StopKind.CLOSE_ALL, target="all", who="me", why="", at=TICK, positions=1
    )
    closing = Closing(
        stop_id="all-1", position_key="p", market_key="binance|BTC/USDT", owner_key="o", bot_id="trend"
    )  # fmt: skip
    outcomes = [closing, replace(closing, outcome=CloseOutcome.HELD, why="the venue has less")]

    def answer(request: Request) -> Answer:
        if request.method == "POST":
            return Answer(200, {**to_wire(stop), "taken_back": 0, "at_venue": 0})
        return Answer(200, {"stop": to_wire(stop), "items": [to_wire(outcomes.pop(0))], "next": None})

    scripted(answer)
    done = cli.run("panic", "close-all", "--all", "--wait", "--yes", code=1)
    assert "1 positions left" in done.stderr
    assert "HELD" in done.stdout
    assert "the venue has less" in done.stdout


def test_a_position_that_is_frozen_is_shown_so(cli: Cli, scripted: Scripted) -> None:
    from surefill.api.shown import shown_slot
    from surefill.domain.rows import Slot
    from surefill.domain.states import SlotState
    from surefill.usecases.control.prices import Prices

    slot = Slot(
        market_key="binance|BTC/USDT", owner_key="o", bot_id="grid", account_id="paper-binance-main",
        state=SlotState.OPEN, frozen=True, rung="level3", quantity=Decimal(2), cost=Decimal(3),
    )  # fmt: skip
    scripted(answering(positions={"items": [shown_slot(slot, prices=Prices())], "next": None}))
    (line,) = cli.run("positions", "list").stdout.splitlines()[1:]
    assert line.split()[:8] == ["grid", "paper", "BTC/USDT", "level3", "FREEZE", "2", "3.00", "1.5"]
