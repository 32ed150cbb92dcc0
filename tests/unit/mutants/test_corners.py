"""Edges that nothing else stands on: exact moments, exact amounts, exact words."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from surefill.domain.candles import Quote
from surefill.domain.exits import exit_due
from surefill.domain.fills import order_result
from surefill.domain.kinds import OrderKind, Side
from surefill.domain.market import RULES_LIFETIME, EntryTerms, entry_terms, rules_problem, sellable_quantity
from surefill.domain.money import AmountError
from surefill.domain.orders import VenueError, VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Account, Budget, Fill, Intent, Slot
from surefill.domain.states import IntentState
from surefill.protocol.funds import fund, open_budget, withdraw
from surefill.protocol.transaction import (
    Check,
    FailedGuard,
    FieldOf,
    Guard,
    GuardFailedError,
    Key,
    Op,
    Transaction,
    Update,
    holds,
)
from surefill.usecases.book import Book, Outcome
from surefill.usecases.claim import claim
from tests.fakes.orders import claimed, closing, entry_of, opened
from tests.fakes.rows import MARKET, OWNER, TICK, budget, rules
from tests.fakes.venue import FakeVenue
from tests.fakes.world import World
from tests.unit.mutants.rendering import agrees, transaction, update


class Writing:
    """A store that keeps what is written, in words."""

    def __init__(self, world: World, told: list[str]) -> None:
        self.store, self.told = world.store, told

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def commit(self, one: Transaction) -> None:
        self.told += transaction(one)
        self.store.commit(one)

    def update(self, one: Update) -> Any:
        self.told += update("update", one)
        return self.store.update(one)


class Asked(FakeVenue):
    """A venue that keeps what it is asked."""

    told: list[str]

    def of_account(self, account: Account) -> "Asked":
        self.told.append(f"account {account.account_id}")
        return self

    def find(self, **what: Any) -> VenueOrder | None:
        self.told.append(f"find {what}")
        return super().find(**what)

    def find_trace(self, **what: Any) -> VenueOrder | None:
        self.told.append(f"find_trace {what}")
        return super().find_trace(**what)

    def cancel(self, **what: Any) -> None:
        self.told.append(f"cancel {what}")
        super().cancel(**what)


def _watched() -> tuple[World, list[str]]:
    world, told = World(), list[str]()
    world.venue = Asked()
    world.venue.told = told
    return world, told


def _posted(script: str, *, kind: OrderKind = OrderKind.LIMIT_IOC, waits: tuple[int, ...] = ()) -> Iterator[str]:
    world, told = _watched()
    intent = replace(entry_of(world), kind=kind)
    claim(intent, store=world.store, observer=world.observer)
    world.store = Writing(world, told)
    world.venue.script = [script]
    world.placer.place(intent, worker="w")
    for seconds in waits:
        world.clock.forward(seconds=seconds)
        world.settler.settle(intent.intent_id)
    yield f"==== {script} {kind}"
    yield from told


def test_everything_that_is_written_and_asked() -> None:
    lines = [
        *_posted("not_sent"),
        *_posted(Reason.CREDENTIALS_REJECTED),
        *_posted("lost", waits=(1, 20, 10)),
        *_posted("resting", kind=OrderKind.LIMIT, waits=(30, 121)),
    ]
    world, told = _watched()
    intent = claimed(world)
    world.store = Writing(world, told)
    world.clock.forward(seconds=26)
    world.placer.place(intent, worker="w")
    world, more = _watched()
    opened(world)
    sale = closing(world)
    world.store = Writing(world, more)
    world.venue.script = ["not_sent"]
    world.placer.place(sale, worker="w")
    agrees("writes", [*lines, "==== late", *told, "==== exit not sent", *more])


def test_an_order_that_is_seen_resting_late_is_marked_with_its_number_and_its_next_look() -> None:
    world, told = _watched()
    intent = claimed(world)
    world.venue.script = ["resting"]
    world.placer.place(intent, worker="w")
    sent = replace(world.intent(intent.intent_id), state=IntentState.UNKNOWN, venue_order_id=None)
    world.store.replace(sent)
    world.settler.settle(intent.intent_id)
    found = world.intent(intent.intent_id)
    assert (found.venue_order_id, found.next_check_at) == ("v0", "2026-01-05T12:00:30.000Z")
    assert told


def test_a_trace_of_a_resting_order_is_cancelled_like_any() -> None:
    world, told = _watched()
    intent = replace(entry_of(world), kind=OrderKind.LIMIT)
    claim(intent, store=world.store, observer=world.observer)
    world.venue.script = ["resting"]
    world.placer.place(intent, worker="w")
    world.venue.hidden = {intent.intent_id}
    old = replace(world.intent(intent.intent_id), state=IntentState.UNKNOWN, absent_since=TICK + timedelta(minutes=4))
    world.store.replace(old)
    world.clock.forward(minutes=5)
    world.settler.settle(intent.intent_id)
    assert told[-1].startswith("cancel")


def test_moments_that_are_exactly_the_last() -> None:
    world = World()
    intent = claimed(world)
    world.clock.current = intent.deadline
    assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    world.clock.current = intent.deadline - timedelta(seconds=5)
    assert world.placer.place(intent, worker="w") is Outcome.RECORDED
    world = World()
    intent = claimed(world)
    world.venue.script = ["lost"]
    world.placer.place(intent, worker="w")
    world.clock.forward(seconds=16)
    world.settler.settle(intent.intent_id)
    assert world.intent(intent.intent_id).next_check_at == "2026-01-05T12:00:26.000Z"
    world.clock.forward(seconds=10)
    assert world.settler.settle(intent.intent_id) is Outcome.RELEASED
    # Who comes second agrees with what was done.
    assert world.settler.settle(intent.intent_id) is Outcome.RELEASED
    assert rules_problem(rules(), now=TICK + RULES_LIFETIME) is None


def test_amounts_that_are_exactly_enough() -> None:
    least = rules(min_quantity=Decimal("0.05"))
    assert sellable_quantity(Decimal("0.05"), rules=least, price=Decimal(100)) == Decimal("0.05")
    row = budget(max_open_positions=1)
    below = Guard(name="n", field="open_positions", op=Op.LESS, value=FieldOf("max_open_positions"))
    assert holds(below, row)
    assert not holds(below, replace(row, open_positions=1))
    assert not holds(below, None)
    assert not holds(Guard(name="n", field="reserved", op=Op.EQUAL, value=Decimal(0)), None)


@pytest.mark.parametrize(
    ("levels", "bid", "reason"),
    [
        ({"stop_loss": Decimal(98)}, 98, Reason.STOP_LOSS),
        ({"take_profit": Decimal(103)}, 103, Reason.TAKE_PROFIT),
        ({"take_profit": Decimal(103)}, 90, Reason.EXIT_WAITING),
        ({"stop_loss": Decimal(98)}, 200, Reason.EXIT_WAITING),
        ({}, 100, Reason.UNPROTECTED),
    ],
)
def test_one_level_protects(levels: dict[str, Decimal], bid: int, reason: Reason) -> None:
    slot = Slot(market_key=MARKET, owner_key=OWNER, **levels)
    assert exit_due(slot, bid=Decimal(bid), now=TICK).reason is reason


def test_trades_are_folded_by_number_and_fees_by_asset() -> None:
    def fill(number: str, fee: str, asset: str = "USDT") -> Fill:
        amount = Decimal(1)
        return Fill(trade_id=number, quantity=amount, price=amount, cost=amount, fee=Decimal(fee), fee_asset=asset)

    fills = (fill("3", "0.3"), fill("1", "0.1"), fill("2", "0.2", "BNB"), fill("4", "0.4", "BNB"))
    folded = order_result(
        venue_order_id="v", side=Side.SELL, base="BTC", quote="USDT", filled_quantity=Decimal(4), fills=fills
    )
    assert [one.trade_id for one in folded.fills] == ["1", "2", "3", "4"]
    assert folded.quote_change == Decimal("3.6")
    assert folded.base_change == -4
    assert folded.other_fees == (("BNB", Decimal("0.6")),)


def test_a_claim_says_whose_it_is() -> None:
    world = World()
    intent = entry_of(world)
    for _ in range(2):
        done = claim(intent, store=world.store, observer=world.observer)
        assert (done.intent_id, done.claimed, done.refusal) == (intent.intent_id, True, None)
    other = replace(intent, intent_id="f" * 32)
    refused = claim(other, store=world.store, observer=world.observer)
    assert (refused.intent_id, refused.claimed) == ("f" * 32, False)
    assert refused.refusal is not None


def test_funds_say_what_was_wrong() -> None:
    zero = Decimal(0)
    told = []
    for ask in (
        lambda: open_budget(budget(funded=zero, available=zero), request_id="r", now=TICK),
        lambda: fund("b", amount=zero, request_id="r", now=TICK),
        lambda: withdraw("b", amount=zero, request_id="r", now=TICK),
    ):
        with pytest.raises(AmountError) as caught:
            ask()
        told.append(str(caught.value).split(" must")[0])
    assert told == ["funds of a new budget", "amount to fund", "amount to withdraw"]


def test_a_transaction_has_at_most_25_writes_and_a_key_all_its_values() -> None:
    there = (Guard(name="there", field="budget_id", op=Op.PRESENT),)
    checks = tuple(Check(key=Key(Budget, (f"b{number}",)), guards=there) for number in range(26))
    assert len(Transaction(name="n", token="t", writes=checks[:25]).writes) == 25
    with pytest.raises(ValueError, match="at most 25 writes, had 26"):
        Transaction(name="n", token="t", writes=checks)
    with pytest.raises(ValueError, match="zip"):
        Key(Slot, ("only one",)).as_fields()


def test_a_refusal_names_its_transaction_and_its_guards() -> None:
    failed = tuple(FailedGuard(name, Key(Budget, ("b",)), None) for name in ("one", "two"))
    error = GuardFailedError(transaction="claim", failed=failed)
    assert (str(error), error.transaction) == ("claim: one, two", "claim")


def test_a_step_that_came_too_late_is_told_with_its_guards() -> None:
    world = World()
    guards = (Guard(name="b", field="state", op=Op.MISSING), Guard(name="a", field="state", op=Op.MISSING))
    intent = claimed(world)
    world.settler._write(Update(key=Key(Intent, (intent.intent_id,)), set={"worker": "w"}, guards=guards))
    assert world.observer.events[-1] == (Reason.CLAIM_BUSY, {"guards": "a, b"})


def test_an_adopted_order_has_its_levels_and_is_told() -> None:
    world = World()
    intent = claimed(world)
    world.placer._never_sent(intent, why=Reason.NEVER_SENT)
    request = world.placer._post(replace(intent, sent_at=TICK), venue=world.venue)
    order = request.order  # type: ignore[union-attr]
    book = Book(store=world.store, clock=world.clock, observer=world.observer)
    assert book.adopt(world.intent(intent.intent_id), order=order) is Outcome.RECORDED
    adopted = world.intent(intent.intent_id)
    assert (adopted.state, adopted.venue_order_id, adopted.finished_at) == (IntentState.ADOPTED, "v0", TICK)
    assert (world.slot().take_profit, world.slot().stop_loss) == (Decimal(103), Decimal(98))
    assert world.slot().quantity == intent.quantity * Decimal("0.999")
    assert world.observer.events[-1][0] is Reason.ADOPTED


@pytest.mark.parametrize(
    ("least", "known", "sellable"),
    [("5", True, True), ("98", True, True), ("99.7", True, False), ("0", True, True), ("5", False, True)],
)
def test_what_is_left_of_a_sale_is_judged_by_the_price_it_was_sold_at(least: str, known: bool, sellable: bool) -> None:
    world = World()
    intent = opened(world)
    sale = closing(world)
    world.store.replace(rules(min_notional=Decimal(least)))
    if not known:
        world.store.delete(Key(MarketRules, (MARKET,)))
    world.venue.script = ["half"]
    world.placer.place(sale, worker="w")
    left = world.slot().quantity
    assert (left > 0) is sellable
    assert intent.quantity > left


def test_the_reason_why_there_is_no_adapter_is_told() -> None:
    class NoVenues:
        def of_account(self, account: Account) -> None:
            assert account.account_id
            raise VenueError(Reason.CREDENTIALS_REJECTED, "s" * 300)

    world = World()
    intent = claimed(world)
    replace(world.placer, venues=NoVenues()).place(intent, worker="w")  # type: ignore[arg-type]
    reason, fields = next(one for one in world.observer.events if "error" in one[1])
    assert (reason, fields["error"]) == (Reason.CREDENTIALS_REJECTED, "s" * 300)
    account = world.store.get(Account, intent.account_id)
    assert account is not None
    assert account.state_reason == "s" * 200


def test_the_fence_is_counted_from_the_sending_not_from_the_claim() -> None:
    world = World()
    intent = claimed(world)
    world.clock.forward(seconds=20)
    world.venue.script = ["lost"]
    world.placer.place(intent, worker="w")
    world.settler.settle(intent.intent_id)
    assert world.intent(intent.intent_id).absent_since is None
    world.clock.forward(seconds=16)
    world.settler.settle(intent.intent_id)
    world.observer.events.clear()
    world.clock.forward(seconds=5)
    world.settler.settle(intent.intent_id)
    assert world.observer.reasons() == [Reason.UNKNOWN]


def test_a_resting_order_lives_two_minutes_from_the_sending() -> None:
    world = World()
    intent = replace(entry_of(world), kind=OrderKind.LIMIT)
    claim(intent, store=world.store, observer=world.observer)
    world.clock.forward(seconds=20)
    world.venue.script = ["resting"]
    world.placer.place(intent, worker="w")
    world.clock.forward(seconds=110)
    world.settler.settle(intent.intent_id)
    assert not world.venue.orders[intent.intent_id].finished


def test_an_order_whose_sale_at_the_stop_is_just_enough_is_allowed() -> None:
    terms = entry_terms(
        rules=rules(taker_fee=Decimal(0), min_notional=Decimal(100)),
        quote=Quote(symbol="BTC/USDT", bid=Decimal(100), ask=Decimal(100), at=TICK),
        spend=Decimal(110),
        slippage_percent=Decimal(0),
        stop_loss_percent=Decimal(0),
    )
    assert isinstance(terms, EntryTerms), terms
    assert terms.quantity == Decimal("1.1")
