"""Races for one order: who may post it, who may take it back, who books it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.domain.identity import client_order_id
from surefill.domain.kinds import Leg, OrderKind
from surefill.domain.orders import OrderRequest, VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent, Slot
from surefill.domain.states import UNFINISHED, IntentState, SlotState
from surefill.ports import Store, StoreUnavailableError
from surefill.protocol.entry import claim_entry, record_entry
from surefill.protocol.exit import claim_exit
from surefill.protocol.order import send_gate
from surefill.protocol.parts import slot_key_of
from surefill.usecases.book import Book
from surefill.usecases.claim import claim
from surefill.usecases.directory import AccountDirectory
from surefill.usecases.exits import exit_intent
from surefill.usecases.place import Placer
from surefill.usecases.settle import Settler
from surefill.usecases.timing import WINDOW
from tests.contract.world import World, at, fill, result_of
from tests.fakes.ports import FakeClock, ListObserver
from tests.fakes.rows import rules
from tests.fakes.venue import FakeVenue
from tests.races.claims import PRICE, entry_of
from tests.races.workload import Figures, Plan, Seen, Turn, Workload, missed

SYMBOL = "BTC/USDT"
_SECOND = timedelta(seconds=1)
_EXIT_REASONS = (Reason.TAKE_PROFIT, Reason.STOP_LOSS, Reason.MANUAL_EXIT, Reason.STRATEGY_EXIT)


class RaceVenue(FakeVenue):
    """The fake venue with trade ids that are the order's own, as at a venue where many trade."""

    def _execute(self, request: OrderRequest, *, share: Decimal) -> VenueOrder:
        order = super()._execute(request, share=share)
        fills = tuple(replace(one, trade_id=request.client_order_id[:16]) for one in order.fills or ())
        return replace(order, fills=fills)


def open_position(store: Store, world: World, *, symbol: str = SYMBOL) -> Slot:
    """A position of one piece bought at 100."""
    intent = entry_of(world, 0, symbol=symbol)
    store.commit(claim_entry(intent))
    store.update(send_gate(intent, worker="setup", now=intent.created_at))
    bought = result_of(intent, replace(fill(1, quantity="1", price="100"), trade_id=intent.intent_id[:16]))
    store.commit(record_entry(intent, result=bought, take_profit=None, stop_loss=None, now=intent.created_at))
    return slot_of(store, world, symbol=symbol)


def slot_of(store: Store, world: World, *, symbol: str = SYMBOL) -> Slot:
    """The world's slot of a symbol."""
    slot = store.get(Slot, *slot_key_of(entry_of(world, 0, symbol=symbol)).values)
    if slot is None:
        raise AssertionError(f"the slot of {world.name} must exist, was missing")
    return slot


def placer(turn: Turn, *, venue: FakeVenue, now: datetime) -> Placer:
    """The product's placer at a venue whose posts are counted."""
    return Placer(
        store=turn.store,
        accounts=AccountDirectory(turn.store),
        venues=venue,
        clock=FakeClock(now),
        observer=ListObserver(),
    )


def settler(store: Store, *, venue: FakeVenue, now: datetime) -> Settler:
    """The product's settler."""
    return Settler(
        store=store, accounts=AccountDirectory(store), venues=venue, clock=FakeClock(now), observer=ListObserver()
    )


def place(turn: Turn, intent: Intent, *, venue: FakeVenue, now: datetime) -> None:
    """Place once, like the function: whatever is not finished then is left to settle."""
    try:
        outcome = placer(turn, venue=venue, now=now).place(intent, worker=f"w{turn.client}")
        turn.answer.outcomes[outcome] += 1
    except StoreUnavailableError:
        turn.answer.outcomes["store unavailable"] += 1
    finally:
        turn.answer.posts += [request.client_order_id for request in venue.posts]
        turn.answer.orders.update(venue.orders)


def count_posts(seen: Seen, figures: Figures) -> None:
    """At most one post per intent; exactly one when nothing was in the way; none for what nobody holds."""
    posts = seen.posts()
    for name, count in posts.items():
        if count > 1:
            figures.double_posts += count - 1
            figures.wrong(f"{seen.plan.name}: {name} was posted {count} times")
    by_id = {intent.intent_id: intent for intent in seen.intents}
    for name in posts:
        if name not in by_id or by_id[name].state is IntentState.VOID:
            figures.wrong(f"{seen.plan.name}: {name} was posted and is {by_id.get(name)}")


def finish(seen_intents: list[Intent], store: Store, *, venue: FakeVenue) -> None:
    """Let `reconcile` do its work until nothing is open: clocks go on in steps of half a minute."""
    for intent in seen_intents:
        if intent.state not in UNFINISHED:
            continue
        for step in range(1, 8):
            settler(store, venue=venue, now=intent.deadline + timedelta(seconds=30 * step)).settle(intent.intent_id)


class OneExit(Workload):
    """Take profit, stop loss, strategy and a person close one position at once: one exit, one post, booked once."""

    name = "one exit"
    settles = True
    dropped = frozenset({"slot_open", "same_position", "same_attempt", "quantity_covers"})
    shows = "double_claims"

    def prepare(self, store: Store, plan: Plan) -> None:
        """A position."""
        super().prepare(store, plan)
        open_position(store, plan.world)

    def ready(self, turn: Turn) -> Callable[[], None]:
        """The exit as this client would plan it; in the control its name is not deterministic either."""
        now = at(300) + turn.client * _SECOND
        slot = slot_of(turn.store, turn.world)
        reason = _EXIT_REASONS[turn.client % len(_EXIT_REASONS)]
        intent = exit_intent(slot, reason=reason, tick=now, now=now, rules=rules())
        if turn.control:
            intent = replace(intent, intent_id=f"{intent.intent_id[:28]}{turn.client:04}")
        venue = RaceVenue(bid=PRICE, ask=PRICE, quoted_at=now)

        def act() -> None:
            def once() -> None:
                if claim(intent, store=turn.store, observer=ListObserver()).claimed:
                    turn.answer.claimed.append(intent.intent_id)

            if turn.insist(once) and turn.answer.claimed:
                place(turn, intent, venue=venue, now=now + _SECOND)

        return act

    def judge(self, seen: Seen, figures: Figures) -> None:
        """One exit, one post, one record."""
        exits = [intent for intent in seen.intents if intent.leg is Leg.EXIT]
        if len(exits) != 1:
            figures.double_claims += max(len(exits) - 1, 0)
            figures.wrong(f"{seen.plan.name}: {len(exits)} exits of one position")
        count_posts(seen, figures)
        if not seen.plan.stormy and sum(seen.posts().values()) != 1:
            figures.wrong(f"{seen.plan.name}: {seen.posts()} posts without any fault")
        sold = sum(intent.state is IntentState.FILLED for intent in exits)
        missed(seen, figures, (("records of exits", seen.booked("record") - 1, sold),))


class SendGate(Workload):
    """All place the same claimed order: one posts it."""

    name = "send gate"
    settles = True
    dropped = frozenset({"not_sent_yet"})
    shows = "double_posts"

    def prepare(self, store: Store, plan: Plan) -> None:
        """A claimed entry."""
        super().prepare(store, plan)
        store.commit(claim_entry(entry_of(plan.world, 0)))

    def ready(self, turn: Turn) -> Callable[[], None]:
        """The same order for everybody."""
        intent = entry_of(turn.world, 0)
        venue = RaceVenue(bid=PRICE, ask=PRICE)
        return lambda: place(turn, intent, venue=venue, now=intent.created_at + _SECOND)

    def judge(self, seen: Seen, figures: Figures) -> None:
        """One post."""
        count_posts(seen, figures)
        if not seen.plan.stormy and sum(seen.posts().values()) != 1:
            figures.wrong(f"{seen.plan.name}: {seen.posts()} posts without any fault")


class SendOrVoid(Workload):
    """Half place an order in its last second, half find by a faster clock that its time is over: sent or void."""

    name = "send or void"
    settles = True
    dropped = frozenset({"not_sent_yet"})

    def prepare(self, store: Store, plan: Plan) -> None:
        """A claimed entry."""
        super().prepare(store, plan)
        store.commit(claim_entry(entry_of(plan.world, 0)))

    def ready(self, turn: Turn) -> Callable[[], None]:
        """Even clients place, odd ones settle."""
        intent = entry_of(turn.world, 0)
        venue = RaceVenue(bid=PRICE, ask=PRICE)
        if turn.client % 2 == 0:
            return lambda: place(turn, intent, venue=venue, now=intent.deadline - WINDOW)
        return lambda: settle(turn, intent.intent_id, venue=venue, now=intent.deadline + _SECOND)

    def judge(self, seen: Seen, figures: Figures) -> None:
        """Posted once, or given back once."""
        count_posts(seen, figures)
        (intent,) = seen.intents
        posted, void = sum(seen.posts().values()), intent.state is IntentState.VOID
        if not seen.plan.stormy and posted + void != 1:
            figures.wrong(f"{seen.plan.name}: posted {posted} times, intent is {intent.state}")
        missed(seen, figures, (("ends", seen.booked("record") + seen.booked("release"), 1),))


class Bookings(Workload):
    """All have seen the same filled order, each by a clock of its own; it is booked once. Entries and exits."""

    name = "one booking"
    settles = True
    dropped = frozenset(
        {"intent_not_finished", "slot_in_state", "slot_is_ours", "quantity_unchanged"}
        | {"reserved_covers", "deployed_covers", "available_covers", "ledger_entry"}
    )
    shows = "lost_updates"

    def prepare(self, store: Store, plan: Plan) -> None:
        """An order that was sent: in even rounds an entry, in odd ones an exit."""
        super().prepare(store, plan)
        intent = self._intent(plan)
        if intent.leg is Leg.EXIT:
            open_position(store, plan.world)
        store.commit(claim_exit(intent) if intent.leg is Leg.EXIT else claim_entry(intent))
        store.update(send_gate(intent, worker="gone", now=intent.created_at))

    @staticmethod
    def _intent(plan: Plan) -> Intent:
        bought = entry_of(plan.world, 0)
        if plan.number % 2 == 0:
            return bought
        market, owner = slot_key_of(bought).values
        slot = Slot(
            market_key=market, owner_key=owner, entry_intent_id=bought.intent_id, state=SlotState.OPEN,
            quantity=Decimal(1), bot_id=bought.bot_id, account_id=bought.account_id, budget_id=bought.budget_id,
        )  # fmt: skip
        return exit_intent(slot, reason=Reason.TAKE_PROFIT, tick=at(300), now=at(301), rules=rules())

    def ready(self, turn: Turn) -> Callable[[], None]:
        """The venue shows the order to everybody; client 0 is its worker, whose answer came late."""
        intent = self._intent(turn.plan)
        venue = RaceVenue(bid=Decimal(110), ask=PRICE)
        venue.post(post_of(intent))
        turn.answer.orders.update(venue.orders)
        order = venue.orders[client_order_id(intent.intent_id)]
        now = intent.created_at + turn.client * _SECOND
        if turn.client:
            return lambda: settle(turn, intent.intent_id, venue=venue, now=now)
        book = Book(store=turn.store, clock=FakeClock(now), observer=ListObserver())
        sent = replace(intent, state=IntentState.SENT)

        def late() -> None:
            turn.answer.outcomes[book.record(sent, order=order)] += 1

        return lambda: None if turn.insist(late) else turn.answer.outcomes.update({"store unavailable": 1})

    def judge(self, seen: Seen, figures: Figures) -> None:
        """Booked once: the ledger, the money and everybody's answer say so."""
        told = sum((answer.outcomes for answer in seen.answers), Counter[str]())
        if set(told) - {"RECORDED", "store unavailable"}:
            figures.wrong(f"{seen.plan.name}: settled as {dict(told)}")
        is_exit, budget = seen.plan.number % 2, seen.budget
        profit = Decimal("9.89") if is_exit else Decimal(0)
        expected = (1000 + profit - (0 if is_exit else 100), Decimal(0), Decimal(0 if is_exit else 100), profit)
        names = ("available", "reserved", "deployed", "realised")
        missed(seen, figures, zip(names, (getattr(budget, name) for name in names), expected, strict=True))
        missed(seen, figures, (("records", seen.booked("record"), 1 + is_exit),))


def settle(turn: Turn, intent_id: str, *, venue: FakeVenue, now: datetime) -> None:
    """Settle an order, again while the store does not answer."""

    def once() -> None:
        turn.answer.outcomes[settler(turn.store, venue=venue, now=now).settle(intent_id)] += 1

    if not turn.insist(once):
        turn.answer.outcomes["store unavailable"] += 1


def post_of(intent: Intent) -> OrderRequest:
    """What leaves for the venue, at the market."""
    return OrderRequest(
        client_order_id=client_order_id(intent.intent_id),
        symbol=intent.symbol,
        side=intent.side,
        kind=OrderKind.MARKET,
        quantity=intent.quantity,
        limit_price=None,
        signed_at=intent.created_at,
        window_ms=5_000,
    )
