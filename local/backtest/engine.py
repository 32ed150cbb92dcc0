"""The engine: from event to event through recorded candles, every decision and every order by the product's own code.

Within a candle the order of prices is not known, so it is taken the careful way: first the open, then the low (stops),
then the high (profits), then the close. A stop that the open has jumped over fills at the open. Limit orders fill at
their own price, from the candle after the one they were placed in. What is decided at a candle's close comes after
everything that happened within it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from local.backtest.conservation import require_balances
from local.backtest.deciding import Asked
from local.backtest.setting_up import require_candles
from local.backtest.spec import FillModel
from local.backtest.stream import Stream, evaluations, limits_of
from local.backtest.tape import Tape, exact_price
from surefill.domain import identity
from surefill.domain.rows import Slot
from surefill.domain.states import SlotState
from surefill.usecases.ask import needs_of
from surefill.usecases.evaluate import Prepared
from surefill.usecases.timing import RESTING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.backtest.deciding import Deciding
    from local.backtest.market import Market
    from local.backtest.touches import Touches
    from local.backtest.venue import BacktestVenue, Resting
    from local.backtest.world import World
    from surefill.domain.rows import Bot

_TOUCH, _DECISION = 0, 1
# Events between two looks at the money.
_CHECKED_EVERY = 500
Event = tuple[int, int, int, int]


@dataclass(slots=True, kw_only=True)
class Engine:
    """Runs the streams of one group of bots to the end of their candles."""

    world: World
    venue: BacktestVenue
    market: Market
    fill: FillModel
    tape: Tape
    touches: Touches
    deciding: Deciding
    _streams: list[Stream] = field(default_factory=list)
    _asked: dict[int, Asked] = field(default_factory=dict)

    def run(self, bots: Sequence[Bot]) -> None:
        """From the first candle to the last. Raises LocalError when a bot has nothing to decide on, MoneyError when
        the money does not add up on the way."""
        pairs = [(bot, symbol) for bot in bots for symbol in bot.symbols]
        self._streams = [self._stream(number, bot, symbol) for number, (bot, symbol) in enumerate(pairs)]
        queue = [event for stream in self._streams if (event := self._next(stream)) is not None]
        heapify(queue)
        for done in count(1):
            if not queue:
                return
            if done % _CHECKED_EVERY == 0:
                require_balances(self.world.store)
            at_ms, kind, number, index = heappop(queue)
            stream = self._streams[number]
            if kind == _TOUCH:
                self._touch(stream, index)
            elif not stream.stopped:
                self._decide(stream, index, at_ms=at_ms)
                if stream.stopped:
                    self._stop(stream.bot)
            following = self._next(stream)
            if following is not None:
                heappush(queue, following)

    def _stop(self, bot: Bot) -> None:
        """A bot whose strategy failed is paused: it is asked no more, on any symbol. Its exits go on."""
        for stream in self._streams:
            if stream.bot.bot_id == bot.bot_id:
                stream.stopped = True

    def _stream(self, number: int, bot: Bot, symbol: str) -> Stream:
        strategy = self.world.evaluator.strategies[bot.strategy](bot.params)
        needs = needs_of(strategy, symbols=bot.symbols, symbol=symbol)
        lane, fine = self.market.lane(symbol, bot.timeframe), self.market.finest(symbol)
        next_open = self.fill is FillModel.NEXT_OPEN
        found = evaluations(bot, strategy=strategy, needs=needs, lane=lane, fine=fine, next_open=next_open)
        require_candles(bot, symbol=symbol, needed=needs.candles, due=len(found["due"]), there=len(lane.closed_ms))
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

    def _next(self, stream: Stream) -> Event | None:
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
            asked = self.deciding.ask(stream, index=index, slot=slots[0] if slots else None)
            if asked is None:
                return at_ms, _DECISION, stream.number, index
            if isinstance(asked, Asked):
                self._asked[stream.number] = asked
                return at_ms, _DECISION, stream.number, index
            self.deciding.counts[asked] += 1
            stream.decided, stream.touched = index, max(stream.touched, until - 1)

    def _touches_before(self, stream: Stream, index: int) -> int:
        """The first recorded candle whose touches come after what is decided at `index`."""
        return int(stream.places[index]) + (0 if self.fill is FillModel.NEXT_OPEN else 1)

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

    # what happens

    def _decide(self, stream: Stream, index: int, *, at_ms: int) -> None:
        place, history = int(stream.places[index]), stream.fine.history
        stream.decided = index
        stream.touched = max(stream.touched, self._touches_before(stream, index) - 1)
        prices = history.open if self.fill is FillModel.NEXT_OPEN else history.close
        self.tape.at(stream.symbol, ms=at_ms, price=exact_price(prices.item(place)), volume=history.volume.item(place))
        asked = self._asked.pop(stream.number, None)
        slots = self._slots(stream)
        if asked is not None:
            self.deciding.act(stream, asked, slot=slots[0] if slots else None)
            return
        if stream.rungs:
            self._expire(stream, at_ms=at_ms)
            slots = self._slots(stream)
        self.deciding.evaluate(stream, slots=slots, closed_ms=int(stream.lane.closed_ms[index]))

    def _touch(self, stream: Stream, index: int) -> None:
        stream.touched = index
        own = self._own(stream)
        filled = bool(own) and self.touches.fill_waiting(stream, own=own, index=index)
        for slot in self._slots(stream):
            if slot.state is SlotState.OPEN:
                self.touches.exits(stream, slot, index=index)
        if filled:
            # Each fill places the next order at once, on the candles that were closed by then.
            opened_ms = int(stream.fine.history.opened_ms[index])
            self.deciding.evaluate(stream, slots=self._slots(stream), closed_ms=opened_ms)

    def _expire(self, stream: Stream, *, at_ms: int) -> None:
        """Take waiting orders out that have waited as long as they may; the evaluation makes them anew."""
        oldest = at_ms - int(RESTING / timedelta(milliseconds=1))
        for name, order in self._own(stream).items():
            if order.since_ms < oldest:
                self.world.settler.settle(name)  # asks for the cancellation
                self.world.settler.settle(name)  # sees it
