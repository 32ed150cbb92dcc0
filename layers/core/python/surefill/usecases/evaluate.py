"""Evaluate: candles once per market, then every bot on it: strategy, signal, gates, and exactly one decision each."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from surefill.domain import identity
from surefill.domain.candles import CandleError, Candles, closed_candles, data_problem
from surefill.domain.decisions import Decision, journal_entry
from surefill.domain.market import Refusal
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, BotState, Side, Slot
from surefill.domain.states import SlotState
from surefill.ports import Clock, Observer, Store, StoreUnavailableError, Venues, Workflow
from surefill.protocol.transaction import GuardFailedError, Update, key_of
from surefill.strategies import STRATEGIES
from surefill.strategies.base import Action, Position, Signal, Strategy
from surefill.strategies.market import MarketView
from surefill.usecases.batches import Batch
from surefill.usecases.entries import EntryPlanner
from surefill.usecases.exits import strategy_exit

# A batch that waited longer than this is dropped: prices have moved on from the candles it is about.
LATEST = timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """Evaluates batches. One instance per function; nothing is kept between batches."""

    store: Store
    venues: Venues
    workflow: Workflow
    clock: Clock
    observer: Observer
    stage: str
    strategies: Mapping[str, type[Strategy]] = field(default_factory=lambda: STRATEGIES)

    def evaluate(self, batch: Batch) -> list[Decision]:
        """Decide for every bot of the batch. A bot's own failure is its decision; others go on."""
        age = self.clock.now() - batch.tick
        if age > LATEST:
            self.observer.event(Reason.TICK_LATE, tick=batch.tick, symbol=batch.symbol, age_seconds=age.total_seconds())
            return []
        prepared = [self._strategy(bot) for bot in batch.bots]
        longest = max((item.candles_needed for item in prepared if isinstance(item, Strategy)), default=0)
        candles = self._candles(batch, longest=longest)
        key = identity.market_key(venue=batch.venue, symbol=batch.symbol)
        slots = {slot.owner_key: slot for slot in self.store.slots_of_market(key)}
        views: dict[int, MarketView] = {}
        entries = EntryPlanner(
            store=self.store, venues=self.venues, stage=self.stage, now=self.clock.now(), batch=batch, market_key=key
        )
        decisions = []
        for bot, strategy in zip(batch.bots, prepared, strict=True):
            owner = identity.owner_key(account_id=bot.account_id, bot_id=bot.bot_id)
            slot = slots.get(owner) or Slot(market_key=key, owner_key=owner)
            try:
                decision, after = self._decide(
                    bot, strategy=strategy, slot=slot, candles=candles, batch=batch, views=views, entries=entries
                )
            except StoreUnavailableError:
                raise  # the queue hands the message out again; what was started meets its own name
            except Exception as error:
                decision, after = _failed(bot, batch=batch, error=error), slot
            self._remember(bot, slot=slot, after=after, decision=decision)
            decisions.append(decision)
        return decisions

    def _strategy(self, bot: Bot) -> Strategy | Exception:
        known = self.strategies.get(bot.strategy)
        if known is None:
            return LookupError(f"strategy {bot.strategy!r} is not installed")
        try:
            return known(bot.params)
        except ValueError as error:
            return error

    def _candles(self, batch: Batch, *, longest: int) -> Candles | VenueError | CandleError:
        try:
            rows = self.venues.market_data(batch.venue).candle_rows(
                symbol=batch.symbol, timeframe=batch.timeframe, until=batch.tick, limit=longest + 1
            )
            return closed_candles(timeframe=batch.timeframe, rows=rows, tick=batch.tick)
        except (VenueError, CandleError) as error:
            return error

    def _decide(
        self,
        bot: Bot,
        *,
        strategy: Strategy | Exception,
        slot: Slot,
        candles: Candles | VenueError | CandleError,
        batch: Batch,
        views: dict[int, MarketView],
        entries: EntryPlanner,
    ) -> tuple[Decision, Slot]:
        blank = Decision(bot_id=bot.bot_id, symbol=batch.symbol, tick=batch.tick, reason=Reason.HOLD)
        if isinstance(strategy, LookupError):
            return replace(blank, reason=Reason.STRATEGY_UNKNOWN, numbers={"error": str(strategy)}), slot
        if isinstance(candles, VenueError):
            return replace(blank, reason=candles.reason, numbers={"error": str(candles)}), slot
        if isinstance(candles, CandleError):
            return replace(blank, reason=Reason.NO_DATA, numbers={"error": str(candles)}), slot
        if not isinstance(strategy, Strategy):
            return replace(blank, reason=Reason.STRATEGY_FAILED, numbers={"error": str(strategy)[:300]}), slot
        problem = data_problem(candles, tick=batch.tick, needed=strategy.candles_needed)
        if problem is not None:
            numbers = {"candles": str(len(candles)), "needed": str(strategy.candles_needed)}
            if len(candles):
                numbers["last_candle_closed"] = candles.closed_at().isoformat()
            return replace(blank, reason=problem, numbers=numbers), slot
        view = views.setdefault(strategy.candles_needed, MarketView(candles, length=strategy.candles_needed))
        try:
            signal = strategy.decide(view, _position(slot))
        except Exception as error:
            text = f"{type(error).__name__}: {error}"[:300]
            return replace(blank, reason=Reason.STRATEGY_FAILED, numbers={"error": text}), slot
        return self._act(bot, slot=slot, signal=signal, blank=replace(blank, numbers=signal.numbers), entries=entries)

    def _act(
        self, bot: Bot, *, slot: Slot, signal: Signal, blank: Decision, entries: EntryPlanner
    ) -> tuple[Decision, Slot]:
        wanted = {Action.BUY: Side.BUY, Action.SELL: Side.SELL}.get(signal.action)
        after = _with_signal(slot, wanted=wanted, tick=blank.tick)
        refusal = _gate(bot, slot=after, wanted=wanted, tick=blank.tick)
        if refusal is not None:
            reason, numbers = refusal
            return replace(blank, reason=reason, numbers={**blank.numbers, **numbers}), after
        intent = (
            entries.plan(bot, slot=slot)
            if wanted is Side.BUY
            else strategy_exit(bot, slot=slot, tick=blank.tick, now=self.clock.now(), rules=entries.rules())
        )
        if isinstance(intent, Refusal):
            return replace(blank, reason=intent.reason, numbers={**blank.numbers, **intent.numbers}), after
        self.workflow.start(intent)
        reason = Reason.BUY if wanted is Side.BUY else Reason.SELL
        terms = {"quantity": str(intent.quantity), "reserved": str(intent.reserved)}
        done = replace(blank, reason=reason, numbers={**blank.numbers, **terms}, intent_id=intent.intent_id)
        return done, after

    def _remember(self, bot: Bot, *, slot: Slot, after: Slot, decision: Decision) -> None:
        """Tell and store a decision, and the pending signal, when something changed; silence is only counted."""
        changed = {
            name: getattr(after, name)
            for name in ("signal_side", "signal_since")
            if getattr(after, name) != getattr(slot, name)
        }
        if decision.reason is not slot.last_reason:
            changed["last_reason"] = decision.reason
            self.observer.event(
                decision.reason,
                bot=bot.bot_id,
                symbol=decision.symbol,
                tick=decision.tick,
                intent=decision.intent_id,
                account=bot.account_id,
                numbers=dict(decision.numbers),
            )
            with suppress(GuardFailedError):  # the same tick delivered twice: its decision is already written
                self.store.insert(journal_entry(decision, kind="decision"))
        if changed:
            identity_fields = {"bot_id": bot.bot_id, "account_id": bot.account_id, "budget_id": bot.budget_id}
            self.store.update(Update(key=key_of(slot), set={**identity_fields, **changed}))


def _failed(bot: Bot, *, batch: Batch, error: Exception) -> Decision:
    text = f"{type(error).__name__}: {error}"[:300]
    return Decision(
        bot_id=bot.bot_id, symbol=batch.symbol, tick=batch.tick, reason=Reason.INTERNAL_ERROR, numbers={"error": text}
    )


def _position(slot: Slot) -> Position | None:
    if slot.state is SlotState.EMPTY or slot.opened_at is None:
        return None
    return Position(quantity=slot.quantity, cost=slot.cost, opened_at=slot.opened_at)


def _with_signal(slot: Slot, *, wanted: Side | None, tick: datetime) -> Slot:
    """The slot remembering since when the present signal stands; a different signal starts anew."""
    if wanted is None or not _usable(slot, wanted):
        return replace(slot, signal_side=None, signal_since=None)
    if slot.signal_side is wanted and slot.signal_since is not None and slot.signal_since <= tick:
        return slot
    return replace(slot, signal_side=wanted, signal_since=tick)


def _usable(slot: Slot, wanted: Side) -> bool:
    return slot.state is (SlotState.EMPTY if wanted is Side.BUY else SlotState.OPEN)


def _gate(bot: Bot, *, slot: Slot, wanted: Side | None, tick: datetime) -> tuple[Reason, dict[str, str]] | None:
    """The first gate between signal and claim that stays shut, with its numbers; None when all are open."""
    if wanted is None:
        return Reason.HOLD, {}
    if slot.state in (SlotState.OPENING, SlotState.CLOSING):
        return Reason.IN_FLIGHT, {"slot": slot.state}
    if slot.state is SlotState.HELD:
        return Reason.SLOT_HELD, {"held": slot.held_reason or ""}
    if wanted is Side.BUY and slot.state is SlotState.OPEN:
        return Reason.ALREADY_IN_POSITION, {"quantity": str(slot.quantity)}
    if wanted is Side.SELL and slot.state is SlotState.EMPTY:
        return Reason.NO_POSITION, {}
    if wanted is Side.BUY and bot.state is not BotState.ACTIVE:
        return Reason.BOT_NOT_ACTIVE, {"state": bot.state}
    since = slot.signal_since or tick
    if tick - since < timedelta(seconds=bot.confirmation_seconds):
        stands = int((tick - since).total_seconds())
        return Reason.WAITING_CONFIRMATION, {"seconds": str(stands), "needed": str(bot.confirmation_seconds)}
    if wanted is Side.BUY and slot.idle_since is not None:
        idle = int((tick - slot.idle_since).total_seconds())
        if idle < bot.cooldown_seconds:
            return Reason.WAITING_COOLDOWN, {"seconds": str(idle), "needed": str(bot.cooldown_seconds)}
    return None
