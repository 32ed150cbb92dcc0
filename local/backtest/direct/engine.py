"""From event to event, as `local.backtest.engine` does, on slots and a budget that are changed in place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from local.backtest.direct.ability import BeyondDirectError
from local.backtest.direct.entering import Entering, Planned
from local.backtest.direct.slot import DirectSlot
from local.backtest.direct.stream import DirectStream, Timetable
from local.backtest.direct.trading import Record, Trading
from local.backtest.direct.watching import next_firing
from local.backtest.market import PastData
from local.backtest.setting_up import require_candles, rules_of
from local.backtest.spec import FillModel
from local.backtest.tape import exact_price
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.rows import Side
from surefill.domain.states import SlotState
from surefill.domain.times import from_milliseconds
from surefill.strategies.base import Action, Signal
from surefill.strategies.market import MarketView
from surefill.usecases.signals import gate, wish_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from local.backtest.direct.budget import DirectBudget
    from local.backtest.market import Market
    from local.backtest.spec import BacktestSpec
    from surefill.domain.rows import Bot
    from surefill.strategies.base import Strategy

_TOUCH, _DECISION = 0, 1
Event = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    signal: Signal
    market: MarketView
    data: PastData


@dataclass(slots=True, kw_only=True)
class DirectEngine:
    """Runs the bots of one budget to the end of their candles. `counts` are decisions by reason."""

    spec: BacktestSpec
    market: Market
    budget: DirectBudget
    strategies: Mapping[str, type[Strategy]]
    record: Record = field(default_factory=Record)
    counts: Counter[str] = field(default_factory=Counter)
    streams: list[DirectStream] = field(default_factory=list)
    _asked: dict[int, _Asked] = field(default_factory=dict)

    def run(self, bots: Sequence[Bot]) -> None:
        """From the first candle to the last. Raises BeyondDirectError when a bot wants what can't be done here,
        LocalError when one has nothing to decide on, MoneyError when the money does not add up."""
        pairs = [(bot, symbol) for bot in bots for symbol in bot.symbols]
        self.streams = [self._stream(number, bot, symbol) for number, (bot, symbol) in enumerate(pairs)]
        queue = [event for stream in self.streams if (event := self._next(stream)) is not None]
        heapify(queue)
        while queue:
            at_ms, kind, number, index = heappop(queue)
            stream = self.streams[number]
            if kind == _TOUCH:
                self._touch(stream)
            else:
                self._decide(stream, index, at_ms=at_ms)
            following = self._next(stream)
            if following is not None:
                heappush(queue, following)

    @property
    def _shift(self) -> int:
        """A decision is done in the candle after (at its open), or at the close of its own: touches before that come
        first."""
        return 0 if self.spec.fill is FillModel.NEXT_OPEN else 1

    def _stream(self, number: int, bot: Bot, symbol: str) -> DirectStream:
        strategy = self.strategies[bot.strategy](bot.params)
        needs = strategy.needs(bot.symbols, symbol)
        if needs.equity:
            raise BeyondDirectError(f"bot {bot.bot_id!r} looks at its equity (strategy {bot.strategy})")
        lane, fine = self.market.lane(symbol, bot.timeframe), self.market.finest(symbol)
        next_open = self.spec.fill is FillModel.NEXT_OPEN
        times = Timetable.of(bot, strategy=strategy, needs=needs, lane=lane, fine=fine, next_open=next_open)
        require_candles(bot, symbol=symbol, needed=needs.candles, due=len(times.due), there=len(lane.closed_ms))
        rules, slot = rules_of(self.spec, symbol), DirectSlot()
        return DirectStream(
            number=number,
            bot=bot,
            strategy=strategy,
            needs=needs,
            symbol=symbol,
            lane=lane,
            fine=fine,
            times=times,
            entering=Entering(bot=bot, symbol=symbol, rules=rules, budget=self.budget),
            trading=Trading.of(
                bot,
                symbol=symbol,
                rules=rules,
                costs=self.spec.costs,
                budget=self.budget,
                slot=slot,
                record=self.record,
            ),
            slot=slot,
        )

    # what comes next

    def _next(self, stream: DirectStream) -> Event | None:
        times, end, shift = stream.times, len(stream.fine.closed_ms), self._shift
        while True:
            index = stream.next_index()
            until = end if index is None else times.places[index] + shift
            if stream.held:
                first = stream.touched + 1
                firing = next_firing(stream.slot, stream.fine.history, first=first, until=until)
                if firing is not None:
                    stream.skip(before=stream.index_at(firing.index, shift=shift), counts=self.counts)
                    stream.firing = firing
                    # A touch is somewhere inside its candle: just before its close.
                    return stream.fine.closed_ms.item(firing.index) - 1, _TOUCH, stream.number, firing.index
            stream.skip(before=index, counts=self.counts)
            if index is None:
                return None
            asked = self._ask(stream, index)
            if isinstance(asked, _Asked):
                self._asked[stream.number] = asked
                return times.done_ms[index], _DECISION, stream.number, index
            self.counts[asked] += 1
            stream.decided, stream.touched = index, max(stream.touched, until - 1)

    def _ask(self, stream: DirectStream, index: int) -> _Asked | Reason:
        """What the strategy says at a candle; a reason when nothing at all comes of it."""
        bot, slot = stream.bot, stream.slot
        data = PastData(
            market=self.market,
            symbol=stream.symbol,
            timeframe=bot.timeframe,
            now_ms=stream.lane.closed_ms.item(index),
        )
        market: MarketView | Refusal
        if stream.needs.others:
            market = data.view(stream.needs)
            if isinstance(market, Refusal):
                return market.reason
        else:
            market = MarketView(stream.lane.series, symbol=stream.symbol, index=index)
        try:
            signal = stream.strategy.decide(market, slot.position)
        except Exception as error:
            raise BeyondDirectError(f"strategy {bot.strategy} of bot {bot.bot_id!r} failed ({error})") from error
        _require_plain(signal, bot=bot, held=stream.held)
        if slot.signal_side is None:
            idle = _idle(signal.action, held=stream.held)
            if idle is not None:
                return idle
        return _Asked(signal=signal, market=market, data=data)

    # what happens

    def _touch(self, stream: DirectStream) -> None:
        firing = stream.firing
        if firing is None:
            raise AssertionError(f"stream {stream.number} must have an exit to carry out, had none")
        stream.firing, stream.touched = None, firing.index
        stream.trading.exit(price=firing.bid, reason=firing.reason, now_ms=firing.at_ms)

    def _decide(self, stream: DirectStream, index: int, *, at_ms: int) -> None:
        place, history = stream.times.places[index], stream.fine.history
        stream.decided = index
        stream.touched = max(stream.touched, place + self._shift - 1)
        prices = history.open if self.spec.fill is FillModel.NEXT_OPEN else history.close
        reason = self._act(stream, self._asked.pop(stream.number), price=exact_price(prices.item(place)), at_ms=at_ms)
        self.counts[reason] += 1

    def _act(self, stream: DirectStream, asked: _Asked, *, price: Decimal, at_ms: int) -> Reason:
        """Gates, size, limits and order of a signal; what was decided. Since when the signal stands is remembered."""
        bot, slot, signal = stream.bot, stream.slot, asked.signal
        tick = from_milliseconds(at_ms)
        wish = wish_of(signal, slot=slot.row)
        wanted = SlotState.EMPTY if wish.side is Side.BUY else SlotState.OPEN
        slot.remember(wish, usable=wish.side is not None and slot.state is wanted, tick=tick)
        stream.pending = slot.signal_side is not None
        shut = gate(bot, slot=slot.row, wish=wish, tick=tick, confirms=stream.strategy.confirms)
        if shut is not None:
            return shut.reason
        if wish.side is Side.SELL:
            stream.trading.sell(price=price, reason=Reason.STRATEGY_EXIT, now=tick, now_ms=at_ms)
            stream.pending = False
            return Reason.SELL
        planned = stream.entering.plan(
            signal,
            market=asked.market,
            data=asked.data,
            price=price,
            trades=self.record.closed_trades(bot),
            tick=tick,
            now_ms=at_ms,
        )
        if not isinstance(planned, Planned):
            return planned
        stream.trading.buy(planned, price=price, tick=tick, now_ms=at_ms)
        stream.pending = False
        return Reason.BUY


def _require_plain(signal: object, *, bot: Bot, held: bool) -> None:
    """Raise BeyondDirectError for a signal that asks for more than one buy and one sale of all of it."""
    if not isinstance(signal, Signal):
        raise BeyondDirectError(f"strategy {bot.strategy} of bot {bot.bot_id!r} gives no signal")
    if signal.rungs:
        raise BeyondDirectError(f"bot {bot.bot_id!r} trades a grid (strategy {bot.strategy})")
    if held and signal.adds and signal.action is Action.BUY:
        raise BeyondDirectError(f"bot {bot.bot_id!r} adds to positions (strategy {bot.strategy})")
    if held and signal.share != 1 and signal.action is Action.SELL:
        raise BeyondDirectError(f"bot {bot.bot_id!r} sells in parts (strategy {bot.strategy})")


def _idle(action: Action, *, held: bool) -> Reason | None:
    if action is Action.HOLD:
        return Reason.HOLD
    if action is Action.SELL and not held:
        return Reason.NO_POSITION
    if action is Action.BUY and held:
        return Reason.ALREADY_IN_POSITION
    return None
