"""What an order's life tells to the outside, written out in `golden/`: people and alarms search for these words."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from surefill.domain import identity
from surefill.domain.candles import Quote
from surefill.domain.fills import FillError, order_result
from surefill.domain.kinds import OrderKind, Side
from surefill.domain.market import EntryTerms, entry_terms, levels, rules_problem, sellable_quantity
from surefill.domain.money import ceil_to_step, floor_to_step, not_negative, plain, positive, to_decimal
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, Fill, Intent, JournalEntry
from surefill.domain.states import SLOT_TRANSITIONS, IntentState, SlotState, require_transition
from surefill.usecases.claim import claim
from tests.fakes.orders import claimed, closing, entry_of, opened
from tests.fakes.rows import TICK, rules
from tests.fakes.world import World
from tests.unit.mutants.rendering import agrees, events, shown


def _place(script: str) -> Callable[[World], None]:
    def live(world: World) -> None:
        intent = claimed(world)
        world.venue.script = [script]
        world.placer.place(intent, worker="w")
        for seconds in (0, 20, 15, 15):
            world.clock.forward(seconds=seconds)
            world.settler.settle(intent.intent_id)

    return live


def _resting(world: World) -> None:
    intent = replace(entry_of(world), kind=OrderKind.LIMIT)
    claim(intent, store=world.store, observer=world.observer)
    world.venue.script = ["resting"]
    world.placer.place(intent, worker="w")
    for seconds in (30, 90, 1, 1):
        world.clock.forward(seconds=seconds)
        world.settler.settle(intent.intent_id)


def _exit(script: str) -> Callable[[World], None]:
    def live(world: World) -> None:
        opened(world)
        intent = closing(world)
        world.venue.script = [script]
        world.placer.place(intent, worker="w")

    return live


def _refused(world: World) -> None:
    world.store.replace(replace(world.money(), entries_allowed=False, available=Decimal(1)))
    intent = replace(entry_of(World()), budget_id=world.money().budget_id)
    claim(intent, store=world.store, observer=world.observer)


def _busy(world: World) -> None:
    intent = claimed(world)
    world.store.replace(replace(world.intent(intent.intent_id), state=IntentState.VOID))
    claim(replace(intent, intent_id="f" * 32, quantity=Decimal(9)), store=world.store, observer=world.observer)


def _entries_off(world: World) -> None:
    intent = claimed(world)
    world.store.replace(replace(world.money(), entries_allowed=False))
    world.placer.place(intent, worker="w")


def _venue_down(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    world.venue.look_error = VenueError(Reason.CREDENTIALS_REJECTED, "-2015")
    world.settler.settle(intent.intent_id)
    world.venue.look_error = None
    order = world.venue.orders[intent.intent_id]
    world.venue.orders[intent.intent_id] = replace(order, fills=())
    world.settler.settle(intent.intent_id)


def _overrun(world: World) -> None:
    world.store.replace(replace(world.money(), available=Decimal(201), funded=Decimal(201)))
    intent = replace(entry_of(World()), reserved=Decimal("199"))
    claim(intent, store=world.store, observer=world.observer)
    world.venue.ask = Decimal(110)
    world.placer.place(intent, worker="w")


def _late(world: World) -> None:
    intent = claimed(world)
    world.clock.forward(seconds=31)
    world.settler.settle(intent.intent_id)


LIVES: dict[str, Callable[[World], None]] = {
    **{
        script: _place(script) for script in ("fill", "half", "nothing", "fill_unseen", "lost", "not_sent", "duplicate")
    },
    "refused": _place(Reason.BELOW_MINIMUM),
    "credentials": _place(Reason.CREDENTIALS_REJECTED),
    "resting": _resting,
    **{f"exit {script}": _exit(script) for script in ("fill", "half", "nothing", Reason.BALANCE_SHORT, "lost")},
    "claim refused": _refused,
    "claim busy": _busy,
    "entries off": _entries_off,
    "venue down": _venue_down,
    "overrun": _overrun,
    "late": _late,
}


def _lived(name: str) -> Iterator[str]:
    world = World()
    LIVES[name](world)
    yield f"== {name}"
    yield from events(world.observer.events)
    for row in (*world.store.rows(Intent), *world.store.rows(JournalEntry), *world.store.rows(Account)):
        yield f"  {row}"
    for request in world.venue.posts:
        yield f"  {request}"
    yield f"  {world.slot()}"
    yield f"  {world.money()}"


def test_lives() -> None:
    agrees("lives", [line for name in LIVES for line in _lived(name)])


def _fill(**changes: object) -> Fill:
    made = Fill(
        trade_id="t1", quantity=Decimal(1), price=Decimal(10), cost=Decimal(10), fee=Decimal("0.1"), fee_asset="BNB"
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def _errors() -> Iterator[Callable[[], object]]:
    def result(*fills: Fill) -> object:
        return order_result(
            venue_order_id="v", side=Side.BUY, base="BTC", quote="USDT", filled_quantity=Decimal(2), fills=fills
        )

    yield lambda: result(_fill())
    yield lambda: result(_fill(trade_id=""))
    for field in ("quantity", "price", "cost"):
        yield lambda field=field: result(_fill(**{field: Decimal(0)}))  # type: ignore[misc]
    yield lambda: to_decimal(1.5)  # type: ignore[arg-type]
    yield lambda: to_decimal("x", name="price")
    yield lambda: to_decimal("x")
    yield lambda: to_decimal("NaN")
    yield lambda: to_decimal(True)
    yield lambda: positive(Decimal(0), name="amount")
    yield lambda: not_negative(Decimal(-1), name="amount")
    yield lambda: floor_to_step(Decimal(1), Decimal(0))
    yield lambda: require_transition(SLOT_TRANSITIONS, SlotState.HELD, SlotState.OPENING)
    yield lambda: identity.exit_intent_id(entry_intent_id="", attempt=0)
    yield lambda: identity.exit_intent_id(entry_intent_id="a|b", attempt=0)


def test_errors() -> None:
    told = []
    for ask in _errors():
        with pytest.raises((FillError, ValueError, RuntimeError)) as caught:
            ask()
        told.append(f"{type(caught.value).__name__}: {caught.value}")
    agrees("errors", told)


def test_numbers() -> None:
    """Market rules and names at their edges."""
    quote = Quote(symbol="BTC/USDT", bid=Decimal("99.9"), ask=Decimal(100), at=TICK)
    told = []
    spends = ("0", "0.05", "4.9", "5.01", "5.6", "5.7", "5.8", "200")
    for spend in (Decimal(text) for text in spends):
        for step, least in (("0.001", "0.001"), ("0.01", "0.05"), ("0.001", "0")):
            terms = entry_terms(
                rules=rules(quantity_step=Decimal(step), min_quantity=Decimal(least)),
                quote=quote,
                spend=spend,
                slippage_percent=Decimal("0.5"),
                stop_loss_percent=Decimal(2),
            )
            numbers = terms if isinstance(terms, EntryTerms) else (str(terms.reason), terms.numbers)
            told.append(f"spend {spend} step {step}: {shown(numbers)}")
    told.append(
        shown(
            entry_terms(
                rules=rules(price_step=Decimal(1000)),
                quote=quote,
                spend=Decimal(100),
                slippage_percent=Decimal(1),
                stop_loss_percent=Decimal(2),
            )
        )
    )
    for changes in ({}, {"active": False}, {"fetched_at": TICK.replace(year=2025)}):
        told.append(f"rules {changes}: {rules_problem(rules(**changes), now=TICK)}")
    told.append(f"no rules: {rules_problem(None, now=TICK)}")
    for quantity in ("0.0009", "0.049", "0.05", "0.0505", "1"):
        told.append(f"sellable {quantity}: {sellable_quantity(Decimal(quantity), rules=rules(), price=Decimal(100))}")
    for percent in (None, Decimal(0), Decimal(3)):
        found = levels(cost=Decimal(10), quantity=Decimal(3), take_profit_percent=percent, stop_loss_percent=percent)
        told.append(f"levels {percent}: {found}")
    told += [plain(Decimal(text)) for text in ("1E+2", "1.500", "100", "0.0", "10")]
    told += [str(step(Decimal("1.25"), Decimal("0.1"))) for step in (floor_to_step, ceil_to_step)]
    told.append(identity.entry_intent_id(stage="s", account_id="a", bot_id="b", symbol="BTC/USDT", tick=TICK))
    told.append(identity.exit_intent_id(entry_intent_id="e", attempt=1))
    told += [identity.execution_name(intent_id="i", is_exit=is_exit, tick=TICK) for is_exit in (True, False)]
    agrees("numbers", told)
