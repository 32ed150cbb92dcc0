"""Readiness: every check of a buy, without a signal and without writing."""

from decimal import Decimal
from typing import Any, get_args

import pytest

from surefill.domain.kinds import AccountState, BotState
from surefill.domain.reasons import Reason
from surefill.domain.rows import Row
from surefill.domain.rules import SizingMode, SizingRules
from surefill.domain.states import SlotState
from surefill.usecases.explain import Explainer
from surefill.usecases.explain.readiness import readiness_of
from tests.fakes.rows import bot, budget
from tests.fakes.world import World
from tests.unit.usecases.explain.places import account, held, place, slot


def test_a_bot_in_order_is_ready() -> None:
    ready = readiness_of(place())
    assert ready.ready
    assert ready.problem is None
    assert len(ready.checks) == 6


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schedules": {}}, Reason.NO_TICK),
        ({"bot": bot(state=BotState.DRAINING)}, Reason.BOT_NOT_ACTIVE),
        ({"budget": budget(entries_allowed=False)}, Reason.ENTRIES_OFF),
        ({"account": account(state=AccountState.AUTH_FAILED)}, Reason.CREDENTIALS_REJECTED),
        ({"rules": None}, Reason.MARKET_UNKNOWN),
        ({"slot": held()}, Reason.ALREADY_IN_POSITION),
        ({"slot": held(state=SlotState.HELD)}, Reason.SLOT_HELD),
        ({"slot": slot(state=SlotState.OPENING)}, Reason.SLOT_TAKEN),
        ({"budget": None}, Reason.BUDGET_MISSING),
        ({"budget": budget(available=Decimal(100), deployed=Decimal(900))}, Reason.BUDGET_TOO_SMALL),
        ({"budget": budget(max_open_positions=1, open_positions=1)}, Reason.LIMIT_OPEN_POSITIONS),
        ({"budget": budget(day="2026-01-05", max_trades_per_day=2, trades_today=2)}, Reason.LIMIT_TRADES),
        ({"budget": budget(day="2026-01-05", max_daily_loss=Decimal(5), loss_today=Decimal(5))}, Reason.LIMIT_LOSS),
        ({"budget": budget(realised=Decimal(-9), realised_floor=Decimal(-8))}, Reason.LIMIT_DRAWDOWN),
        ({"budget": budget(funded=Decimal(20), available=Decimal(20))}, Reason.BELOW_MINIMUM),
    ],
)
def test_what_stands_in_the_way(changes: dict[str, Any], reason: Reason) -> None:
    found = readiness_of(place(**changes))
    assert not found.ready
    assert found.problem is not None
    assert found.problem.reason is reason


def test_yesterdays_limits_are_no_reason_against_today() -> None:
    old = budget(day="2026-01-04", max_trades_per_day=2, trades_today=2)
    assert readiness_of(place(budget=old)).ready


def test_a_size_that_needs_the_market_is_not_guessed() -> None:
    by_volatility = bot(sizing=SizingRules(mode=SizingMode.VOLATILITY))
    assert readiness_of(place(bot=by_volatility, budget=budget(available=Decimal(1), deployed=Decimal(999)))).ready


def test_it_is_asked_per_symbol_and_writes_nothing() -> None:
    world = World()
    before = {row: world.store.rows(row) for row in get_args(Row)}
    found = Explainer(store=world.store, clock=world.clock).readiness("trend")
    assert [one.symbol for one in found] == ["BTC/USDT"]
    assert not found[0].ready, "no schedule has ticked here"
    assert {row: world.store.rows(row) for row in get_args(Row)} == before
