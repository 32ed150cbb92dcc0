"""Evaluate: candles once per market, then every bot on it: strategy, signal, gates, and exactly one decision each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from surefill.domain import identity
from surefill.domain.decisions import Decision
from surefill.domain.kinds import Side
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.records import ScheduleRow
from surefill.domain.rows import Bot, Intent, Slot
from surefill.domain.states import SlotState
from surefill.ports import Adviser, Clock, Observer, Store, StoreUnavailableError, Venues, Workflow
from surefill.strategies import STRATEGIES
from surefill.strategies.base import AlertStrategy, Needs, Position, Signal, Strategy
from surefill.strategies.market import MarketView
from surefill.usecases import ask
from surefill.usecases.advise import AdviserGate, RuleAdviser
from surefill.usecases.batches import Batch
from surefill.usecases.data import BatchData, Views
from surefill.usecases.decided import Decided, Memory
from surefill.usecases.entries import EntryPlanner
from surefill.usecases.exits import strategy_exit
from surefill.usecases.facts import facts_needs, market_facts
from surefill.usecases.grid import Grid
from surefill.usecases.readings import Readings
from surefill.usecases.signals import Wish, gate, wish_of, with_signal

# A batch that waited longer than this is dropped: prices have moved on from the candles it is about.
LATEST = timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A bot with its strategy and what that needs, or why it can't be asked."""

    bot: Bot
    strategy: Strategy | None = None
    needs: Needs = field(default_factory=lambda: Needs(candles=1))
    problem: Refusal | None = None


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
    advisers: Mapping[str, Adviser] = field(default_factory=lambda: {"rules": RuleAdviser()})

    def evaluate(self, batch: Batch, *, attempt: int = 1) -> list[Decision]:
        """Decide for every bot of the batch. A bot's own failure is its decision; others go on.

        What kills the whole batch (its time is over, no memory) leaves nothing but another attempt: that is noted
        before it is made, so that a batch which never ends can be seen.
        """
        if attempt > 1:
            self._note(batch, attempt=attempt)
        age = self.clock.now() - batch.tick
        if age > LATEST:
            self.observer.event(Reason.TICK_LATE, tick=batch.tick, symbol=batch.symbol, age_seconds=age.total_seconds())
            return []
        run = BatchRun.of(self, batch)
        decided = [run.decided(prepared) for prepared in run.prepared]
        Memory(store=self.store, observer=self.observer).remember(decided)
        if attempt > 1:
            self._note(batch, attempt=attempt, finished="1")
        return [item.decision for item in decided]

    def _note(self, batch: Batch, *, attempt: int, **more: str) -> None:
        name = identity.evaluation_key(venue=batch.venue, symbol=batch.symbol, timeframe=batch.timeframe)
        counts = {"bots": str(len(batch.bots)), "attempt": str(attempt), **more}
        self.store.replace(
            ScheduleRow(schedule_name=name, last_tick=batch.tick, finished_at=self.clock.now(), counts=counts)
        )

    def planner(self, batch: Batch) -> EntryPlanner:
        """The planner of a batch's entries."""
        key, now = identity.market_key(venue=batch.venue, symbol=batch.symbol), self.clock.now()
        return EntryPlanner(
            store=self.store,
            stage=self.stage,
            now=now,
            tick=batch.tick,
            symbol=batch.symbol,
            market_key=key,
            readings=Readings(
                store=self.store,
                venues=self.venues,
                venue=batch.venue,
                symbol=batch.symbol,
                market_key=key,
                now=now,
            ),
            adviser=AdviserGate(store=self.store, advisers=self.advisers),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRun:
    """One batch being evaluated."""

    evaluator: Evaluator
    batch: Batch
    market_key: str
    prepared: tuple[Prepared, ...]
    data: Views
    slots: Mapping[str, Slot]
    entries: EntryPlanner

    @classmethod
    def of(cls, evaluator: Evaluator, batch: Batch) -> "BatchRun":
        key = identity.market_key(venue=batch.venue, symbol=batch.symbol)
        prepared = tuple(_prepared(bot, batch=batch, strategies=evaluator.strategies) for bot in batch.bots)
        data = BatchData(
            venues=evaluator.venues,
            venue=batch.venue,
            symbol=batch.symbol,
            timeframe=batch.timeframe,
            tick=batch.tick,
        )
        data.expect(item.needs for item in prepared)
        data.expect(need for bot in batch.bots for need in facts_needs(bot))
        return cls(
            evaluator=evaluator,
            batch=batch,
            market_key=key,
            prepared=prepared,
            data=data,
            slots={slot.owner_key: slot for slot in evaluator.store.slots_of_market(key)},
            entries=evaluator.planner(batch),
        )

    def decided(self, prepared: Prepared) -> Decided:
        bot = prepared.bot
        slot = self._slot(bot)
        try:
            return self._decide(prepared, slot=slot)
        except StoreUnavailableError:
            raise  # the queue hands the message out again; what was started meets its own name
        except Exception as error:
            text = f"{type(error).__name__}: {error}"[:300]
            return self._refused(bot, slot, Refusal(reason=Reason.INTERNAL_ERROR, numbers={"error": text}))

    def _slot(self, bot: Bot) -> Slot:
        owner = identity.owner_key(account_id=bot.account_id, bot_id=bot.bot_id)
        return self.slots.get(owner) or Slot(market_key=self.market_key, owner_key=owner)

    def _decide(self, prepared: Prepared, *, slot: Slot) -> Decided:
        bot, strategy = prepared.bot, prepared.strategy
        if prepared.problem is not None or strategy is None:
            problem = prepared.problem or Refusal(reason=Reason.STRATEGY_UNKNOWN, numbers={})
            return self._refused(bot, slot, problem, pauses=problem.reason is Reason.STRATEGY_FAILED)
        market = self.data.view(prepared.needs)
        if isinstance(market, Refusal):
            return self._refused(bot, slot, market)
        position = self._position(bot, slot, needs=prepared.needs, market=market)
        try:
            signal = ask.signal_of(lambda: self._asked(strategy, market, position))
        except ask.StrategyError as error:
            failed = Refusal(reason=Reason.STRATEGY_FAILED, numbers={"error": str(error)})
            return self._refused(bot, slot, failed, pauses=True)
        if signal.rungs:
            grid = Grid(bot=bot, entries=self.entries, slots=self.slots, workflow=self.evaluator.workflow)
            return Decided(bot=bot, before=slot, after=slot, decision=grid.arm(signal, blank=self._blank(bot, signal)))
        return self._act(bot, slot=slot, signal=signal, market=market, confirms=strategy.confirms)

    def _asked(self, strategy: Strategy, market: MarketView, position: Position | None) -> Signal:
        if self.batch.alert is not None and isinstance(strategy, AlertStrategy):
            return strategy.on_alert(self.batch.alert, market, position)
        return strategy.decide(market, position)

    def _position(self, bot: Bot, slot: Slot, *, needs: Needs, market: MarketView) -> Position | None:
        held = slot.state is not SlotState.EMPTY and slot.opened_at is not None
        if not held and not needs.equity:
            return None
        return Position(
            quantity=slot.quantity,
            cost=slot.cost,
            opened_at=slot.opened_at if held else None,
            tranches=slot.tranches,
            last_price=slot.last_price,
            last_at=slot.last_at,
            equity=self.entries.equity_of(bot, market=market) if needs.equity else None,
        )

    def _act(self, bot: Bot, *, slot: Slot, signal: Signal, market: MarketView, confirms: bool) -> Decided:
        wish = wish_of(signal, slot=slot)
        after = with_signal(slot, wish=wish, tick=self.batch.tick)
        refusal = gate(bot, slot=after, wish=wish, tick=self.batch.tick, confirms=confirms)
        if refusal is not None:
            return self._refused(bot, slot, refusal, after=after, signal=signal)
        planned = self._planned(bot, slot=slot, signal=signal, wish=wish, market=market)
        if isinstance(planned, Refusal):
            return self._refused(bot, slot, planned, after=after, signal=signal)
        intent, numbers = planned
        self.evaluator.workflow.start(intent)
        decision = replace(
            self._blank(bot, signal),
            reason=_told(intent, wish),
            numbers={
                **signal.numbers,
                **numbers,
                "quantity": str(intent.quantity),
                "reserved": str(intent.reserved),
            },
            intent_id=intent.intent_id,
        )
        return Decided(bot=bot, before=slot, after=after, decision=decision)

    def _planned(
        self, bot: Bot, *, slot: Slot, signal: Signal, wish: Wish, market: MarketView
    ) -> tuple[Intent, Mapping[str, str]] | Refusal:
        if wish.side is Side.BUY:
            facts = market_facts(bot, data=self.data, market=market)
            return self.entries.plan(bot, slot=slot, signal=signal, facts=facts, adds=wish.adds)
        sale = strategy_exit(
            bot,
            slot=slot,
            tick=self.batch.tick,
            now=self.entries.now,
            rules=self.entries.readings.rules(),
            share=signal.share,
            price=market_facts(bot, data=self.data, market=market).last_close,
        )
        return sale if isinstance(sale, Refusal) else (sale, {})

    def _blank(self, bot: Bot, signal: Signal | None) -> Decision:
        return Decision(
            bot_id=bot.bot_id,
            symbol=self.batch.symbol,
            tick=self.batch.tick,
            reason=Reason.HOLD,
            numbers=dict(signal.numbers) if signal else {},
        )

    def _refused(
        self,
        bot: Bot,
        slot: Slot,
        refusal: Refusal,
        *,
        after: Slot | None = None,
        signal: Signal | None = None,
        pauses: bool = False,
    ) -> Decided:
        blank = self._blank(bot, signal)
        decision = replace(blank, reason=refusal.reason, numbers={**blank.numbers, **refusal.numbers})
        return Decided(bot=bot, before=slot, after=after or slot, decision=decision, pauses=pauses)


def _prepared(bot: Bot, *, batch: Batch, strategies: Mapping[str, type[Strategy]]) -> Prepared:
    try:
        strategy = ask.build(strategies, bot.strategy, bot.params)
        needs = ask.needs_of(strategy, symbols=bot.symbols, symbol=batch.symbol)
        return Prepared(bot=bot, strategy=strategy, needs=needs)
    except LookupError as error:
        reason, text = Reason.STRATEGY_UNKNOWN, str(error)
    except ask.StrategyError as error:
        reason, text = Reason.STRATEGY_FAILED, str(error)
    return Prepared(bot=bot, problem=Refusal(reason=reason, numbers={"error": text}))


def _told(intent: Intent, wish: Wish) -> Reason:
    if wish.side is Side.BUY:
        return Reason.ADD if wish.adds else Reason.BUY
    return Reason.REDUCE if intent.part else Reason.SELL
