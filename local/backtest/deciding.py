"""Ask a strategy at one candle, and let the product's own code act on what it says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from local.backtest.market import PastData
from surefill.domain.kinds import Side
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.rows import Slot
from surefill.domain.states import SlotState
from surefill.protocol.transaction import Update, key_of
from surefill.strategies.base import Action, Position, Signal
from surefill.usecases.batches import Batch
from surefill.usecases.evaluate import BatchRun
from surefill.usecases.exits import strategy_exit
from surefill.usecases.facts import market_facts
from surefill.usecases.signals import gate, wish_of, with_signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.backtest.market import Market
    from local.backtest.stream import Stream
    from local.backtest.world import World
    from surefill.strategies.market import MarketView
    from surefill.usecases.data import BatchData


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a strategy said at a candle, and what it was shown."""

    signal: Signal
    market: MarketView
    data: PastData


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """Decides for one group of bots. `counts` are decisions by reason.

    `whole` sends every decision through the whole evaluation instead of only those that need it: the results are the
    same, which is what it is for.
    """

    world: World
    market: Market
    whole: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def ask(self, stream: Stream, *, index: int, slot: Slot | None) -> Asked | Reason | None:
        """What the strategy says at a candle; a reason when nothing at all comes of it.

        None when only the whole evaluation can tell: for grids, for strategies that look at the bot's equity, and for
        one that fails. Most candles that are asked say what can't be done as things stand: sell nothing, buy what is
        held.
        """
        needs, strategy = stream.prepared.needs, stream.prepared.strategy
        if strategy is None or needs.equity or stream.rungs or self.whole:
            return None
        data = self._data(stream, now_ms=int(stream.lane.closed_ms[index]))
        market = data.view(needs)
        if isinstance(market, Refusal):
            return market.reason
        held = slot if slot is not None and slot.state is not SlotState.EMPTY and slot.opened_at is not None else None
        try:
            signal = strategy.decide(market, None if held is None else _position(held))
        except Exception:
            return None
        if not isinstance(signal, Signal) or signal.rungs:
            return None
        if slot is None or slot.signal_side is None:
            idle = _idle(signal, held=held)
            if idle is not None:
                return idle
        return Asked(signal=signal, market=market, data=data)

    def act(self, stream: Stream, asked: Asked, *, slot: Slot | None) -> None:
        """Gates, size, claim and order of a plain signal: the evaluation without its journal."""
        bot, signal = stream.bot, asked.signal
        slot = slot or Slot(market_key=stream.market_key, owner_key=stream.owner_key)
        tick = self.world.clock.now()
        wish = wish_of(signal, slot=slot)
        after = with_signal(slot, wish=wish, tick=tick)
        assert stream.prepared.strategy is not None
        refusal = gate(bot, slot=after, wish=wish, tick=tick, confirms=stream.prepared.strategy.confirms)
        if refusal is not None:
            self._wait(stream, before=slot, after=after, reason=refusal.reason)
            return
        batch = Batch(tick=tick, venue=bot.venue, symbol=stream.symbol, timeframe=bot.timeframe, bots=(bot,))
        entries = self.world.evaluator.planner(batch)
        facts = market_facts(bot, data=cast("BatchData", asked.data), market=asked.market)
        if wish.side is Side.BUY:
            planned = entries.plan(bot, slot=slot, signal=signal, facts=facts, adds=wish.adds)
            intent = planned if isinstance(planned, Refusal) else planned[0]
        else:
            rules, price = entries.readings.rules(), facts.last_close
            intent = strategy_exit(bot, slot=slot, tick=tick, now=tick, rules=rules, share=signal.share, price=price)
        if isinstance(intent, Refusal):
            self._wait(stream, before=slot, after=after, reason=intent.reason)
            return
        stream.pending = False
        self.world.workflow.start(intent)
        told = (Reason.ADD if wish.adds else Reason.BUY) if wish.side is Side.BUY else Reason.SELL
        self.counts[Reason.REDUCE if intent.part else told] += 1

    def evaluate(self, stream: Stream, *, slots: Sequence[Slot], closed_ms: int) -> None:
        """The whole evaluation of one bot on one symbol, on the candles closed by `closed_ms`."""
        bot = stream.bot
        tick = self.world.clock.now()
        batch = Batch(tick=tick, venue=bot.venue, symbol=stream.symbol, timeframe=bot.timeframe, bots=(bot,))
        run = BatchRun(
            evaluator=self.world.evaluator,
            batch=batch,
            market_key=stream.market_key,
            prepared=(stream.prepared,),
            data=cast("BatchData", self._data(stream, now_ms=closed_ms)),
            slots={slot.owner_key: slot for slot in slots},
            entries=self.world.evaluator.planner(batch),
        )
        decided = run.decided(stream.prepared)
        reason = decided.decision.reason
        stream.rungs = stream.rungs or reason in (Reason.GRID_ARMED, Reason.GRID_WAITING)
        stream.stopped = stream.stopped or decided.pauses
        if decided.decision.intent_id is None:
            self._wait(stream, before=decided.before, after=decided.after, reason=reason)
        else:
            stream.pending = False
            self.counts[reason] += 1

    def _data(self, stream: Stream, *, now_ms: int) -> PastData:
        return PastData(market=self.market, symbol=stream.symbol, timeframe=stream.bot.timeframe, now_ms=now_ms)

    def _wait(self, stream: Stream, *, before: Slot, after: Slot, reason: Reason) -> None:
        """Nothing is done; since when the present signal stands is stored, as an evaluation does."""
        self.counts[reason] += 1
        stream.pending = after.signal_side is not None
        if (after.signal_side, after.signal_since) == (before.signal_side, before.signal_since):
            return
        bot = stream.bot
        owner = {"bot_id": bot.bot_id, "account_id": bot.account_id, "budget_id": bot.budget_id}
        signal = {"signal_side": after.signal_side, "signal_since": after.signal_since}
        self.world.store.update(Update(key=key_of(after), set={**owner, **signal}))


def _idle(signal: Signal, *, held: Slot | None) -> Reason | None:
    if signal.action is Action.HOLD:
        return Reason.HOLD
    if signal.action is Action.SELL and held is None:
        return Reason.NO_POSITION
    if signal.action is Action.BUY and held is not None and held.state is SlotState.OPEN and not signal.adds:
        return Reason.ALREADY_IN_POSITION
    return None


def _position(slot: Slot) -> Position:
    return Position(
        quantity=slot.quantity,
        cost=slot.cost,
        opened_at=slot.opened_at,
        tranches=slot.tranches,
        last_price=slot.last_price,
        last_at=slot.last_at,
    )
