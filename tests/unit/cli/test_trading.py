"""What a trading bot leaves behind, as the command line shows it: positions, orders, decisions, the running story."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.credentials import Credentials

from local.cli.feed import Feed
from local.client.api import ApiClient
from local.client.target import Target
from surefill.domain.kinds import Leg, OrderKind, Side
from surefill.domain.reasons import Reason
from surefill.domain.records import ScheduleRow
from surefill.domain.rows import Fill, Intent, JournalEntry, LedgerEntry, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.domain.times import format_time
from tests.fakes.rows import MARKET, TICK, bot
from tests.integration.conftest import Cloud
from tests.unit.cli.conftest import BUDGET_ID, Cli, Server

ENTRY = "a1" * 16
EXIT = "b2" * 16
FILL = Fill(
    trade_id="t1", quantity=Decimal("0.002"), price=Decimal(100_000), cost=Decimal(200), fee=Decimal("0.000002"),
    fee_asset="BTC",
)  # fmt: skip


def order(intent_id: str = ENTRY, **changes: object) -> Intent:
    """A filled entry."""
    made = Intent(
        intent_id=intent_id, account_id="live-binance-main", bot_id="trend", budget_id=BUDGET_ID, venue="binance",
        symbol="BTC/USDT", leg=Leg.ENTRY, side=Side.BUY, kind=OrderKind.LIMIT_IOC, quantity=Decimal("0.002"),
        limit_price=Decimal(100_500), reserved=Decimal("201.2"), reason=Reason.BUY, tick=TICK, created_at=TICK,
        deadline=TICK + timedelta(seconds=30), state=IntentState.FILLED, sent_at=TICK + timedelta(seconds=1),
        finished_at=TICK + timedelta(seconds=2), outcome=Reason.FILLED, venue_order_id="4711",
        filled_quantity=Decimal("0.002"), filled_cost=Decimal(200), fills=(FILL,),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def decision(minute: int, reason: Reason, *, kind: str = "decision", **numbers: str) -> JournalEntry:
    at = TICK + timedelta(minutes=minute)
    key = f"{format_time(at)}#{kind}#BTC/USDT"
    return JournalEntry(
        bot_id="trend", entry_key=key, at=at, kind=kind, symbol="BTC/USDT", reason=reason, numbers=numbers
    )


@pytest.fixture
def traded(furnished: Server, cloud: Cloud) -> Server:
    """A bot with an open position, a closed one, and a few decisions."""
    cloud.store.insert(bot())
    cloud.store.replace(
        Slot(
            market_key=MARKET, owner_key="live-binance-main|trend", bot_id="trend", account_id="live-binance-main",
            budget_id=BUDGET_ID, state=SlotState.OPEN, open_key="open", slot_key=f"{MARKET}#live-binance-main|trend",
            entry_intent_id=ENTRY, quantity=Decimal("0.001998"), cost=Decimal(200), bought=Decimal("0.002"),
            opened_at=TICK, take_profit=Decimal(103_100), stop_loss=Decimal(98_000), take_profit_percent=Decimal(3),
            stop_loss_percent=Decimal(2), last_reason=Reason.ALREADY_IN_POSITION,
        )
    )  # fmt: skip
    cloud.store.insert(order())
    sale = order(
        EXIT, leg=Leg.EXIT, side=Side.SELL, reason=Reason.TAKE_PROFIT, entry_intent_id="c3" * 16, reserved=Decimal(0),
        basis=Decimal(190), realised=Decimal("9.8"), created_at=TICK - timedelta(minutes=5), opened_at=TICK,
        finished_at=TICK - timedelta(minutes=4), sent_at=None, limit_price=None, kind=OrderKind.MARKET,
    )  # fmt: skip
    cloud.store.insert(sale)
    cloud.store.insert(
        LedgerEntry(
            budget_id=BUDGET_ID, entry_key=f"{ENTRY}#claim", at=TICK, available=Decimal("-201.2"),
            reserved=Decimal("201.2"), intent_id=ENTRY, bot_id="trend", symbol="BTC/USDT",
        )
    )  # fmt: skip
    cloud.store.journal(
        [
            decision(-2, Reason.WAITING_CONFIRMATION, seconds="120", needed="300"),
            decision(0, Reason.BUY, score="0.7"),
            decision(1, Reason.LIMIT_TRADES, kind="claim", trades="3", limit="3"),
            decision(2, Reason.EXIT_WAITING, kind="exit", bid="100200"),
        ]
    )
    return furnished


def test_positions(traded: Server, cli: Cli, cloud: Cloud) -> None:
    lines = cli.run("positions", "list").stdout.splitlines()
    assert lines[1].split()[:11] == [
        "trend", "live", "BTC/USDT", "OPEN", "0.001998", "200.00", "100,100.1", "-", "-", "103,100", "98,000",
    ]  # fmt: skip
    assert "a price is missing" in cli.run("statistics", "trend").stdout
    now, bids = datetime.now(UTC), {"binance|BTC/USDT": "101000"}
    cloud.store.replace(ScheduleRow(schedule_name="watch_exits", last_tick=now, finished_at=now, prices=bids))
    lines = cli.run("positions", "list").stdout.splitlines()
    assert lines[1].split()[6:10] == ["100,100.1", "101,000", "+1.80", "103,100"]
    assert "101,000 at " in cli.run("positions", "show", "trend", "BTC/USDT").stdout
    assert "+1.80 (bids of " in cli.run("statistics", "trend").stdout
    assert cli.json("positions", "list", "--account", "paper-binance-main")["items"] == []
    shown = cli.run("positions", "show", "trend", "BTC/USDT").stdout
    assert "103,100 (3 %)" in shown
    assert ENTRY in shown
    closed = cli.run("positions", "closed", "trend").stdout
    assert "+9.80" in closed
    assert "exit.take_profit" in closed


def test_levels_of_a_position(traded: Server, cli: Cli) -> None:
    told = cli.json("positions", "levels", "trend", "BTC/USDT", "--take-profit", "5", "--trailing", "1.5")
    assert (told["take_profit_percent"], told["exit_rules"]["trailing_percent"]) == ("5", "1.5")
    assert told["stop_loss"] == "98000"


def test_a_position_is_sold_once_a_person_agrees(traded: Server, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: Any = botocore.session.get_session().create_client("stepfunctions", region_name="eu-central-1")
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    role = "arn:aws:iam::123456789012:role/order"
    machine = steps.create_state_machine(name="order", definition=definition, roleArn=role)["stateMachineArn"]
    cli.refused("positions", "close", "trend", "BTC/USDT")
    assert steps.list_executions(stateMachineArn=machine)["executions"] == []
    sold = cli.run("positions", "close", "trend", "BTC/USDT", "--yes").stdout
    assert "SELL exit" in sold
    assert "exit.manual" in sold
    assert len(steps.list_executions(stateMachineArn=machine)["executions"]) == 1


def test_orders(traded: Server, cli: Cli) -> None:
    listed = cli.run("orders", "list").stdout
    assert listed.index("a1a1a1a1") < listed.index("b2b2b2b2")
    assert "0.002 at 100,000" in listed
    assert [item["intent_id"] for item in cli.json("orders", "list", "trend", "--limit", "1")["items"]] == [ENTRY]
    assert "100,000" in cli.run("orders", "fills", "trend").stdout
    shown = cli.run("orders", "show", "a1a1").stdout
    for word in ("timeline", "decided", "claimed", "known to the venue", "4711", "finished", "order.filled", "-201.20"):
        assert word in shown
    assert cli.json("orders", "show", ENTRY)["intent"]["venue_order_id"] == "4711"


def test_decisions_by_kind_symbol_and_time(traded: Server, cli: Cli) -> None:
    assert [item["reason"] for item in cli.json("decisions", "trend")["items"]] == [
        "limit.trades_today", "decision.buy", "waiting.confirmation",
    ]  # fmt: skip
    assert "needed 300, seconds 120" in cli.run("decisions", "trend").stdout
    assert [item["reason"] for item in cli.json("decisions", "trend", "--kind", "exit")["items"]] == [
        "exit.levels_not_reached"
    ]
    since = cli.json("decisions", "trend", "--since", format_time(TICK))["items"]
    assert [item["reason"] for item in since] == ["limit.trades_today", "decision.buy"]
    assert cli.json("decisions", "trend", "--symbol", "ETH/USDT")["items"] == []


def test_why_and_whether_it_could_buy(traded: Server, cli: Cli) -> None:
    why = cli.json("why", "trend", "BTC/USDT")
    lines = cli.run("why", "trend").stdout.splitlines()
    assert lines[0].startswith("trend (live-binance-main, live) at ")
    assert lines[1].split()[0].lower() == why["verdict"]["state"]
    assert "symbol must be one of BTC/USDT" in cli.refused("why", "trend", "DOGE/USDT")
    shown = cli.run("bots", "ready", "trend", code=1).stdout
    assert shown.splitlines()[1].split()[:2] == ["BTC/USDT", "no"]
    assert cli.json("bots", "ready", "trend", code=1)["ready"] is False


def test_statistics(traded: Server, cli: Cli) -> None:
    for whose in (("trend",), ("--budget", BUDGET_ID), ("--account", "live-binance-main")):
        assert cli.json("statistics", *whose)["open_positions"] == 1
        assert "live, in USDT" in cli.run("statistics", *whose).stdout


def test_the_story_so_far(traded: Server, cli: Cli) -> None:
    lines = cli.run("tail", "--once", "--since", format_time(TICK)).stdout.splitlines()
    assert [line.split()[3] for line in lines] == [
        "decision.buy", "BUY", "limit.trades_today", "exit.levels_not_reached",
    ]  # fmt: skip
    assert lines[1].endswith("BUY entry order FILLED  order.filled  0.002 at 100,000  a1a1a1a1")
    told = cli.run("tail", "--once", "--json", "--bot", "trend", "--since", format_time(TICK)).stdout.splitlines()
    assert json.loads(told[0])["reason"] == "decision.buy"


def test_each_thing_is_told_once_and_an_order_again_when_it_comes_further(traded: Server, cloud: Cloud) -> None:
    target = Target(
        stage="local", url=traded.url, region="us-east-1", credentials=Credentials("test", "test"),
        connect_to="127.0.0.1",
    )  # fmt: skip
    feed = Feed(ApiClient(target), bots=["trend"], since=TICK - timedelta(hours=1))
    assert len(feed.news()) == 6
    assert feed.news() == []
    cloud.store.journal([decision(3, Reason.HOLD)])
    late = order("d4" * 16, state=IntentState.SENT, finished_at=None, outcome=None, created_at=TICK)
    cloud.store.insert(late)
    assert [(news.order, news.item.get("reason")) for news in feed.news()] == [
        (True, "decision.buy"), (False, "signal.hold"),
    ]  # fmt: skip
    cloud.store.replace(replace(late, state=IntentState.ACCEPTED))
    assert [news.item["state"] for news in feed.news()] == ["ACCEPTED"]
    assert feed.news() == []


def test_a_long_story_is_read_page_by_page(traded: Server, cli: Cli, cloud: Cloud) -> None:
    cloud.store.journal([decision(minute, Reason.HOLD) for minute in range(10, 130)])
    lines = cli.run("tail", "--once", "--since", format_time(TICK + timedelta(minutes=10))).stdout.splitlines()
    assert len(lines) == 120
