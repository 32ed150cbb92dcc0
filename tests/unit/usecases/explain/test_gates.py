"""What stands between a signal and its claim."""

from datetime import timedelta
from typing import Any

import pytest

from surefill.domain.kinds import AccountState, BotState, Side, StopKind
from surefill.domain.reasons import Reason
from surefill.usecases.explain.evaluation import gates_link
from surefill.usecases.explain.model import LinkState
from surefill.usecases.explain.schedule import schedule_link
from tests.fakes.rows import TICK, bot, budget, rules
from tests.unit.usecases.explain.places import (
    AGO,
    NOW,
    account,
    decided,
    held,
    order,
    place,
    slot,
    stop,
    stopped,
)


def test_all_gates_are_open() -> None:
    assert gates_link(place()).state is LinkState.OK


def test_confirmation_counts_to_now() -> None:
    waiting = slot(
        last_reason=Reason.WAITING_CONFIRMATION, signal_side=Side.BUY, signal_since=NOW - timedelta(minutes=3)
    )
    link = gates_link(place(slot=waiting, bot=bot(confirmation_seconds=300)))
    assert (link.state, link.says) == (LinkState.WAITING, "waiting: confirmation 3 of 5 min")


def test_cooldown_is_told_with_its_end() -> None:
    cooling = place(slot=slot(idle_since=NOW - timedelta(minutes=6)), bot=bot(cooldown_seconds=900))
    link = gates_link(cooling)
    assert (link.state, link.says) == (LinkState.WAITING, "waiting: cooldown 6 of 15 min")
    assert link.evidence["until"] == "2026-01-05T12:09:20Z"


def test_a_cooldown_that_is_over_does_not_wait() -> None:
    over = place(slot=slot(idle_since=NOW - timedelta(minutes=15)), bot=bot(cooldown_seconds=900))
    assert gates_link(over).state is LinkState.OK


def test_rejected_credentials() -> None:
    failed = account(state=AccountState.AUTH_FAILED, state_reason="code -2015", trouble_since=TICK - AGO)
    link = gates_link(place(account=failed))
    stopped(link, Reason.CREDENTIALS_REJECTED, "account: credentials rejected: code -2015")
    assert link.since == TICK - AGO


def test_an_account_that_is_short() -> None:
    short = account(state=AccountState.OUT_OF_SYNC, state_reason="BTC short by 1", differences={"BTC": "-1"})
    link = gates_link(place(account=short))
    assert link.reason is Reason.RECONCILE_DIFFERENCE
    assert link.evidence["BTC"] == "-1"


def test_an_account_that_does_not_exist() -> None:
    assert gates_link(place(account=None)).reason is Reason.ACCOUNT_BLOCKED


@pytest.mark.parametrize(
    ("trouble", "reason", "says"),
    [
        (Reason.VENUE_DOWN, Reason.CIRCUIT_OPEN, "circuit: open until 2026-01-05T12:05:00Z (why)"),
        (None, Reason.CIRCUIT_OPEN, "circuit: open until 2026-01-05T12:05:00Z (why)"),
        (Reason.RATE_LIMITED, Reason.RATE_LIMITED, "venue: rate limited until 2026-01-05T12:05:00Z"),
        (Reason.MAINTENANCE, Reason.MAINTENANCE, "venue: maintenance, circuit: open until 2026-01-05T12:05:00Z"),
    ],
)
def test_an_open_circuit(trouble: Reason | None, reason: Reason, says: str) -> None:
    waiting = account(retry_at=TICK + timedelta(minutes=5), trouble=trouble, state_reason="why")
    stopped(gates_link(place(account=waiting)), reason, says)


def test_a_circuit_that_has_closed_again() -> None:
    assert gates_link(place(account=account(retry_at=NOW, trouble=Reason.VENUE_DOWN))).state is LinkState.OK


def test_the_kill_switch_says_who_and_when() -> None:
    link = gates_link(place(stops=(stop(),), budget=budget(entries_allowed=False)))
    stopped(link, Reason.ENTRIES_OFF, "stopped by: ada, 2026-01-05T12:00:00Z: news (NO_NEW of all)")


def test_a_frozen_bot_is_stopped_before_anything_else() -> None:
    frozen = place(stops=(stop(kind=StopKind.FREEZE),), bot=bot(state=BotState.HALTED))
    link = schedule_link(frozen)
    assert link.reason is Reason.FROZEN
    assert link.says == "stopped by: ada, 2026-01-05T12:00:00Z: news (FREEZE of all), frozen"


def test_the_switch_of_a_budget() -> None:
    link = gates_link(place(budget=budget(entries_allowed=False)))
    assert link.reason is Reason.ENTRIES_OFF
    assert "the switch of budget live-binance-main-b" in link.says


def test_entries_switched_off_by_an_overrun() -> None:
    costly = order(outcome=Reason.OVERRUN)
    link = gates_link(place(budget=budget(entries_allowed=False), orders=(costly,)))
    assert link.reason is Reason.OVERRUN
    assert link.evidence["order"] == "e"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, Reason.MARKET_UNKNOWN),
        (rules(active=False), Reason.MARKET_CLOSED),
        (rules(fetched_at=TICK - timedelta(hours=49)), Reason.MARKET_STALE),
    ],
)
def test_market_rules_in_the_way(found: Any, reason: Reason) -> None:
    assert gates_link(place(rules=found)).reason is reason


def test_the_bots_own_gate_with_its_numbers() -> None:
    told = decided(Reason.BELOW_MINIMUM, minimum="5", notional="3.2")
    stopped(gates_link(place(**told)), Reason.BELOW_MINIMUM, "market rule: min notional 5, the order would be 3.2")


def test_a_frozen_place_without_a_known_stop() -> None:
    assert gates_link(place(slot=held(frozen=True))).reason is Reason.FROZEN
