"""Watch exits: once a minute hold every open position against its levels, with one price request per venue."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from surefill.domain.candles import Quote, quote_problem
from surefill.domain.decisions import Decision, journal_entry
from surefill.domain.exits import exit_reason
from surefill.domain.market import sellable_quantity
from surefill.domain.money import ZERO
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, BotState, MarketRules, ScheduleRow, Slot
from surefill.domain.states import SlotState
from surefill.ports import Clock, Observer, Store, StoreUnavailableError, Venues, Workflow
from surefill.protocol.exit import close_as_dust
from surefill.protocol.transaction import GuardFailedError
from surefill.usecases.claim import commit_for_day
from surefill.usecases.exits import exit_intent

SCHEDULE = "watch_exits"


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
        for slot in slots:
            try:
                reason = self._watch_slot(slot, tick=tick, quote=quotes.get(slot.market_key))
            except Exception as error:
                reason = Reason.INTERNAL_ERROR
                with suppress(StoreUnavailableError):
                    self._tell(slot, reason, tick=tick, error=f"{type(error).__name__}: {error}")
            counts[reason] += 1
        self._finish(tick=tick, counts=counts, slots=slots)
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

    def _watch_slot(self, slot: Slot, *, tick: datetime, quote: Quote | VenueError | None) -> Reason:
        if slot.state is SlotState.HELD:
            self._tell(slot, Reason.SLOT_HELD, tick=tick, held=slot.held_reason)
            return Reason.SLOT_HELD
        if slot.state is not SlotState.OPEN:
            return Reason.IN_FLIGHT
        if isinstance(quote, VenueError):
            return self._tell(slot, quote.reason, tick=tick, error=str(quote))
        problem = quote_problem(quote, now=self.clock.now())
        if quote is None or problem is not None:
            return self._tell(slot, problem or Reason.NO_PRICE, tick=tick)
        reason = exit_reason(slot, bid=quote.bid)
        if reason is Reason.EXIT_WAITING:
            return reason
        levels = {"bid": str(quote.bid), "take_profit": str(slot.take_profit), "stop_loss": str(slot.stop_loss)}
        if reason is Reason.UNPROTECTED:
            return self._tell(slot, reason, tick=tick, **levels)
        return self._exit(slot, reason=reason, tick=tick, bid=quote.bid, levels=levels)

    def _exit(self, slot: Slot, *, reason: Reason, tick: datetime, bid: Decimal, levels: dict[str, str]) -> Reason:
        bot = self.store.get(Bot, slot.bot_id)
        if bot is not None and bot.state is BotState.HALTED:
            return self._tell(slot, Reason.BOT_NOT_ACTIVE, tick=tick, state=bot.state, due=reason, **levels)
        rules = self.store.get(MarketRules, slot.market_key)
        if rules is None:
            return self._tell(slot, Reason.MARKET_UNKNOWN, tick=tick, **levels)
        if sellable_quantity(slot.quantity, rules=rules, price=bid) == ZERO:
            return self._close_as_dust(slot, tick=tick)
        intent = exit_intent(slot, reason=reason, tick=tick, now=self.clock.now(), rules=rules)
        self.workflow.start(intent)
        return self._tell(slot, reason, tick=tick, intent=intent.intent_id, attempt=slot.exit_attempt, **levels)

    def _close_as_dust(self, slot: Slot, *, tick: datetime) -> Reason:
        now = self.clock.now()
        commit_for_day(
            lambda day: close_as_dust(slot, now=now, budget_day=day), store=self.store, budget_id=slot.budget_id
        )
        return self._tell(slot, Reason.DUST, tick=tick, quantity=str(slot.quantity), cost=str(slot.cost))

    def _tell(self, slot: Slot, reason: Reason, *, tick: datetime, **numbers: object) -> Reason:
        symbol = slot.market_key.partition("|")[2]
        self.observer.event(reason, bot=slot.bot_id, account=slot.account_id, symbol=symbol, tick=tick, numbers=numbers)
        evidence = {name: str(value) for name, value in numbers.items() if name != "intent"}
        intent = numbers.get("intent")
        decision = Decision(
            bot_id=slot.bot_id,
            symbol=symbol,
            tick=tick,
            reason=reason,
            numbers=evidence,
            intent_id=intent if isinstance(intent, str) else None,
        )
        if slot.bot_id:
            with suppress(GuardFailedError):
                self.store.insert(journal_entry(decision, kind="exit"))
        return reason

    def _finish(self, *, tick: datetime, counts: Counter[str], slots: list[Slot]) -> None:
        self.store.replace(
            ScheduleRow(
                schedule_name=SCHEDULE,
                last_tick=tick,
                finished_at=self.clock.now(),
                counts={name: str(count) for name, count in sorted(counts.items())},
            )
        )
        self.observer.metric("Tick", 1)
        self.observer.metric("UnprotectedPositions", counts[Reason.UNPROTECTED])
        self.observer.metric("Quarantined", counts[Reason.SLOT_HELD])
        self.observer.event(Reason.TICK, tick=tick, schedule=SCHEDULE, open_slots=len(slots), counts=dict(counts))
