"""Watching exits by rules: what is sold, what is stored, and what is told only once."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules, ScheduleRow
from surefill.domain.rows import Intent, Slot
from surefill.domain.rules import ExitRules, LadderStep
from surefill.domain.states import SlotState
from surefill.protocol.transaction import Key, Update
from tests.fakes.rows import MARKET, OWNER, TICK
from tests.fakes.world import World

TRAILING = ExitRules(trailing_percent=Decimal(2), trailing_from_percent=Decimal(1))
LADDER = ExitRules(
    ladder=(
        LadderStep(percent=Decimal(2), share=Decimal("0.5")),
        LadderStep(percent=Decimal(4), share=Decimal("0.25")),
    )
)
TINY = LadderStep(percent=Decimal(1), share=Decimal("0.01"))


@pytest.fixture
def world() -> World:
    return World()


def hold(world: World, **changes: Any) -> None:
    """Two BTC for 200: an average cost of 100."""
    slot = Slot(
        market_key=MARKET, owner_key=OWNER, bot_id="trend", account_id="live-binance-main",
        budget_id="live-binance-main-b", state=SlotState.OPEN, open_key="open", slot_key=f"{MARKET}|{OWNER}",
        entry_intent_id="e" * 32, quantity=Decimal(2), bought=Decimal(2), cost=Decimal(200), opened_at=TICK,
        take_profit_percent=Decimal(0), stop_loss_percent=Decimal(0),
    )  # fmt: skip
    world.store.insert(replace(slot, **changes))
    world.store.replace(replace(world.money(), available=Decimal(800), deployed=Decimal(200), open_positions=1))


def minute(world: World, bid: str) -> dict[str, int]:
    """The next minute's pass, at a bid."""
    world.clock.forward(minutes=1)
    world.venue.bid = world.venue.ask = Decimal(bid)
    world.venue.quoted_at = world.clock.now()
    return dict(world.watch.watch(tick=world.clock.now()))


def told(world: World) -> list[Reason]:
    """What the journal holds of the bot's exits, oldest first."""
    return [entry.reason for entry in reversed(world.store.journal_of("trend")) if entry.kind == "exit"]


def prices(world: World) -> dict[str, str]:
    """What the last pass left for those who ask what a position is worth."""
    row = world.store.get(ScheduleRow, "watch_exits")
    assert row is not None
    return dict(row.prices)


def sales(world: World) -> list[Intent]:
    return list(world.workflow.started.values())


def carry_out(world: World) -> None:
    world.run_started()
    world.workflow.started.clear()


def counted(world: World, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the calls to the store from now on."""
    calls: Counter[str] = Counter()

    def counting(name: str) -> Any:
        real = getattr(world.store, name)

        def counted_call(*arguments: Any, **options: Any) -> Any:
            calls[name] += 1
            return real(*arguments, **options)

        return counted_call

    for name in ("commit", "update", "insert", "get"):
        monkeypatch.setattr(world.store, name, counting(name))
    return calls


def test_a_trailing_stop_follows_the_highest_bid(world: World) -> None:
    hold(world, exit_rules=TRAILING)
    assert minute(world, "100") == {Reason.EXIT_WAITING: 1}
    assert world.slot().highest is None
    minute(world, "104")
    assert world.slot().highest == 104
    minute(world, "104.05")
    assert world.slot().highest == 104
    assert minute(world, "101.92") == {Reason.TRAILING_STOP: 1}
    assert [(sale.reason, sale.quantity) for sale in sales(world)] == [(Reason.TRAILING_STOP, 2)]
    carry_out(world)
    assert world.slot().state is SlotState.EMPTY
    assert world.slot().highest is None


@pytest.mark.parametrize(("rules", "bid"), [(TRAILING, "104"), (ExitRules(ladder=(TINY,)), "102")])
def test_what_was_seen_is_stored_for_its_own_position_only(world: World, rules: ExitRules, bid: str) -> None:
    """The slot was read, then sold and bought again by somebody else: nothing is stored, nothing is sold."""
    hold(world, exit_rules=rules)
    read = world.store.slots_of_market(MARKET)
    world.store.replace(replace(world.slot(), entry_intent_id="f" * 32))

    class Stale:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

        def slots_of_market(self, market_key: str) -> Any:
            return read

    world.venue.bid = world.venue.ask = Decimal(bid)
    assert replace(world.watch, store=Stale()).watch(tick=TICK) == {Reason.IN_FLIGHT: 1}
    assert (world.slot().highest, world.slot().ladder_done) == (None, 0)
    assert not sales(world)


def test_without_the_markets_rules_nothing_is_sold_and_it_is_told(world: World) -> None:
    hold(world, stop_loss=Decimal(98))
    world.store.delete(Key(MarketRules, (MARKET,)))
    assert minute(world, "90") == {Reason.MARKET_UNKNOWN: 1}
    assert minute(world, "90") == {Reason.MARKET_UNKNOWN: 1}
    assert told(world) == [Reason.MARKET_UNKNOWN]
    assert not sales(world)


def test_a_ladder_sells_its_shares_of_all_that_was_bought(world: World) -> None:
    hold(world, exit_rules=LADDER)
    assert minute(world, "102") == {Reason.LADDER: 1}
    assert [(sale.quantity, sale.part) for sale in sales(world)] == [(1, True)]
    carry_out(world)
    slot = world.slot()
    assert (slot.state, slot.quantity, slot.cost, slot.ladder_done) == (SlotState.OPEN, 1, 100, 1)
    assert minute(world, "103.9") == {Reason.EXIT_WAITING: 1}
    assert minute(world, "104") == {Reason.LADDER: 1}
    carry_out(world)
    slot = world.slot()
    assert (slot.quantity, slot.cost, slot.ladder_done) == (Decimal("0.5"), 50, 2)
    assert minute(world, "120") == {Reason.EXIT_WAITING: 1}


def test_a_step_that_leaves_too_little_sells_everything(world: World) -> None:
    rules = ExitRules(ladder=(LadderStep(percent=Decimal(2), share=Decimal("0.99")),))
    hold(world, exit_rules=rules)
    minute(world, "102")
    assert [(sale.quantity, sale.part) for sale in sales(world)] == [(2, False)]


def test_a_step_too_small_to_be_an_order_is_passed_over(world: World) -> None:
    hold(world, exit_rules=ExitRules(ladder=(TINY, *LADDER.ladder)))
    assert minute(world, "102") == {Reason.BELOW_MINIMUM: 1}
    assert world.slot().ladder_done == 1
    assert minute(world, "102") == {Reason.LADDER: 1}
    assert [sale.quantity for sale in sales(world)] == [1]


def test_a_sold_step_is_not_counted_twice_when_the_slot_is_under_way(world: World) -> None:
    hold(world, exit_rules=LADDER)
    minute(world, "102")
    world.store.replace(replace(world.slot(), state=SlotState.REDUCING, exit_intent_id="x"))
    assert minute(world, "50") == {Reason.IN_FLIGHT: 1}
    assert len(sales(world)) == 1


@pytest.mark.parametrize("state", [SlotState.OPENING, SlotState.ADDING, SlotState.REDUCING, SlotState.CLOSING])
def test_nothing_is_started_while_an_order_is_under_way(world: World, state: SlotState) -> None:
    hold(world, state=state, stop_loss=Decimal(98))
    assert minute(world, "50") == {Reason.IN_FLIGHT: 1}
    assert not sales(world)


def test_what_hinders_a_position_is_journalled_when_it_changes(world: World) -> None:
    hold(world, stop_loss_percent=Decimal(2))
    for _ in range(3):
        assert minute(world, "100") == {Reason.UNPROTECTED: 1}
    assert told(world) == [Reason.UNPROTECTED]
    world.venue.look_error = VenueError(Reason.VENUE_DOWN, "503")
    minute(world, "100")
    minute(world, "100")
    world.venue.look_error = None
    minute(world, "100")
    assert told(world) == [Reason.UNPROTECTED, Reason.VENUE_DOWN, Reason.UNPROTECTED]
    assert world.observer.reasons().count(Reason.UNPROTECTED) == 4  # but logged every minute
    assert [value for name, value in world.observer.metrics if name == "UnprotectedPositions"].count(1) == 4


def test_when_all_is_well_again_the_next_trouble_is_news(world: World) -> None:
    hold(world, stop_loss=Decimal(98))
    for bid in ("100", "down", "100", "100", "down"):
        world.venue.look_error = VenueError(Reason.VENUE_DOWN, "503") if bid == "down" else None
        minute(world, "100")
    assert told(world) == [Reason.VENUE_DOWN, Reason.VENUE_DOWN]


def test_a_held_position_is_journalled_once(world: World) -> None:
    hold(world, state=SlotState.HELD, held_reason=Reason.BALANCE_SHORT, entry_intent_id=None)
    minute(world, "100")
    minute(world, "100")
    assert told(world) == [Reason.SLOT_HELD]


def test_a_frozen_position_is_not_sold_and_says_so_once(world: World) -> None:
    hold(world, stop_loss=Decimal(98), frozen=True)
    assert minute(world, "90") == {Reason.FROZEN: 1}
    assert minute(world, "90") == {Reason.FROZEN: 1}
    assert told(world) == [Reason.FROZEN]
    assert not sales(world)


def test_a_position_held_on_purpose_is_silent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(world)
    calls = counted(world, monkeypatch)
    assert minute(world, "100") == {Reason.NOT_WANTED: 1}
    assert world.observer.reasons() == [Reason.TICK]
    assert not calls


def test_a_sale_that_fails_is_tried_every_minute_and_journalled_when_it_changes(world: World) -> None:
    """A gap through the stop, and a venue that fills nothing: the attempts go on until the position is gone."""
    hold(world, stop_loss=Decimal(98), stop_loss_percent=Decimal(2))
    for attempt in range(4):
        world.venue.script = ["nothing"]
        assert minute(world, "90") == {Reason.STOP_LOSS: 1}
        assert [sale.attempt for sale in sales(world)] == [attempt]
        carry_out(world)
    overdue = [value for name, value in world.observer.metrics if name == "OverdueExits"]
    assert overdue == [0, 0, 1, 1]
    assert told(world) == [Reason.STOP_LOSS, Reason.STOP_LOSS]  # its first start, and that it had to be repeated
    assert minute(world, "90") == {Reason.STOP_LOSS: 1}
    carry_out(world)
    assert world.slot().state is SlotState.EMPTY
    assert world.slot().exit_reason is None


def test_the_plain_path_costs_no_call_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet minute asks nothing of a position; an exit reads the bot and the rules and writes the journal."""
    hold(world, stop_loss=Decimal(98), take_profit=Decimal(103))
    calls = counted(world, monkeypatch)
    minute(world, "100")
    assert not calls
    minute(world, "103")
    assert calls == {"get": 2, "insert": 1}


def test_a_quiet_minute_with_a_trailing_stop_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(world, exit_rules=TRAILING, highest=Decimal(104))
    calls = counted(world, monkeypatch)
    minute(world, "103.9")
    minute(world, "104.1")
    assert not calls
    minute(world, "104.2")
    assert calls == {"update": 1}


def test_what_is_stored_names_the_position_and_its_state(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(world, exit_rules=TRAILING)
    seen: list[Update] = []
    monkeypatch.setattr(world.store, "update", seen.append)
    minute(world, "104")
    (update,) = seen
    assert update.set == {"highest": Decimal(104)}
    assert {(guard.field, guard.value) for guard in update.guards} == {
        ("state", SlotState.OPEN), ("entry_intent_id", "e" * 32),
    }  # fmt: skip


def test_a_pass_leaves_the_prices_it_saw(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    minute(world, "101")
    assert prices(world) == {}, "no position, no price"
    hold(world)
    minute(world, "101.5")
    assert prices(world) == {MARKET: "101.5"}

    def down(venue: str) -> None:
        raise VenueError(Reason.VENUE_DOWN, "away")

    monkeypatch.setattr(world.venue, "market_data", down)
    minute(world, "102")
    assert prices(world) == {}, "a price nobody saw is none"
