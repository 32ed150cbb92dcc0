"""Book: what the venue says an order did becomes money and position, exactly once."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from surefill.domain import identity
from surefill.domain.fills import FillError, OrderResult, order_result
from surefill.domain.kinds import Leg
from surefill.domain.market import levels, sellable_quantity
from surefill.domain.money import ZERO, add
from surefill.domain.orders import VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Intent, Slot
from surefill.domain.states import UNFINISHED, IntentState
from surefill.ports import Clock, Observer, Store
from surefill.protocol.entry import adopt_entry, price_of, record_entry, record_entry_held, release_entry
from surefill.protocol.exit import record_exit, reopen
from surefill.protocol.parts import slot_key_of
from surefill.protocol.tranche import record_tranche, record_tranche_held, release_tranche
from surefill.protocol.transaction import Guard, GuardFailedError, Transaction
from surefill.usecases.claim import commit_for_day


class Outcome(StrEnum):
    """Where an order stands after a look. PENDING: come back. RESTING: it waits for its price, as it should.

    NOTHING: there is no such intent.
    """

    RECORDED = "RECORDED"
    RELEASED = "RELEASED"
    HELD = "HELD"
    PENDING = "PENDING"
    RESTING = "RESTING"
    NOTHING = "NOTHING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Writes results and releases. Every write may meet one that was made before: then it agrees with it."""

    store: Store
    clock: Clock
    observer: Observer

    def record(self, intent: Intent, *, order: VenueOrder) -> Outcome:
        """Book a finished order with all its fills; raises FillError when they do not add up."""
        if not order.finished or order.fills is None:
            raise FillError(f"order {order.venue_order_id} must be finished with all fills to be booked, was {order}")
        base, _, quote = intent.symbol.partition("/")
        result = order_result(
            venue_order_id=order.venue_order_id,
            side=intent.side,
            base=base,
            quote=quote,
            filled_quantity=order.filled_quantity,
            fills=order.fills,
        )
        writes = {Leg.ENTRY: self._record_entry, Leg.TRANCHE: self._record_tranche, Leg.EXIT: self._record_exit}
        write = writes[intent.leg]
        return self._once(intent, lambda: write(intent, result), result=result)

    def adopt(self, intent: Intent, *, order: VenueOrder) -> Outcome:
        """An order thought void did fill: open the slot with it, when money and slot are free."""
        base, _, quote = intent.symbol.partition("/")
        result = order_result(
            venue_order_id=order.venue_order_id,
            side=intent.side,
            base=base,
            quote=quote,
            filled_quantity=order.filled_quantity,
            fills=order.fills or (),
        )
        take_profit, stop_loss = _levels(intent, result)
        self.store.commit(
            adopt_entry(intent, result=result, take_profit=take_profit, stop_loss=stop_loss, now=self.clock.now())
        )
        self._tell(Reason.ADOPTED, intent)
        return Outcome.RECORDED

    def void(
        self,
        intent: Intent,
        *,
        outcome: Reason,
        from_states: tuple[IntentState, ...],
        guards: tuple[Guard, ...] = (),
        held: Reason | None = None,
    ) -> Outcome:
        """Nothing was bought or sold and nothing can be: give money and slot back."""
        now, void = self.clock.now(), IntentState.VOID

        def transaction() -> Transaction:
            if intent.leg is Leg.EXIT:
                return reopen(
                    intent, to=void, outcome=outcome, now=now, from_states=from_states, guards=guards, held=held
                )
            release = release_entry if intent.leg is Leg.ENTRY else release_tranche
            return release(intent, to=void, outcome=outcome, now=now, from_states=from_states, guards=guards)

        def write() -> Outcome:
            self.store.commit(transaction())
            self._tell(outcome, intent)
            return Outcome.HELD if held else Outcome.RELEASED

        return self._once(intent, write, result=None)

    def void_unsent(self, intent: Intent, *, outcome: Reason) -> Outcome:
        """Void an intent that was never sent; PENDING when somebody sent it in between: then it must be looked for."""
        try:
            return self.void(intent, outcome=outcome, from_states=(IntentState.RESERVED,))
        except AssertionError:
            stored = self.store.get(Intent, intent.intent_id)
            if stored is not None and stored.state is not IntentState.RESERVED:
                return Outcome.PENDING
            raise

    def _once(self, intent: Intent, write: Callable[[], Outcome], *, result: OrderResult | None) -> Outcome:
        try:
            return write()
        except GuardFailedError as error:
            return self._agree(intent, why=f"{error}, result {result}")

    def _agree(self, intent: Intent, *, why: str) -> Outcome:
        """What was written before stands; that nothing was, although the write was refused, is a defect."""
        stored = self.store.get(Intent, intent.intent_id)
        if stored is None or stored.state in UNFINISHED:
            raise AssertionError(f"intent {intent.intent_id} could not be booked: {why}")
        return finished_outcome(stored)

    def _record_entry(self, intent: Intent, result: OrderResult) -> Outcome:
        take_profit, stop_loss = _levels(intent, result)
        now = self.clock.now()
        try:
            self.store.commit(
                record_entry(intent, result=result, take_profit=take_profit, stop_loss=stop_loss, now=now)
            )
        except GuardFailedError as error:
            if error.names() != {"available_covers"}:
                raise
            self.store.commit(record_entry_held(intent, result=result, now=now))
            self._tell(Reason.OVERRUN, intent, result=result)
            return Outcome.HELD
        return self._booked(intent, result)

    def _record_tranche(self, intent: Intent, result: OrderResult) -> Outcome:
        slot = self._slot(intent)
        if slot.tranche_intent_id != intent.intent_id:
            return self._agree(intent, why=f"slot belongs to tranche {slot.tranche_intent_id}")
        now = self.clock.now()
        take_profit, stop_loss = _levels_of_all(slot, result)
        try:
            self.store.commit(
                record_tranche(intent, slot=slot, result=result, take_profit=take_profit, stop_loss=stop_loss, now=now)
            )
        except GuardFailedError as error:
            if error.names() != {"available_covers"}:
                raise
            self.store.commit(record_tranche_held(intent, slot=slot, result=result, now=now))
            self._tell(Reason.OVERRUN, intent, result=result)
            return Outcome.HELD
        return self._booked(intent, result)

    def _slot(self, intent: Intent) -> Slot:
        slot = self.store.get(Slot, *slot_key_of(intent).values)
        if slot is None:
            raise AssertionError(f"slot of {intent.leg} {intent.intent_id} must exist, was missing")
        return slot

    def _record_exit(self, intent: Intent, result: OrderResult) -> Outcome:
        slot = self._slot(intent)
        if slot.exit_intent_id != intent.intent_id:
            return self._agree(intent, why=f"slot belongs to exit {slot.exit_intent_id}")
        sellable = self._sellable(intent, slot=slot, result=result)
        now = self.clock.now()
        commit_for_day(
            lambda day: record_exit(intent, slot=slot, result=result, sellable=sellable, now=now, budget_day=day),
            store=self.store,
            budget_id=intent.budget_id,
        )
        return self._booked(intent, result)

    def _sellable(self, intent: Intent, *, slot: Slot, result: OrderResult) -> bool:
        """Whether what is left could be sold. Who sells all asks for all that can be: a full fill leaves dust."""
        if not result.filled_quantity or (result.filled_quantity == intent.quantity and not intent.part):
            return False
        remaining = add(slot.quantity, result.base_change)
        key = identity.market_key(venue=intent.venue, symbol=intent.symbol)
        rules = self.store.get(MarketRules, key)
        if rules is None:
            return True  # nobody knows the minimum: keep the rest as a position, it is looked at again
        return sellable_quantity(remaining, rules=rules, price=price_of(result)) > ZERO

    def _booked(self, intent: Intent, result: OrderResult) -> Outcome:
        if not result.filled_quantity:
            self._tell(Reason.NOT_FILLED, intent, result=result)
            return Outcome.RELEASED
        complete = result.filled_quantity == intent.quantity
        self._tell(Reason.FILLED if complete else Reason.PARTIALLY_FILLED, intent, result=result)
        return Outcome.RECORDED

    def _tell(self, reason: Reason, intent: Intent, *, result: OrderResult | None = None) -> None:
        numbers = (
            {
                "filled": str(result.filled_quantity),
                "cost": str(result.filled_cost),
                "base": str(result.base_change),
                "quote": str(result.quote_change),
                "order": result.venue_order_id,
            }
            if result
            else {}
        )
        self.observer.event(
            reason,
            intent=intent.intent_id,
            bot=intent.bot_id,
            symbol=intent.symbol,
            leg=intent.leg,
            why=intent.reason,
            asked=str(intent.quantity),
            **numbers,
        )


def finished_outcome(intent: Intent) -> Outcome:
    """The outcome that a finished intent stands for."""
    if intent.outcome is Reason.OVERRUN or (intent.leg is Leg.EXIT and intent.outcome is Reason.BALANCE_SHORT):
        return Outcome.HELD
    booked = intent.state in (IntentState.FILLED, IntentState.ADOPTED)
    return Outcome.RECORDED if booked else Outcome.RELEASED


def _levels(intent: Intent, result: OrderResult) -> tuple[Decimal | None, Decimal | None]:
    if not result.filled_quantity:
        return None, None
    return levels(
        cost=result.filled_cost,
        quantity=result.filled_quantity,
        take_profit_percent=intent.take_profit_percent,
        stop_loss_percent=intent.stop_loss_percent,
    )


def _levels_of_all(slot: Slot, result: OrderResult) -> tuple[Decimal | None, Decimal | None]:
    """Levels of a position with the tranche in it: from its average cost, fees included."""
    return levels(
        cost=add(slot.cost, -result.quote_change),
        quantity=add(slot.quantity, result.base_change),
        take_profit_percent=slot.take_profit_percent,
        stop_loss_percent=slot.stop_loss_percent,
    )
