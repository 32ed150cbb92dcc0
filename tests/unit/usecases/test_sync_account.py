"""What an account must hold while the orders of a grid rest."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from surefill.domain.identity import owner_key
from surefill.domain.kinds import AccountState
from surefill.domain.orders import Balance, VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, Intent, Slot
from surefill.domain.states import SlotState
from surefill.protocol.funds import raise_floor
from surefill.protocol.parts import OPEN
from surefill.protocol.transaction import GuardFailedError
from surefill.usecases.sync_account import AccountSync
from tests.fakes.orders import entry_of
from tests.fakes.ports import FakeClock
from tests.fakes.rows import MARKET, TICK
from tests.fakes.venue import FakeVenue
from tests.fakes.world import World

ACCOUNT = "live-binance-main"


@pytest.fixture
def world() -> World:
    return World()


def rung(intent: Intent, name: str, **changes: object) -> Slot:
    """The slot of a grid's rung."""
    owner = owner_key(account_id=ACCOUNT, bot_id=intent.bot_id, rung=name)
    slot = Slot(
        market_key=MARKET,
        owner_key=owner,
        bot_id=intent.bot_id,
        account_id=ACCOUNT,
        budget_id=intent.budget_id,
        rung=name,
        open_key=OPEN,
        slot_key=f"{MARKET}|{owner}",
        entry_intent_id=intent.intent_id,
    )
    return replace(slot, **changes)  # type: ignore[arg-type]


def synced(world: World, *, usdt: str, btc: str) -> Account:
    """The account after a look at these balances."""
    world.venue.held = {
        asset: Balance(free=Decimal(text), locked=Decimal(0)) for asset, text in (("USDT", usdt), ("BTC", btc))
    }
    sync = AccountSync(store=world.store, venues=world.venue, clock=world.clock, observer=world.observer)
    sync.sync_all(tick=TICK)
    account = world.store.get(Account, ACCOUNT)
    assert isinstance(account, Account)
    return account


@pytest.mark.parametrize("btc", ["0.5", "0.2", "0"])
def test_a_resting_sale_may_have_sold_what_is_not_booked_yet(btc: str) -> None:
    world = World()
    world.store.insert(rung(entry_of(world), "level0", state=SlotState.CLOSING, quantity=Decimal("0.5")))
    assert synced(world, usdt="1000", btc=btc).state is AccountState.OK


def test_what_no_order_rests_for_is_missing_all_the_same() -> None:
    world = World()
    intent = entry_of(world)
    world.store.insert(rung(intent, "level0", state=SlotState.CLOSING, quantity=Decimal("0.5")))
    world.store.insert(rung(intent, "level1", state=SlotState.OPEN, quantity=Decimal("0.5")))
    account = synced(world, usdt="1000", btc="0.4")
    assert account.state is AccountState.OUT_OF_SYNC
    assert account.differences == {"BTC": "-0.6"}


def test_a_resting_buy_may_have_spent_what_it_reserves() -> None:
    world = World()
    intent = replace(entry_of(world), rung="level0", reserved=Decimal(200))
    world.store.insert(intent)
    world.store.insert(rung(intent, "level0", state=SlotState.OPENING))
    assert synced(world, usdt="800", btc="1.9").state is AccountState.OK
    assert synced(world, usdt="799", btc="1.9").differences["USDT"] == "-201"


def floor_after_sync(world: World, **changes: object) -> Decimal | None:
    world.store.replace(replace(world.money(), **changes))  # type: ignore[arg-type]
    world.venue.held = {"USDT": Balance(free=Decimal(5000), locked=Decimal(0))}
    sync = AccountSync(store=world.store, venues=world.venue, clock=world.clock, observer=world.observer)
    sync.sync_all(tick=TICK)
    return world.money().realised_floor


def test_a_drawdown_limit_follows_the_best_result(world: World) -> None:
    assert floor_after_sync(world, max_drawdown=Decimal(50)) == Decimal(-50)
    assert floor_after_sync(world, realised=Decimal(30)) == Decimal(-20)
    assert floor_after_sync(world, realised=Decimal(-10)) == Decimal(-20)


def test_without_a_limit_there_is_no_floor(world: World) -> None:
    assert floor_after_sync(world) is None


def test_a_limit_that_is_changed_meanwhile_keeps_its_own_floor(world: World) -> None:
    world.store.replace(replace(world.money(), max_drawdown=Decimal(50)))
    stale = raise_floor(world.money())
    assert stale is not None
    world.store.replace(replace(world.money(), max_drawdown=Decimal(80), realised_floor=Decimal(-80)))
    with pytest.raises(GuardFailedError) as caught:
        world.store.update(stale)
    assert caught.value.names() == {"same_limit"}


class SkewedVenue(FakeVenue):
    """A venue with a clock of its own, and keys that may be unreadable."""

    ahead = timedelta(0)
    takes = timedelta(0)
    clock: FakeClock
    refused: VenueError | None = None

    def server_time(self) -> datetime:
        half = self.takes / 2
        self.clock.current += half
        theirs = self.clock.now() + self.ahead
        self.clock.current += half
        return theirs

    def of_account(self, account: Account) -> FakeVenue:
        if self.refused is not None:
            raise self.refused
        return self


@pytest.fixture
def skewed(world: World) -> tuple[SkewedVenue, Callable[[], Account]]:
    venue = SkewedVenue(held={"USDT": Balance(free=Decimal(1000), locked=Decimal(0))})
    venue.clock = world.clock

    def look() -> Account:
        sync = AccountSync(store=world.store, venues=venue, clock=world.clock, observer=world.observer)
        sync.sync_all(tick=TICK)
        account = world.store.get(Account, ACCOUNT)
        assert account is not None
        return account

    return venue, look


def test_the_skew_of_the_venues_clock_is_kept_and_small_changes_are_not_written(
    skewed: tuple[SkewedVenue, Callable[[], Account]],
) -> None:
    venue, look = skewed
    venue.takes = timedelta(milliseconds=400)
    seen = []
    for ahead in (120, 370, 371, -900, -1_150):
        venue.ahead = timedelta(milliseconds=ahead)
        seen.append(look().clock_skew_ms)
    assert seen == [120, 120, 371, -900, -900]


def test_a_slow_answer_says_nothing_of_the_clock(skewed: tuple[SkewedVenue, Callable[[], Account]]) -> None:
    venue, look = skewed
    venue.takes, venue.ahead = timedelta(seconds=1.2), timedelta(minutes=1)
    assert look().clock_skew_ms is None


def test_whether_the_keys_can_be_read_is_kept(skewed: tuple[SkewedVenue, Callable[[], Account]]) -> None:
    venue, look = skewed
    assert look().secret_ok is True
    venue.refused = VenueError(Reason.VENUE_DOWN, "the secrets did not answer")
    assert look().secret_ok is True
    venue.refused = VenueError(Reason.CREDENTIALS_REJECTED, "no such secret")
    account = look()
    assert (account.secret_ok, account.state) == (False, AccountState.AUTH_FAILED)
    venue.refused = None
    assert look().secret_ok is True
