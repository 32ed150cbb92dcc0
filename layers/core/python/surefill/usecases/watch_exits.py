"""Watch exits: once a minute hold every open position against its exits, with one price request per venue.

A sale that is due is started every minute until the position is gone. What hinders a position (no price, no stop, held)
is logged every minute and journalled when it changes.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from surefill.domain.candles import Quote, quote_problem
from surefill.domain.decisions import Decision, journal_entry
from surefill.domain.exits import NOTHING_DUE, ExitDue, exit_due
from surefill.domain.kinds import BotState
from surefill.domain.market import sellable_quantity
from surefill.domain.money import ZERO
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules, ScheduleRow
from surefill.domain.rows import Bot, Slot
from surefill.domain.states import IN_FLIGHT, SlotState
from surefill.ports import Clock, Observer, Store, StoreUnavailableError, Venues, Workflow
from surefill.protocol.exit import close_as_dust
from surefill.protocol.transaction import Guard, GuardFailedError, Op, Update, key_of
from surefill.usecases.claim import commit_for_day
from surefill.usecases.exits import exit_intent, part_of

SCHEDULE = "watch_exits"
# What is as it should be: neither told nor stored.
_QUIET = frozenset({Reason.EXIT_WAITING, Reason.NOT_WANTED})
# Sales of all of a position: one that is still due after two attempts is overdue.
_SALES = frozenset(
    {
        Reason.STOP_LOSS, Reason.BREAK_EVEN, Reason.TRAILING_STOP, Reason.TAKE_PROFIT, Reason.ROI, Reason.TIME_LIMIT,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitWatch:
    """Looks at every slot that is not empty and starts the exits that are due."""

    store: Store
    venues: Venues
    workflow: Workflow
    clock: Clock
    observer: Observer

    def watch(self, *, tick: datetime) -> Mapping[str, int]:
        """One pass; returns how many slots ended in which reason. A slot's failure does not stop the others."""
        slots = self._open_slots()
        quotes = self._quotes(slots)
        counts: Counter[str] = Counter()
        overdue = 0
        for slot in slots:
            try:
                reason = self.watch_slot(slot, tick=tick, quote=quotes.get(slot.market_key))
            except Exception as error:
                reason = Reason.INTERNAL_ERROR
                with suppress(StoreUnavailableError):
                    self._tell(slot, reason, tick=tick, error=f"{type(error).__name__}: {error}")
            counts[reason] += 1
            overdue += reason in _SALES and reason is slot.exit_reason
        self._finish(tick=tick, counts=counts, slots=slots, quotes=quotes)
        self.observer.metric("OverdueExits", overdue)
        return counts

    def _open_slots(self) -> list[Slot]:
        """Market by market, which costs a fraction of reading slot by slot; only markets with something open."""
        markets = sorted({market for market, _ in self.store.open_slot_keys()})
        slots = [slot for market in markets for slot in self.store.slots_of_market(market)]
        return [slot for slot in slots if slot.state is not SlotState.EMPTY]

    def _quotes(self, slots: list[Slot]) -> dict[str, Quote | VenueError]:
        symbols: dict[str, set[str]] = defaultdict(set)
        for slot in slots:
            if slot.state is SlotState.OPEN:
                venue, _, symbol = slot.market_key.partition("|")
                symbols[venue].add(symbol)
        found: dict[str, Quote | VenueError] = {}
        for venue, wanted in sorted(symbols.items()):
            try:
                quotes: Mapping[str, Quote | VenueError] = self.venues.market_data(venue).quotes(sorted(wanted))
            except VenueError as error:
                quotes = dict.fromkeys(wanted, error)
            found.update({f"{venue}|{symbol}": quote for symbol, quote in quotes.items()})
        return found

    def watch_slot(self, slot: Slot, *, tick: datetime, quote: Quote | VenueError | None) -> Reason:
        if slot.state in IN_FLIGHT:
            return Reason.IN_FLIGHT
        if slot.state is SlotState.HELD:
            return self._tell(slot, Reason.SLOT_HELD, tick=tick, held=slot.held_reason)
        if isinstance(quote, VenueError):
            return self._tell(slot, quote.reason, tick=tick, error=str(quote))
        now = self.clock.now()
        problem = quote_problem(quote, now=now)
        if quote is None or problem is not None:
            return self._tell(slot, problem or Reason.NO_PRICE, tick=tick)
        due = exit_due(slot, bid=quote.bid, now=now)
        if due.highest is not None and not self._stored(slot, highest=due.highest):
            return Reason.IN_FLIGHT
        if due.reason in NOTHING_DUE:
            return self._tell(slot, due.reason, tick=tick, **_levels(slot, due=due, bid=quote.bid))
        return self._exit(slot, due=due, tick=tick, bid=quote.bid)

    def _exit(self, slot: Slot, *, due: ExitDue, tick: datetime, bid: Decimal) -> Reason:
        levels = _levels(slot, due=due, bid=bid)
        if slot.frozen:
            return self._tell(slot, Reason.FROZEN, tick=tick, due=due.reason, **levels)
        bot = self.store.get(Bot, slot.bot_id)
        if bot is not None and bot.state is BotState.HALTED:
            return self._tell(slot, Reason.BOT_NOT_ACTIVE, tick=tick, state=bot.state, due=due.reason, **levels)
        rules = self.store.get(MarketRules, slot.market_key)
        if rules is None:
            return self._tell(slot, Reason.MARKET_UNKNOWN, tick=tick, **levels)
        if sellable_quantity(slot.quantity, rules=rules, price=bid) == ZERO:
            return self._close_as_dust(slot, tick=tick)
        part: Decimal | None = None
        if due.reason is Reason.LADDER:
            part = part_of(slot, share=due.share, whole=slot.bought, rules=rules, price=bid)
            if part is not None and sellable_quantity(part, rules=rules, price=bid) == ZERO:
                return self._pass_step(slot, tick=tick, part=part, **levels)
        intent = exit_intent(slot, reason=due.reason, tick=tick, now=self.clock.now(), rules=rules, quantity=part)
        self.workflow.start(intent)
        return self._tell(slot, due.reason, tick=tick, intent=intent.intent_id, attempt=slot.exit_attempt, **levels)

    def _pass_step(self, slot: Slot, *, tick: datetime, part: Decimal, **levels: str) -> Reason:
        """A ladder step too small to be an order is passed over, so that the later ones are not held up by it."""
        if not self._stored(slot, ladder_done=slot.ladder_done + 1):
            return Reason.IN_FLIGHT
        return self._tell(slot, Reason.BELOW_MINIMUM, tick=tick, ladder_step=slot.ladder_done, part=part, **levels)

    def _close_as_dust(self, slot: Slot, *, tick: datetime) -> Reason:
        now = self.clock.now()
        commit_for_day(
            lambda day: close_as_dust(slot, now=now, budget_day=day), store=self.store, budget_id=slot.budget_id
        )
        self._report(slot, Reason.DUST, tick=tick, numbers={"quantity": slot.quantity, "cost": slot.cost})
        return Reason.DUST

    def _tell(self, slot: Slot, reason: Reason, *, tick: datetime, **numbers: object) -> Reason:
        """Log a reason, and journal it when it is not the one the slot remembers.

        The first start of a sale is journalled without being remembered, which saves a write in every round trip.
        """
        changed = reason is not slot.exit_reason
        quiet = reason in _QUIET
        if not quiet:
            self._report(slot, reason, tick=tick, numbers=numbers, journalled=changed)
        if changed and not (quiet and slot.exit_reason is None) and not ("intent" in numbers and not slot.exit_attempt):
            self._stored(slot, exit_reason=None if quiet else reason)
        return reason

    def _report(
        self, slot: Slot, reason: Reason, *, tick: datetime, numbers: Mapping[str, object], journalled: bool = True
    ) -> None:
        symbol = slot.market_key.partition("|")[2]
        intent = numbers.get("intent")
        told = {name: value for name, value in numbers.items() if name != "intent"}
        self.observer.event(
            reason, bot=slot.bot_id, account=slot.account_id, symbol=symbol, tick=tick, intent=intent, numbers=told
        )
        if not journalled or not slot.bot_id:
            return
        decision = Decision(
            bot_id=slot.bot_id,
            symbol=symbol,
            tick=tick,
            reason=reason,
            numbers={name: str(value) for name, value in told.items()},
            intent_id=intent if isinstance(intent, str) else None,
        )
        with suppress(GuardFailedError):
            self.store.insert(journal_entry(decision, kind="exit"))

    def _stored(self, slot: Slot, **changes: Any) -> bool:
        """Change fields of the slot as long as it is still the same position in the same state; False when it isn't."""
        entry = slot.entry_intent_id
        same = Guard(name="same_position", field="entry_intent_id", op=Op.EQUAL if entry else Op.MISSING, value=entry)
        state = Guard(name="same_state", field="state", op=Op.EQUAL, value=slot.state)
        try:
            self.store.update(Update(key=key_of(slot), set=changes, guards=(state, same)))
        except GuardFailedError:
            return False
        return True

    def _finish(
        self, *, tick: datetime, counts: Counter[str], slots: list[Slot], quotes: Mapping[str, Quote | VenueError]
    ) -> None:
        self.store.replace(
            ScheduleRow(
                schedule_name=SCHEDULE,
                last_tick=tick,
                finished_at=self.clock.now(),
                counts={name: str(count) for name, count in sorted(counts.items())},
                prices={market: str(quote.bid) for market, quote in quotes.items() if isinstance(quote, Quote)},
            )
        )
        self.observer.metric("Tick", 1)
        self.observer.metric("UnprotectedPositions", counts[Reason.UNPROTECTED])
        self.observer.metric("Quarantined", counts[Reason.SLOT_HELD])
        self.observer.event(Reason.TICK, tick=tick, schedule=SCHEDULE, open_slots=len(slots), counts=dict(counts))


def _levels(slot: Slot, *, due: ExitDue, bid: Decimal) -> dict[str, str]:
    return {"bid": str(bid), "take_profit": str(slot.take_profit), "stop_loss": str(due.stop)}
