"""Every saved query against lines the functions really wrote: it finds what it is for, and nothing else."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from infra.constructs.saved_queries import query_files
from surefill.domain.rows import Budget, Slot
from surefill.domain.states import SlotState
from surefill.wire import to_wire
from tests.insights import run as insights
from tests.insights.values import events
from tests.integration.conftest import Cloud
from tests.integration.floor import SYMBOL, Floor, trading_floor

ORDER = {"method": "POST", "path": "/api/v3/order"}
BOT = "REPLACE-WITH-BOT-ID"
# Queries that look for trouble: after an ordinary trade they find nothing.
TROUBLE = (
    "decisions/blocked_by_reason", "decisions/stale_data", "exits/unprotected", "operations/errors",
    "operations/venue_trouble", "orders/refused", "orders/unfinished", "orders/unknown_outcomes",
)  # fmt: skip
Open = Callable[..., Floor]


@pytest.fixture
def open_floor(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(trading_floor(cloud, setenv=monkeypatch.setenv, settings=settings))


@pytest.fixture
def floor(open_floor: Open) -> Floor:
    return open_floor()


def words(rows: list[dict[str, Any]], name: str = "event") -> list[Any]:
    return [row.get(name) for row in rows]


@pytest.fixture
def traded(floor: Floor) -> Floor:
    """One position was opened and sold with a profit."""
    floor.tick()
    floor.price("110")
    floor.tick()
    floor.tell_everything()
    return floor


def test_an_ordinary_trade_is_no_trouble(traded: Floor) -> None:
    assert {query: rows for query in TROUBLE if (rows := traded.ask(query))} == {}
    for row in traded.rows():
        if str(row.get("event", "")).startswith("order."):
            assert {"intent", "bot", "symbol", "leg"} <= set(row), row


def test_decisions_of_a_bot(traded: Floor) -> None:
    assert words(traded.ask("decisions/by_bot", **{BOT: "trend"})) == ["signal.hold", "decision.buy"]
    assert traded.ask("decisions/by_bot", **{BOT: "nobody"}) == []
    counts = {row["event"]: (row["times"], row["bots"]) for row in traded.ask("decisions/by_reason")}
    assert counts == {"signal.hold": (1, 1), "decision.buy": (1, 1)}
    story = traded.ask("decisions/why_nothing_happens")
    assert [(row["bot"], row["symbol"], row["event"], row["times"]) for row in story] == [
        ("trend", SYMBOL, "signal.hold", 1),
        ("trend", SYMBOL, "decision.buy", 1),
    ]


def test_where_a_signal_stopped_names_the_last_word_of_each_order(traded: Floor) -> None:
    (entry,), (sale,) = traded.intents("ENTRY"), traded.intents("EXIT")
    asked = {BOT: "trend", "REPLACE-WITH-SYMBOL": SYMBOL}
    found = {row.get("order_id"): row for row in traded.ask("decisions/where_it_stopped", **asked)}
    assert set(found) == {entry.intent_id, sale.intent_id, None}
    assert (found[entry.intent_id]["first_word"], found[entry.intent_id]["last_word"]) == (
        "decision.buy", "order.filled",
    )  # fmt: skip
    assert (found[sale.intent_id]["first_word"], found[sale.intent_id]["last_word"]) == (
        "exit.take_profit", "order.filled",
    )  # fmt: skip
    assert found[None]["last_word"] == "signal.hold"
    assert {row["at"] for row in found.values()} == {"place_order", "evaluate"}


def test_one_order_tells_its_whole_life(traded: Floor) -> None:
    (entry,), (sale,) = traded.intents("ENTRY"), traded.intents("EXIT")
    life = traded.ask("orders/one_order", **{"REPLACE-WITH-INTENT-ID": entry.intent_id})
    assert [(row["service"], row["event"]) for row in life] == [
        ("evaluate", "decision.buy"),
        ("claim_order", "order.claimed"),
        ("place_order", "order.sent"),
        ("place_order", "order.filled"),
        ("publish_events", "order.filled"),
    ]
    life = traded.ask("orders/one_order", **{"REPLACE-WITH-INTENT-ID": sale.intent_id})
    assert words(life) == ["exit.take_profit", "order.claimed", "order.sent", "order.filled", "order.filled"]


def test_exits_show_what_triggered_them_and_what_they_brought(traded: Floor) -> None:
    (triggered,) = traded.ask("exits/triggered")
    assert (triggered["event"], triggered["bot"], triggered["symbol"]) == ("exit.take_profit", "trend", SYMBOL)
    assert Decimal(triggered["bid"]) > Decimal(triggered["take_profit"])
    (row,) = traded.ask("exits/by_reason")
    (sale,) = traded.intents("EXIT")
    assert sale.realised is not None
    assert (row["why"], row["account"], row["sales"]) == ("exit.take_profit", "live-binance-main", 1)
    assert row["proceeds"] == pytest.approx(float(sale.filled_cost))
    assert row["realised"] == pytest.approx(float(sale.realised))


def test_ticks_are_counted_by_function_and_minute(traded: Floor) -> None:
    counts: dict[str, int] = {}
    for row in traded.ask("operations/ticks"):
        counts[row["service"]] = counts.get(row["service"], 0) + row["ticks"]
    assert counts == {"dispatch": 2, "watch_exits": 2, "refresh_markets": 1}


def test_an_order_without_an_outcome_is_unfinished_until_it_is_found(floor: Floor) -> None:
    floor.fault("accept_then_drop", **ORDER)
    floor.tick(settle=False)
    (entry,) = floor.intents("ENTRY")
    (row,) = floor.ask("orders/unfinished")
    assert (row["intent"], row["bot"], row["leg"]) == (entry.intent_id, "trend", "ENTRY")
    assert row["last_word"] == "order.outcome_unknown"
    (row,) = floor.ask("orders/unknown_outcomes")
    assert (row["intent"], row["unknown_answers"]) == (entry.intent_id, 1)
    # While the venue denies it, the age is told at every look.
    floor.fault("status", method="GET", path="/api/v3/order", status=500)
    floor.pass_time(30)
    floor.schedule("reconcile")
    (row,) = floor.ask("orders/unfinished")
    assert row["age_seconds"] == pytest.approx(30, abs=5)
    floor.pass_time(60)
    floor.schedule("reconcile")
    assert floor.ask("orders/unfinished") == []
    (row,) = floor.ask("orders/unknown_outcomes")
    assert row["last_word"] == "reconcile.recovered"


def test_what_the_venue_rejects_is_refused_with_its_code_and_an_error(floor: Floor) -> None:
    floor.fault("reject", code=-2010, msg="Account has insufficient balance for requested action.")
    floor.tick()
    (row,) = floor.ask("orders/refused")
    assert (row["event"], row["code"], row["bot"]) == ("order.rejected_by_venue", "-2010", "trend")
    (row,) = floor.ask("operations/errors")
    assert (row["what"], row["code"], row["times"]) == ("order.rejected_by_venue", "-2010", 1)
    assert "insufficient balance" in row["last_text"]
    assert floor.ask("orders/unfinished") == []


def test_a_refused_claim_shows_its_numbers(floor: Floor) -> None:
    floor.tick()
    (entry,) = floor.intents("ENTRY")
    poor = replace(entry, intent_id="f" * 32, symbol="OTHER/USDT", reserved=Decimal(999_999))
    event = {"intent_id": poor.intent_id, "intent": json.loads(json.dumps(to_wire(poor)))}
    assert floor.invoke("claim_order", event)["claimed"] is False
    (row,) = floor.ask("orders/refused")
    assert (row["event"], row["need"]) == ("budget.need_more_than_available", "999999")
    assert Decimal(row["have"]) < 1_000
    (blocked,) = floor.ask("decisions/blocked_by_reason")
    assert (blocked["event"], blocked["times"], blocked["bots"]) == ("budget.need_more_than_available", 1, 1)


def test_what_blocks_a_bot_is_counted_and_holding_is_no_block(open_floor: Open) -> None:
    floor = open_floor(confirmation_seconds=600)
    floor.tick()
    (row,) = floor.ask("decisions/blocked_by_reason")
    assert (row["event"], row["times"]) == ("waiting.confirmation", 1)
    assert floor.ask("orders/unfinished") == []


def test_missing_data_is_told_by_symbol(floor: Floor) -> None:
    floor.fault("no_data")
    floor.tick()
    (row,) = floor.ask("decisions/stale_data")
    assert row["symbol"] == SYMBOL
    assert row["event"].startswith("data.")


def test_positions_without_an_exit_and_held_ones_are_found(floor: Floor) -> None:
    floor.tick()
    (slot,) = floor.cloud.store.all_rows(Slot)
    floor.cloud.store.replace(replace(slot, take_profit=None, stop_loss=None))
    for _ in range(2):
        floor.pass_time(60)
        floor.schedule("watch_exits")
    floor.cloud.store.replace(replace(slot, state=SlotState.HELD))
    floor.pass_time(60)
    floor.schedule("watch_exits")
    found = {row["event"]: row["times"] for row in floor.ask("exits/unprotected")}
    assert found == {"exit.no_protection": 2, "position.held": 1}


def test_trouble_with_a_venue_is_counted_by_kind(floor: Floor) -> None:
    floor.fault("revoke_key")
    floor.schedule("sync_account")
    floor.no_faults()
    floor.fault("maintenance")
    floor.tick()
    found = {(row["event"], row["service"]) for row in floor.ask("operations/venue_trouble")}
    assert ("account.credentials_rejected", "sync_account") in found
    assert {event for event, _ in found} <= {
        "account.credentials_rejected", "venue.maintenance", "venue.unavailable",
    }  # fmt: skip
    assert "evaluate" in {service for _, service in found}


def test_an_exception_is_an_error_by_its_kind(floor: Floor) -> None:
    with pytest.raises(Exception, match="schedule"):
        floor.invoke("dispatch", {"schedule": "reconcile"})
    (row,) = floor.ask("operations/errors")
    assert (row["what"], row["@log"], row["times"]) == ("EventError", "/aws/lambda/test-dispatch", 1)


def test_an_order_that_is_not_settled_yet_is_no_error(floor: Floor) -> None:
    floor.fault("accept_then_drop", **ORDER)
    floor.tick(settle=False)
    assert any("NotSettled" in line for _, line in floor.lines)
    assert floor.ask("operations/errors") == []


def report(
    *,
    duration: float,
    billed: int,
    memory: int = 512,
    used: int = 200,
    init: float | None = None,
    status: str = "success",
) -> str:
    """A report line as the platform writes it where logs are JSON."""
    metrics = {"durationMs": duration, "billedDurationMs": billed, "memorySizeMB": memory, "maxMemoryUsedMB": used}
    if init is not None:
        metrics["initDurationMs"] = init
    record = {"requestId": f"r{duration}", "status": status, "metrics": metrics}
    return json.dumps({"time": "2026-01-05T12:00:00.000Z", "type": "platform.report", "record": record})


def asked_of_the_platform(query: str) -> list[dict[str, Any]]:
    path = next(path for group in query_files().values() for path in group if path.stem == query)
    rows = events(
        [report(duration=120.5, billed=121, init=812.5), report(duration=20, billed=20), "START RequestId: r0"],
        log="evaluate",
    ) + events([report(duration=1_000, billed=1_000, memory=1_024, init=400.0)], log="refresh_markets")
    return insights.run(path.read_text(encoding="utf-8"), rows)


def test_cold_starts_are_listed_slowest_first_and_summed_up_by_function() -> None:
    slow = asked_of_the_platform("slow_cold_starts")
    assert [(row["@log"], row["init_ms"]) for row in slow] == [("evaluate", 812.5), ("refresh_markets", 400.0)]
    counts = {row["@log"]: (row["invocations"], row["cold_starts"]) for row in asked_of_the_platform("cold_starts")}
    assert counts == {"evaluate": (2, 1), "refresh_markets": (1, 1)}


def test_a_function_that_ran_out_of_time_is_an_error() -> None:
    path = next(path for path in query_files()["operations"] if path.stem == "errors")
    lines = [report(duration=50_000, billed=50_000, status="timeout"), report(duration=20, billed=20)]
    (row,) = insights.run(path.read_text(encoding="utf-8"), events(lines, log="evaluate"))
    assert (row["what"], row["@log"], row["times"]) == ("timeout", "evaluate", 1)


def test_the_cost_of_a_function_is_its_time_times_its_memory_and_its_calls() -> None:
    first, second = asked_of_the_platform("cost")
    assert (first["@log"], second["@log"]) == ("refresh_markets", "evaluate")
    assert first["gb_seconds"] == pytest.approx(1.0)
    assert first["dollars"] == pytest.approx(0.0000133334 + 0.0000002)
    assert second["gb_seconds"] == pytest.approx(141 * 512 / 1_024_000)


def test_a_budget_that_lost_what_it_may_is_counted(floor: Floor) -> None:
    store = floor.cloud.store
    (money,) = store.all_rows(Budget)
    day = f"{floor.now:%Y-%m-%d}"
    store.replace(replace(money, max_daily_loss=Decimal(50), loss_today=Decimal(50), day=day))
    floor.schedule("sync_account")
    assert [row["DailyLossReached"] for row in floor.rows() if "DailyLossReached" in row][-1] == [1.0]
    store.replace(replace(money, max_daily_loss=Decimal(50), loss_today=Decimal(50), day="2024-10-26"))
    floor.schedule("sync_account")
    assert [row["DailyLossReached"] for row in floor.rows() if "DailyLossReached" in row][-1] == [0.0]


def test_rejected_credentials_are_counted_until_they_are_taken_again(floor: Floor) -> None:
    def rejected() -> list[float]:
        floor.schedule("sync_account")
        return [row["AccountsRejected"] for row in floor.rows() if "AccountsRejected" in row][-1]

    floor.fault("revoke_key")
    assert rejected() == [1.0]
    floor.no_faults()
    assert rejected() == [0.0]
