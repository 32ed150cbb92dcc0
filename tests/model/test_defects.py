"""The smallest tests of what the models found in the product; each was a defect once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from surefill.domain.rows import Budget, Intent
from surefill.domain.states import IntentState
from surefill.usecases.claim import claim
from tests.fakes.orders import claimed, entry_of
from tests.fakes.rows import bot
from tests.fakes.world import World


@pytest.mark.parametrize(
    "limit", [{"max_trades_per_day": 3, "trades_today": 3}, {"max_daily_loss": 5, "loss_today": 5}]
)
def test_the_limits_of_yesterday_do_not_hold_today(limit: dict[str, int]) -> None:
    world = World()
    world.store.replace(replace(world.money(), day="2026-01-04", **limit))  # type: ignore[arg-type]
    assert claim(entry_of(world), store=world.store, observer=world.observer).claimed


def test_two_first_claims_of_a_day_are_counted_as_two() -> None:
    world = World()
    world.store.insert(replace(bot(), bot_id="other"))
    mine = entry_of(world)
    other = replace(mine, intent_id="f" * 32, bot_id="other")

    class Slow:
        """Between the refusal of the first try and the look at the budget, somebody else trades."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

        def get(self, row: Any, *values: str) -> Any:
            if row is Budget and world.money().day == "":
                assert claim(other, store=world.store, observer=world.observer).claimed
            return world.store.get(row, *values)

    claim(mine, store=Slow(), observer=world.observer)  # type: ignore[arg-type]
    assert world.money().trades_today == 2


def test_a_denial_from_before_the_fence_proves_nothing_however_late_it_is_read() -> None:
    world = World()
    intent: Intent = claimed(world)
    world.store.replace(
        replace(world.intent(intent.intent_id), state=IntentState.SENT, sent_at=world.clock.now(), worker="w")
    )

    class Paused:
        """The process is paused between the answer and what it does with it."""

        def of_account(self, account: object) -> "Paused":
            return self

        def find(self, **what: str) -> None:
            world.clock.forward(seconds=20)

    replace(world.settler, venues=Paused()).settle(intent.intent_id)  # type: ignore[arg-type]
    assert world.intent(intent.intent_id).absent_since is None


def test_two_denials_lie_apart_by_their_looks_not_by_their_ends() -> None:
    world = World()
    intent: Intent = claimed(world)
    now = world.clock.now() + timedelta(seconds=30)
    world.clock.current = now
    sent = replace(
        world.intent(intent.intent_id),
        state=IntentState.SENT,
        sent_at=now - timedelta(seconds=30),
        worker="w",
        absent_since=now,
    )
    world.store.replace(sent)

    class Paused:
        def of_account(self, account: object) -> "Paused":
            return self

        def find(self, **what: str) -> None:
            world.clock.forward(seconds=20)

        def find_trace(self, **what: object) -> None:
            """As blind as the look, at the same moment."""

    replace(world.settler, venues=Paused()).settle(intent.intent_id)  # type: ignore[arg-type]
    assert world.intent(intent.intent_id).state is IntentState.SENT
