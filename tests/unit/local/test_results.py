"""What runs report: a fingerprint that only the market can change, a summary that says why a run failed, the frame."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console

from local.driver import DriverReport
from local.evaluation_log import count_evaluations
from local.frame import build_frame
from local.replay.result import replay_result, unexplained
from local.rows import Rows
from local.summary import problems, summarise, write_summary
from local.view import render
from surefill.domain.kinds import BotState
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, JournalEntry
from surefill.domain.states import IntentState
from tests.unit.local.invariant_rows import ACCOUNT, BOT, BTC_EXIT, BUDGET, NOW, consistent_rows, unfinished


def bot() -> Bot:
    return Bot(
        bot_id=BOT,
        account_id=ACCOUNT,
        budget_id=BUDGET,
        venue="binance",
        symbols=("BTC/USDT", "ETH/USDT"),
        strategy="composite",
        params={},
        timeframe="1m",
        interval_seconds=60,
        budget_percent=Decimal(20),
        take_profit_percent=Decimal(3),
        stop_loss_percent=Decimal(2),
        slippage_percent=Decimal("0.5"),
        confirmation_seconds=0,
        cooldown_seconds=0,
        state=BotState.ACTIVE,
        definition_hash="h",
        created_at=NOW,
    )


def journal(*, kind: str = "decision", score: str = "0.6") -> JournalEntry:
    return JournalEntry(
        bot_id=BOT,
        entry_key=f"2026-01-05T12:00:00Z#{kind}#ETH/USDT",
        at=NOW,
        kind=kind,
        symbol="ETH/USDT",
        reason=Reason.BUY,
        numbers={"score": score},
        intent_id="3" * 32,
    )


def lived_rows() -> Rows:
    return replace(consistent_rows(), bots=(bot(),), journal=(journal(),))


def result(rows: Rows) -> dict[str, Any]:
    return replay_result(rows, ticks=10, seconds=2.0, decisions={"decision.buy": 1}, symbols=["BTC/USDT"])


def summary(rows: Rows) -> dict[str, Any]:
    return summarise(
        rows,
        report=DriverReport(ticks=7),
        evaluations=14,
        decisions={"decision.buy": 2, "signal.hold": 12},
        seconds_to_first_decision=12.34,
        set_up_seconds={"cdk deploy": 4.56},
        seconds_of_ticking=9.87,
    )


def test_the_fingerprint_ignores_ids_of_the_exchange_and_moments_of_booking() -> None:
    rows = lived_rows()
    renumbered = replace(
        rows,
        intents=tuple(
            replace(
                item,
                fills=tuple(replace(fill, trade_id=f"9{fill.trade_id}") for fill in item.fills),
                venue_order_id="77",
                worker="another",
                finished_at=NOW + timedelta(seconds=9),
            )
            for item in reversed(rows.intents)
        ),
    )
    assert result(rows)["fingerprint"] == result(renumbered)["fingerprint"]


def test_the_fingerprint_changes_with_fills_decisions_and_balances() -> None:
    rows = lived_rows()
    first = result(rows)["fingerprint"]
    price = replace(rows.intents[0].fills[0], price=Decimal("100.01"))
    other_fill = replace(rows, intents=(replace(rows.intents[0], fills=(price,)), *rows.intents[1:]))
    other_decision = replace(rows, journal=(journal(score="0.7"),))
    other_balance = replace(rows, budgets=(replace(rows.budgets[0], realised=Decimal(1)),))
    told_by_a_run = replace(rows, journal=(journal(), journal(kind="reconcile")))
    assert len({first, *(result(made)["fingerprint"] for made in (other_fill, other_decision, other_balance))}) == 4
    assert result(told_by_a_run)["fingerprint"] == first


def test_a_replay_tells_its_trades_positions_and_speed() -> None:
    told = result(lived_rows())
    assert told["closed_positions"] == 1
    assert told["open_positions"] == 1
    assert told["ticks_per_second"] == 5.0
    assert told["violations"] == 0
    assert len(told["trades"]) == 3
    json.dumps(told)


def test_a_balance_the_tables_do_not_explain_is_told() -> None:
    rows = lived_rows()
    assert unexplained(rows) == {}
    accounts = {"main": {**rows.exchange["accounts"]["main"], "BTC": {"free": "0.5", "locked": "0"}}}
    assert unexplained(replace(rows, exchange={**rows.exchange, "accounts": accounts})) == {"BTC": "0.5"}


def test_a_good_run_has_no_problems(tmp_path: Path) -> None:
    made = summary(lived_rows())
    assert problems(made) == []
    assert (made["ticks"], made["evaluations"], made["decisions"]) == (7, 14, 14)
    assert (made["entries_recorded"], made["exits_recorded"], made["unfinished_intents"]) == (2, 1, 0)
    assert made["violations"] == 0
    assert made["seconds_to_first_decision"] == 12.3
    assert set(made["invariants"]) == {f"I{number}" for number in range(1, 13)}
    write_summary(made, tmp_path / "build" / "up.json")
    assert json.loads((tmp_path / "build" / "up.json").read_text())["ticks"] == 7


def test_a_run_without_a_closed_position_failed() -> None:
    rows = replace(lived_rows(), intents=tuple(i for i in lived_rows().intents if i.intent_id != BTC_EXIT))
    assert any("no position went from entry to record to exit" in problem for problem in problems(summary(rows)))


def test_a_violation_is_a_problem_with_its_numbers() -> None:
    rows = lived_rows()
    made = summary(replace(rows, budgets=(replace(rows.budgets[0], available=Decimal(1)),)))
    assert made["invariants"]["I1"] is False
    assert any(problem.startswith(f"I1 violated by {BUDGET}") for problem in problems(made))


def test_unfinished_orders_are_counted() -> None:
    rows = lived_rows()
    made = summary(replace(rows, intents=(*rows.intents, unfinished(IntentState.SENT))))
    assert made["unfinished_intents"] == 1


def test_evaluations_are_added_up_from_the_log() -> None:
    lines = [
        "START RequestId: 1",
        '{"message": "schedule.evaluated", "bots": 2, "reasons": {"signal.hold": 1, "decision.buy": 1}}',
        '{"message": "decision.buy", "bot": "a"}',
        '{"message": "schedule.evaluated", "bots": 1, "reasons": {"signal.hold": 1}}',
        "{broken",
    ]
    found = count_evaluations(lines)
    assert found.evaluations == 3
    assert found.decisions == {"signal.hold": 2, "decision.buy": 1}


def test_the_frame_shows_decision_position_and_distance() -> None:
    frame = build_frame(
        lived_rows(),
        prices={"ETHUSDT": Decimal(40), "BTCUSDT": Decimal(100)},
        tick=NOW,
        ticks=3,
        pace_seconds=2,
        failures=["function surefill-local-dispatch failed: X"],
    )
    text = _text(frame)
    assert "decision.buy (score 0.6)" in text
    assert "OPEN 1.998 for 80.00" in text
    assert "trend (live)" in text
    assert "2 entries and 1 exits recorded" in text
    assert "surefill-local-dispatch failed" in text


def _text(frame: Any) -> str:
    console = Console(width=240)
    with console.capture() as captured:
        console.print(render(frame))
    return captured.get()
