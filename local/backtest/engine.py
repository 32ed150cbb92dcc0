"""The engine: from event to event through recorded candles, every decision and every order by the product's own code.

Within a candle the order of prices is not known, so it is taken the careful way: first the open, then the low (stops),
then the high (profits), then the close. A stop that the open has jumped over fills at the open. Limit orders fill at
their own price, from the candle after the one they were placed in. What is decided at a candle's close comes after
everything that happened within it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, cast

from local.backtest.market import PastData
from local.backtest.spec import FillModel
from local.backtest.stream import Stream, evaluations, limits_of
from local.errors import LocalError
from surefill.domain import identity
from surefill.domain.candles import Quote
from surefill.domain.exits import NOTHING_DUE, exit_due
from surefill.domain.market import Refusal
from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.rows import Side, Slot
from surefill.domain.states import SlotState
from surefill.domain.times import from_milliseconds
from surefill.protocol.transaction import Update, key_of
from surefill.strategies.base import Action, Position, Signal
from surefill.usecases.batches import Batch
from surefill.usecases.entries import EntryPlanner
from surefill.usecases.timing import RESTING
from surefill.usecases.evaluate import Prepared, _Run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from local.backtest.market import Market
    from local.backtest.spec import BacktestSpec
    from local.backtest.venue import BacktestVenue, Resting
    from local.backtest.world import World
    from surefill.domain.rows import Bot
    from surefill.usecases.data import BatchData

_TOUCH, _DECISION = 0, 1
_FINEST = Decimal("0.00000001")
_PRECISION = Decimal("0.0000001")
_TOLD_EVERY = 2_000


@dataclass(slots=True, kw_only=True)
class Engine:
    """Runs the streams of one group of bots to the end of their candles. `counts` are decisions by reason."""

    world: World
    venue: BacktestVenue
    market: Market
    spec: BacktestSpec
    tell: Callable[[int], None] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _streams: list[Stream] = field(default_factory=list)

    def run(self, bots: Sequence[Bot]) -> None:
        """From the first candle to the last."""
        self._streams = [
            self._stream(number, bot, symbol)
            for number, (bot, symbol) in enumerate((bot, symbol) for bot in bots for symbol in bot.symbols)
        ]
        queue = [event for stream in self._streams if (event := self._next(stream)) is not None]
        heapify(queue)
        events = 0
        while queue:
            at_ms, kind, number, index = heappop(queue)
            stream = self._streams[number]
            if kind == _TOUCH:
                self._touch(stream, index)
            else:
                self._decide(stream, index, at_ms=at_ms)
            following = self._next(stream)
            if following is not None:
                heappush(queue, following)
            events += 1
            if self.tell is not None and events % _TOLD_EVERY == 0:
                self.tell(at_ms)

    def _stream(self, number: int, bot: Bot, symbol: str) -> Stream:
        strategy = self.world.evaluator.strategies[bot.strategy](bot.params)
        needs = strategy.needs(bot.symbols, symbol)
        lane, fine = self.market.lane(symbol, bot.timeframe), self.market.finest(symbol)
        next_open = self.spec.fill is FillModel.NEXT_OPEN
        found = evaluations(bot, strategy=strategy, needs=needs, lane=lane, fine=fine, next_open=next_open)
        if not len(found["due"]):
            raise LocalError(
                f"bot {bot.bot_id!r} needs {needs.candles} candles of {bot.timeframe} on {symbol} before its first"
                f" decision, there are {len(lane.closed_ms)} to decide on: give more candles"
            )
        return Stream(
            number=number,
            prepared=Prepared(bot=bot, strategy=strategy, needs=needs),
            symbol=symbol,
            market_key=identity.market_key(venue=bot.venue, symbol=symbol),
            owner_key=identity.owner_key(account_id=bot.account_id, bot_id=bot.bot_id),
            lane=lane,
            fine=fine,
            **found,
        )

    # what comes next

    def _next(self, stream: Stream) -> tuple[int, int, int, int] | None:
        slots = self._slots(stream)
        end = len(stream.fine.closed_ms)
        while True:
            decision = None if stream.stopped else stream.next_decision()
            until = end if decision is None else self._touches_before(stream, decision[1])
            touch = self._next_touch(stream, slots, until=until)
            if touch is not None:
                # A touch is somewhere inside its candle: just before its close.
                return int(stream.fine.closed_ms[touch]) - 1, _TOUCH, stream.number, touch
            if decision is None:
                return None
            at_ms, index = decision
            idle = None if stream.rungs else self._idle(stream, index=index, slot=slots[0] if slots else None)
            if idle is None:
                return at_ms, _DECISION, stream.number, index
            self.counts[idle] += 1
            stream.decided, stream.touched = index, max(stream.touched, until - 1)

    def _touches_before(self, stream: Stream, index: int) -> int:
        """The first recorded candle whose touches come after what is decided at `index`."""
        return int(stream.places[index]) + (0 if self.spec.fill is FillModel.NEXT_OPEN else 1)

    def _next_touch(self, stream: Stream, slots: Sequence[Slot], *, until: int) -> int | None:
        waiting = self.venue.resting.get(stream.symbol)
        held = [slot for slot in slots if slot.state is SlotState.OPEN]
        if not held and not waiting:
            return None
        if any(slot.exit_rules is not None for slot in held):
            return stream.touched + 1 if stream.touched + 1 < until else None
        buys, sales = limits_of(self._own(stream).values()) if waiting else (None, None)
        stops = [float(slot.stop_loss) for slot in held if slot.stop_loss is not None]
        profits = [float(slot.take_profit) for slot in held if slot.take_profit is not None]
        return stream.next_touch(
            stop=max((*stops, *(() if buys is None else (buys,))), default=None),
            profit=min((*profits, *(() if sales is None else (sales,))), default=None),
            until=until,
        )

    def _slots(self, stream: Stream) -> list[Slot]:
        """The bot's own slots on the symbol: one, or one for each rung of its grid."""
        store = self.world.store
        if stream.rungs:
            return [slot for slot in store.slots_of_market(stream.market_key) if slot.bot_id == stream.bot.bot_id]
        slot = store.get(Slot, stream.market_key, stream.owner_key)
        return [] if slot is None else [slot]

    def _own(self, stream: Stream) -> dict[str, Resting]:
        """Waiting orders of the bot on the symbol, by client order id."""
        waiting = self.venue.resting.get(stream.symbol, {})
        ids = {name for slot in self._slots(stream) for name in (slot.entry_intent_id, slot.exit_intent_id)}
        return {name: order for name, order in waiting.items() if name in ids}

    # decisions

    def _decide(self, stream: Stream, index: int, *, at_ms: int) -> None:
        place, history = int(stream.places[index]), stream.fine.history
        stream.decided = index
        stream.touched = max(stream.touched, self._touches_before(stream, index) - 1)
        prices = history.open if self.spec.fill is FillModel.NEXT_OPEN else history.close
        self._at(stream, ms=at_ms, price=exact_price(prices.item(place)), volume=history.volume.item(place))
        if stream.rungs:
            self._expire(stream, at_ms=at_ms)
        self._evaluate(stream, closed_ms=int(stream.lane.closed_ms[index]))

    def _evaluate(self, stream: Stream, *, closed_ms: int) -> None:
        bot = stream.bot
        data = self._data(stream, now_ms=closed_ms)
        now = self.venue.clock.current
        batch = Batch(tick=now, venue=bot.venue, symbol=stream.symbol, timeframe=bot.timeframe, bots=(bot,))
        run = _Run(
            evaluator=self.world.evaluator,
            batch=batch,
            market_key=stream.market_key,
            prepared=(stream.prepared,),
            data=cast("BatchData", data),
            slots={slot.owner_key: slot for slot in self._slots(stream)},
            entries=self.world.evaluator.planner(batch),
        )
        decided = run.decided(stream.prepared)
        self.counts[decided.decision.reason] += 1
        if decided.decision.reason in (Reason.GRID_ARMED, Reason.GRID_WAITING):
            stream.rungs = True
        if decided.pauses:
            stream.stopped = True
        before, after = decided.before, decided.after
        stream.pending = after.signal_side is not None and decided.decision.intent_id is None
        if decided.decision.intent_id is None and (after.signal_side, after.signal_since) != (
            before.signal_side,
            before.signal_since,
        ):
            self._remember_signal(stream, after=after)

    def _data(self, stream: Stream, *, now_ms: int) -> PastData:
        return PastData(market=self.market, symbol=stream.symbol, timeframe=stream.bot.timeframe, now_ms=now_ms)

    def _idle(self, stream: Stream, *, index: int, slot: Slot | None) -> Reason | None:
        """Why nothing at all comes of asking there, found out without the whole evaluation; None when something may.

        Most candles that are asked say what can't be done as things stand: sell nothing, buy what is held.
        """
        needs, strategy = stream.prepared.needs, stream.prepared.strategy
        if strategy is None or needs.equity or (slot is not None and slot.signal_side is not None):
            return None
        market = self._data(stream, now_ms=int(stream.lane.closed_ms[index])).view(needs)
        if isinstance(market, Refusal):
            return market.reason
        held = slot if slot is not None and slot.state is not SlotState.EMPTY and slot.opened_at is not None else None
        try:
            signal = strategy.decide(market, None if held is None else _position(held))
        except Exception:
            return None  # the evaluation says what is wrong, and stops the bot
        if not isinstance(signal, Signal) or signal.rungs:
            return None
        if signal.action is Action.HOLD:
            return Reason.HOLD
        if signal.action is Action.SELL and held is None:
            return Reason.NO_POSITION
        if signal.action is Action.BUY and held is not None and held.state is SlotState.OPEN and not signal.adds:
            return Reason.ALREADY_IN_POSITION
        return None

    def _remember_signal(self, stream: Stream, *, after: Slot) -> None:
        """Store since when the present signal stands, as an evaluation does."""
        bot = stream.bot
        owner = {"bot_id": bot.bot_id, "account_id": bot.account_id, "budget_id": bot.budget_id}
        signal = {"signal_side": after.signal_side, "signal_since": after.signal_since}
        self.world.store.update(Update(key=key_of(after), set={**owner, **signal}))

    def _expire(self, stream: Stream, *, at_ms: int) -> None:
        """Take waiting orders out that have waited as long as they may; the evaluation makes them anew."""
        oldest = at_ms - int(RESTING / timedelta(milliseconds=1))
        for name, order in self._own(stream).items():
            if order.since_ms < oldest:
                self.world.settler.settle(name)  # asks for the cancellation
                self.world.settler.settle(name)  # sees it

    # touches

    def _touch(self, stream: Stream, index: int) -> None:
        stream.touched = index
        history = stream.fine.history
        volume = history.volume.item(index)
        opened_ms = int(history.opened_ms[index])
        low, high = history.low.item(index), history.high.item(index)
        filled = self._fill_waiting(stream, low=low, high=high, ms=opened_ms + history.length_ms - 1, volume=volume)
        for slot in self._slots(stream):
            if slot.state is SlotState.OPEN:
                self._exits(stream, slot, index=index)
        if filled:
            # Each fill places the next order at once, on the candles that were closed by then.
            self._evaluate(stream, closed_ms=opened_ms)

    def _fill_waiting(self, stream: Stream, *, low: float, high: float, ms: int, volume: float) -> bool:
        if not self.venue.resting.get(stream.symbol):
            return False
        touched = [
            (order.request.side is Side.SELL, name, order)
            for name, order in self._own(stream).items()
            if _is_reached(order, low=low, high=high)
        ]
        for _, name, order in sorted(touched, key=lambda item: (item[0], -(item[2].request.limit_price or 0))):
            self._at(stream, ms=ms, price=order.request.limit_price or ZERO, volume=volume)
            self.venue.fill_resting(order)
            self.world.settler.settle(name)
        return bool(touched)

    def _exits(self, stream: Stream, slot: Slot, *, index: int) -> None:
        """Hold a position against the prices of one candle, in the careful order."""
        history = stream.fine.history
        opened_ms, third = int(history.opened_ms[index]), history.length_ms // 3
        volume = history.volume.item(index)
        before = exact_price(history.open.item(index))
        steps = (
            (opened_ms, before),
            (opened_ms + third, exact_price(history.low.item(index))),
            (opened_ms + 2 * third, exact_price(history.high.item(index))),
            (opened_ms + history.length_ms - 1, exact_price(history.close.item(index))),
        )
        for ms, price in steps:
            found = self.world.store.get(Slot, slot.market_key, slot.owner_key)
            if found is None or found.state is not SlotState.OPEN:
                return
            now = from_milliseconds(ms)
            reached = _price_of_exit(found, before=before, price=price, now=now)
            if reached is not None or found.exit_rules is not None:
                self._at(stream, ms=ms, price=price if reached is None else reached, volume=volume)
                bid = self.venue.prices[stream.symbol]
                quote = Quote(symbol=stream.symbol, bid=bid, ask=bid, at=now)
                self.world.exits._watch_slot(found, tick=now, quote=quote)
            before = price

    def _at(self, stream: Stream, *, ms: int, price: Decimal, volume: float) -> None:
        """Set clock and market to a moment."""
        venue = self.venue
        venue.now_ms = ms
        venue.clock.current = from_milliseconds(ms)
        venue.prices[stream.symbol] = price
        if venue.costs.volume_share is not None:
            rules = self.spec.rules.get(stream.symbol)
            step = rules.quantity_step if rules is not None else _FINEST
            venue.depths[stream.symbol] = venue.costs.depth(volume=Decimal(repr(volume)), step=step)


def _position(slot: Slot) -> Position:
    return Position(
        quantity=slot.quantity,
        cost=slot.cost,
        opened_at=slot.opened_at,
        tranches=slot.tranches,
        last_price=slot.last_price,
        last_at=slot.last_at,
    )


def exact_price(price: float) -> Decimal:
    """The recorded number as written, to at most eight decimals."""
    return round(Decimal(repr(price)), 8)


def _is_reached(order: Resting, *, low: float, high: float) -> bool:
    limit = float(order.request.limit_price or 0)
    return low <= limit if order.request.side is Side.BUY else high >= limit


def _price_of_exit(slot: Slot, *, before: Decimal, price: Decimal, now: datetime) -> Decimal | None:
    """The price at which an exit becomes due on the way from `before` to `price`; None when none does."""
    due = exit_due(slot, bid=price, now=now)
    if due.reason in NOTHING_DUE:
        return None
    if before == price or exit_due(slot, bid=before, now=now).reason not in NOTHING_DUE:
        return before
    if due.stop is not None and price <= due.stop < before:
        return due.stop.quantize(_FINEST, rounding=ROUND_FLOOR)
    if due.reason is Reason.TAKE_PROFIT and slot.take_profit is not None:
        return slot.take_profit.quantize(_FINEST, rounding=ROUND_CEILING)
    quiet, firing = before, price
    while abs(firing - quiet) > max(_FINEST, firing * _PRECISION):
        middle = ((quiet + firing) / 2).quantize(_FINEST, rounding=ROUND_CEILING if firing > quiet else ROUND_FLOOR)
        if middle in (quiet, firing):
            break
        if exit_due(slot, bid=middle, now=now).reason in NOTHING_DUE:
            quiet = middle
        else:
            firing = middle
    return firing
