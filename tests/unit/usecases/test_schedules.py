"""What the schedules do: dispatch, watch exits, sync, refresh."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.kinds import AccountState, BotState
from surefill.domain.orders import Balance, VenueError
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules, ScheduleRow
from surefill.domain.rows import Account, Slot
from surefill.domain.states import SlotState
from surefill.domain.times import format_time
from surefill.ports import StoreUnavailableError
from surefill.usecases.batches import BatchError, decode, encode
from surefill.usecases.book import Outcome
from surefill.usecases.dispatch import Dispatched, dispatch
from surefill.usecases.refresh_markets import refresh_markets
from surefill.usecases.sync_account import AccountSync
from tests.fakes.rows import MARKET, OWNER, TICK, bot
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return World()


def run(world: World) -> Dispatched:
    now = world.clock.now()
    return dispatch(
        tick=now.replace(second=0), store=world.store, queue=world.queue, clock=world.clock, observer=world.observer
    )


def test_a_minute_bot_is_dispatched_every_minute_and_an_hourly_one_hourly(world: World) -> None:
    world.store.insert(bot(bot_id="hourly", interval_seconds=3600, cadence_key="3600", definition_hash="x"))
    seen = []
    for _ in range(3):
        seen.append(run(world).bots)
        world.clock.forward(minutes=1)
    world.clock.forward(minutes=56)
    seen.append(run(world).bots)
    world.clock.forward(minutes=1)
    seen.append(run(world).bots)
    assert seen == [2, 1, 1, 1, 2]


def test_a_missed_hour_is_caught_up_once(world: World) -> None:
    world.store.insert(bot(bot_id="hourly", interval_seconds=3600, cadence_key="3600", definition_hash="x"))
    run(world)
    world.clock.forward(minutes=75)
    assert run(world).bots == 2
    world.clock.forward(minutes=1)
    assert run(world).bots == 1


def test_the_same_tick_twice_hands_out_the_same_batch(world: World) -> None:
    run(world)
    run(world)
    first, second = world.queue.bodies
    assert first == second


def test_a_late_tick_is_dropped_loudly(world: World) -> None:
    late = dispatch(
        tick=TICK - timedelta(minutes=5), store=world.store, queue=world.queue, clock=world.clock,
        observer=world.observer,
    )  # fmt: skip
    assert late.dropped
    assert world.observer.reasons() == [Reason.TICK_LATE]
    assert world.store.get(ScheduleRow, "dispatch") is None


def test_a_tick_that_could_not_be_handed_out_is_not_finished(world: World) -> None:
    class Broken:
        def send(self, bodies: object, *, delay_seconds: int = 0) -> None:
            raise StoreUnavailableError("queue is away")

        def depth(self) -> int:
            raise StoreUnavailableError("queue is away")

    with pytest.raises(StoreUnavailableError):
        dispatch(tick=TICK, store=world.store, queue=Broken(), clock=world.clock, observer=world.observer)
    assert world.store.get(ScheduleRow, "dispatch") is None
    assert run(world).bots == 1


def test_what_is_left_in_the_queue_is_noted_with_its_beginning(world: World) -> None:
    def noted() -> dict[str, str]:
        run(world)
        world.clock.forward(minutes=1)
        row = world.store.get(ScheduleRow, "dispatch")
        assert row is not None
        return {name: value for name, value in row.counts.items() if name not in ("bots", "messages")}

    assert noted() == {}
    world.queue.left = 3
    began = format_time(world.clock.now())
    assert noted() == {"waiting": "3", "waiting_since": began}
    world.queue.left = 7
    assert noted() == {"waiting": "7", "waiting_since": began}
    world.queue.left = 0
    assert noted() == {}


def test_paused_bots_are_not_found(world: World) -> None:
    world.store.replace(replace(world.bot, state=BotState.PAUSED, cadence_key=None))
    assert run(world).bots == 0


def test_bots_of_one_market_travel_together(world: World) -> None:
    for index in range(50):
        world.store.insert(bot(bot_id=f"b{index}", definition_hash=f"h{index}"))
    world.store.insert(bot(bot_id="two", symbols=("BTC/USDT", "ETH/USDT"), definition_hash="t"))
    done = run(world)
    assert (done.bots, done.messages) == (52, 2)
    batch = decode(world.queue.bodies[0])
    assert (batch.symbol, len(batch.bots)) == ("BTC/USDT", 52)
    assert bot(bot_id="b7", definition_hash="h7") in batch.bots


def test_thousands_of_bots_split_into_messages_the_queue_takes(world: World) -> None:
    crowd = tuple(bot(bot_id=f"bot{index}", definition_hash=f"{index * 7919:032x}") for index in range(9_000))
    bodies = encode(replace(world.batch(), bots=crowd))
    assert all(len(body) < 256 * 1024 for body in bodies)
    assert sum(len(decode(body).bots) for body in bodies) == 9_000


@pytest.mark.parametrize("body", ["", "{}", '{"bots": "x"}', "[]"])
def test_a_message_that_is_no_batch_says_so(body: str) -> None:
    with pytest.raises(BatchError):
        decode(body)


def held(world: World, **changes: object) -> None:
    world.store.insert(
        replace(
            Slot(
                market_key=MARKET,
                owner_key=OWNER,
                bot_id="trend",
                account_id="live-binance-main",
                budget_id="live-binance-main-b",
                state=SlotState.OPEN,
                open_key="open",
                slot_key=f"{MARKET}|{OWNER}",
                entry_intent_id="e" * 32,
                quantity=Decimal("1.9"),
                cost=Decimal(190),
                opened_at=TICK,
                take_profit=Decimal(103),
                stop_loss=Decimal(98),
            ),
            **changes,  # type: ignore[arg-type]
        )
    )
    world.store.replace(replace(world.money(), available=Decimal(810), deployed=Decimal(190), open_positions=1))


@pytest.mark.parametrize(
    ("bid", "reason", "started"),
    [
        ("98", Reason.STOP_LOSS, 1), ("98.01", Reason.EXIT_WAITING, 0), ("102.99", Reason.EXIT_WAITING, 0),
        ("103", Reason.TAKE_PROFIT, 1), ("50", Reason.STOP_LOSS, 1),
    ],
)  # fmt: skip
def test_levels_are_held_against_the_bid(world: World, bid: str, reason: Reason, started: int) -> None:
    held(world)
    world.venue.bid = Decimal(bid)
    world.venue.ask = Decimal(bid)
    assert world.watch.watch(tick=TICK) == {reason: 1}
    assert len(world.workflow.started) == started
    assert all(intent.reason is reason for intent in world.workflow.started.values())


def test_a_position_without_levels_is_reported_every_time(world: World) -> None:
    """Incident N08."""
    held(world, take_profit=None, stop_loss=None)
    assert world.watch.watch(tick=TICK) == {Reason.UNPROTECTED: 1}
    assert ("UnprotectedPositions", 1) in world.observer.metrics


@pytest.mark.parametrize("away", ["stale", "missing", "down"])
def test_without_a_fresh_price_the_exit_says_so(world: World, away: str) -> None:
    held(world)
    if away == "down":
        world.venue.look_error = VenueError(Reason.VENUE_DOWN, "down")
    world.venue.quoted_at = None if away == "missing" else TICK - timedelta(minutes=5)
    expected = {"stale": Reason.PRICE_STALE, "missing": Reason.NO_PRICE, "down": Reason.VENUE_DOWN}[away]
    assert world.watch.watch(tick=TICK) == {expected: 1}
    assert [entry.reason for entry in world.store.journal_of("trend")] == [expected]


def test_what_is_too_little_to_sell_is_closed_as_dust(world: World) -> None:
    held(world, quantity=Decimal("0.0004"), cost=Decimal(190))
    world.venue.bid = Decimal(90)
    assert world.watch.watch(tick=TICK) == {Reason.DUST: 1}
    assert world.slot().state is SlotState.EMPTY
    assert (world.money().deployed, world.money().realised) == (0, -190)


def test_held_and_halted_positions_are_left_alone(world: World) -> None:
    held(world)
    world.store.replace(replace(world.bot, state=BotState.HALTED))
    world.venue.bid = Decimal(90)
    assert world.watch.watch(tick=TICK) == {Reason.BOT_NOT_ACTIVE: 1}
    world.store.replace(replace(world.slot(), state=SlotState.HELD, held_reason=Reason.BALANCE_SHORT))
    assert world.watch.watch(tick=TICK) == {Reason.SLOT_HELD: 1}
    assert ("Quarantined", 1) in world.observer.metrics
    assert not world.workflow.started


def test_the_next_attempt_after_a_failed_sale_is_another_order(world: World) -> None:
    held(world)
    world.venue.bid = Decimal(90)
    world.watch.watch(tick=TICK)
    world.venue.script = ["nothing"]
    world.run_started()
    world.clock.forward(minutes=1)
    world.venue.quoted_at = world.clock.now()
    world.watch.watch(tick=world.clock.now())
    assert len(world.workflow.started) == 2
    world.run_started()
    assert world.slot().state is SlotState.EMPTY


def sync(world: World) -> Account:
    AccountSync(store=world.store, venues=world.venue, clock=world.clock, observer=world.observer).sync_all(tick=TICK)
    account = world.store.get(Account, "live-binance-main")
    assert account is not None
    return account


def balance(amount: str) -> Balance:
    return Balance(free=Decimal(amount), locked=Decimal(0))


@pytest.mark.parametrize(
    ("usdt", "btc", "state", "differences"),
    [
        ("810", "1.9", AccountState.OK, {}),
        ("900", "1.9", AccountState.OK, {"USDT": "+90"}),
        ("810", "1.5", AccountState.OUT_OF_SYNC, {"BTC": "-0.4"}),
        ("800", "1.9", AccountState.OUT_OF_SYNC, {"USDT": "-10"}),
    ],
)
def test_a_deficit_stops_entries_and_a_surplus_is_shown(
    world: World, usdt: str, btc: str, state: AccountState, differences: dict[str, str]
) -> None:
    """Incidents of the failure catalogue A1 to A3."""
    held(world)
    world.venue.held = {"USDT": balance(usdt), "BTC": balance(btc)}
    account = sync(world)
    assert (account.state, account.differences) == (state, differences)


def test_an_account_is_well_again_when_the_venue_takes_its_keys(world: World) -> None:
    world.venue.look_error = VenueError(Reason.CREDENTIALS_REJECTED, "-2015")
    assert sync(world).state is AccountState.AUTH_FAILED
    world.venue.look_error = None
    world.venue.held = {"USDT": balance("1000")}
    assert sync(world).state is AccountState.OK


def test_a_venue_that_is_down_changes_no_state(world: World) -> None:
    world.venue.look_error = VenueError(Reason.VENUE_DOWN, "503", retry_at=TICK + timedelta(minutes=1))
    account = sync(world)
    assert (account.state, account.retry_at) == (AccountState.OK, TICK + timedelta(minutes=1))


def test_while_an_order_is_under_way_nothing_is_concluded(world: World) -> None:
    held(world, state=SlotState.CLOSING)
    world.venue.held = {"USDT": balance("0")}
    assert sync(world).state is AccountState.OK


def test_markets_are_copied_and_a_failing_venue_is_left_out(world: World) -> None:
    class Down:
        def market_rules(self, symbols: object, *, now: object) -> None:
            raise VenueError(Reason.VENUE_DOWN, "down")

    class Venues:
        def market_data(self, venue: str) -> object:
            return world.venue if venue == "binance" else Down()

    counts = refresh_markets(
        tick=TICK, names=["binance", "other"], store=world.store, venues=Venues(),  # type: ignore[arg-type]
        clock=world.clock, observer=world.observer,
    )  # fmt: skip
    assert counts == {"binance": 1}
    assert world.store.get(MarketRules, MARKET) is not None
    assert Reason.VENUE_DOWN in world.observer.reasons()


def test_an_exit_whose_claim_failed_is_tried_again_the_next_minute(world: World) -> None:
    """Its first execution is over and its name is taken for months; the position must not stay open for that."""
    held(world)
    world.venue.bid = Decimal(90)
    world.watch.watch(tick=TICK)
    world.watch.watch(tick=TICK)
    assert len(world.workflow.started) == 1  # its claim fails: nothing was claimed
    world.clock.forward(minutes=1)
    world.venue.quoted_at = world.clock.now()
    world.watch.watch(tick=world.clock.now())
    assert len(world.workflow.started) == 2
    assert len({intent.intent_id for intent in world.workflow.started.values()}) == 1
    world.workflow.started.pop(next(iter(world.workflow.started)))
    assert world.run_started() == [Outcome.RECORDED]
    assert len(world.venue.posts) == 1
    assert world.slot().state is SlotState.EMPTY


def test_whatever_is_wrong_with_one_position_the_others_are_watched(world: World) -> None:
    held(world)
    world.store.insert(replace(world.slot(), owner_key="live-binance-main|odd", bot_id="odd", stop_loss=Decimal("NaN")))
    world.venue.bid = Decimal(90)
    counts = world.watch.watch(tick=TICK)
    assert counts == {Reason.INTERNAL_ERROR: 1, Reason.STOP_LOSS: 1}
