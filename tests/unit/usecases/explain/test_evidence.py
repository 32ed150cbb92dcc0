"""What the use cases leave in the tables for whoever asks why."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from surefill.domain.kinds import AccountState
from surefill.domain.orders import Balance, VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, JournalEntry
from surefill.ports import StoreUnavailableError
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.sync_account import AccountSync
from tests.fakes.orders import entry_of
from tests.fakes.rows import TICK
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    made = World()
    made.venue.held = {"USDT": Balance(free=Decimal(1000), locked=Decimal(0))}
    return made


def sync(world: World) -> Account:
    """One comparison of balances; the account afterwards."""
    AccountSync(store=world.store, venues=world.venue, clock=world.clock, observer=world.observer).sync(account(world))
    return account(world)


def account(world: World) -> Account:
    found: Account = world.store.get(Account, "live-binance-main")
    return found


def placed(world: World, *script: str) -> Outcome:
    """An entry whose post meets this answer."""
    intent = entry_of(world)
    assert claim(intent, store=world.store, observer=world.observer).claimed
    world.venue.script = list(script)
    return world.placer.place(intent, worker="w")


def told(world: World) -> list[JournalEntry]:
    return [entry for entry in world.store.journal_of("trend") if entry.kind == "place-entry"]


@pytest.mark.parametrize(
    ("answer", "reason", "numbers"),
    [
        (Reason.QUANTITY_TOO_SMALL, Reason.REJECTED, {"code": "-1", "why": Reason.QUANTITY_TOO_SMALL.value}),
        ("not_sent", Reason.NEVER_SENT, {"error": "no connection"}),
        ("lost", Reason.UNKNOWN, {"error": "request lost"}),
        ("duplicate", Reason.UNKNOWN, {"error": "Duplicate order sent."}),
    ],
)
def test_what_the_venue_said_is_kept(world: World, answer: str, reason: Reason, numbers: dict[str, str]) -> None:
    placed(world, answer)
    (entry,) = told(world)
    assert entry.reason is reason
    assert numbers.items() <= entry.numbers.items()
    assert entry.intent_id is not None


def test_an_order_that_went_well_leaves_no_entry(world: World) -> None:
    assert placed(world) is Outcome.RECORDED
    assert told(world) == []


def test_a_journal_that_is_away_fails_no_order(world: World) -> None:
    real = world.store.insert

    def insert(row: Any) -> None:
        if isinstance(row, JournalEntry):
            raise StoreUnavailableError("throttled")
        real(row)

    world.store.insert = insert
    assert placed(world, Reason.BELOW_MINIMUM) is Outcome.RELEASED
    assert world.money().reserved == 0


def test_an_account_that_can_not_be_read_opens_its_circuit(world: World) -> None:
    world.venue.look_error = VenueError(Reason.VENUE_DOWN, "HTTP 503")
    after = sync(world)
    assert (after.state, after.trouble, after.trouble_since) == (AccountState.OK, Reason.VENUE_DOWN, TICK)
    assert after.retry_at == TICK + timedelta(minutes=6)


def test_trouble_is_told_since_it_began(world: World) -> None:
    world.venue.look_error = VenueError(Reason.MAINTENANCE, "maintenance")
    sync(world)
    world.clock.forward(minutes=5)
    after = sync(world)
    assert after.trouble_since == TICK
    assert after.retry_at == TICK + timedelta(minutes=11)


def test_another_trouble_begins_anew(world: World) -> None:
    world.venue.look_error = VenueError(Reason.MAINTENANCE, "maintenance")
    sync(world)
    world.clock.forward(minutes=5)
    world.venue.look_error = VenueError(Reason.CREDENTIALS_REJECTED, "code -2015")
    after = sync(world)
    assert (after.trouble, after.trouble_since) == (Reason.CREDENTIALS_REJECTED, TICK + timedelta(minutes=5))
    assert after.retry_at is None, "a rejected key waits for a person, not for a time"


def test_what_the_venue_says_about_its_limit_is_believed(world: World) -> None:
    until = TICK + timedelta(seconds=90)
    world.venue.look_error = VenueError(Reason.RATE_LIMITED, "429", retry_at=until)
    assert sync(world).retry_at == until


def test_a_good_look_closes_the_circuit(world: World) -> None:
    world.venue.look_error = VenueError(Reason.VENUE_DOWN, "HTTP 503")
    sync(world)
    world.venue.look_error = None
    after = sync(world)
    assert (after.trouble, after.trouble_since, after.retry_at) == (None, None, None)


def test_a_deficit_is_trouble_with_a_beginning(world: World) -> None:
    world.venue.held = {"USDT": Balance(free=Decimal(900), locked=Decimal(0))}
    after = sync(world)
    assert (after.trouble, after.trouble_since) == (Reason.RECONCILE_DIFFERENCE, TICK)


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (Reason.VENUE_DOWN, Reason.CIRCUIT_OPEN),
        (Reason.MAINTENANCE, Reason.CIRCUIT_OPEN),
        (Reason.RATE_LIMITED, Reason.RATE_LIMITED),
    ],
)
def test_nothing_is_bought_while_the_circuit_is_open(world: World, trouble: Reason, reason: Reason) -> None:
    until = TICK + timedelta(minutes=3)
    world.store.replace(replace(account(world), retry_at=until, trouble=trouble, state_reason="HTTP 503"))
    with pytest.raises(AssertionError, match=reason.name) as refused:
        entry_of(world)
    assert "2026-01-05T12:03:00Z" in str(refused.value)


def test_a_rejected_key_is_trouble_since_it_was_first_rejected(world: World) -> None:
    placed(world, Reason.CREDENTIALS_REJECTED)
    first = account(world)
    assert (first.state, first.trouble, first.trouble_since) == (
        AccountState.AUTH_FAILED,
        Reason.CREDENTIALS_REJECTED,
        TICK,
    )
