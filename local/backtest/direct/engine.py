"""From event to event, as `local.backtest.engine` does, on slots and a budget that are changed in place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
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
from surefill.domain.kinds import Side
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.times import from_milliseconds
from surefill.strategies.base import Action, Signal
from surefill.strategies.market import MarketView
from surefill.usecases.facts import MarketFacts, facts_needs, market_facts
from surefill.usecases.signals import Wish, gate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.backtest.direct.budget import DirectBudget
    from local.backtest.market import Market
    from local.backtest.spec import BacktestSpec
    from surefill.domain.rows import Bot
    from surefill.strategies.base import Needs, Strategy

_TOUCH, _DECISION = 0, 1
Event = tuple[int, int, int, int]


# What a strategy says when that is known without asking it (`Strategy.sides`).
_HOLD, _BUY, _SELL = (Signal(action=action) for action in (Action.HOLD, Action.BUY, Action.SELL))


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
    shift: int = field(init=False)

    def __post_init__(self) -> None:
        # A decision is done in the candle after (at its open), or at the close of its own: touches before come first.
        self.shift = 0 if self.spec.fill is FillModel.NEXT_OPEN else 1

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
            waits=bool(bot.confirmation_seconds or bot.cooldown_seconds),
            asks_facts=bool(facts_needs(bot)),
            entering=Entering.of(bot, symbol=symbol, rules=rules, budget=self.budget),
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
            signal=_HOLD,
        )

    # what comes next

    def _next(self, stream: DirectStream) -> Event | None:
        places, end, shift = stream.times.places, len(stream.fine.closed_ms), self.shift
        while True:
            held, known = stream.held, stream.knows_sides
            index = stream.next_index(held=held, known=known)
            until = end if index is None else places.item(index) + shift
            if held:
                first = stream.touched + 1
                firing = next_firing(stream.slot, stream.fine.history, first=first, until=until)
                if firing is not None:
                    if known:
                        stream.skip(before=stream.index_at(firing.index, shift=shift), held=held, counts=self.counts)
                    stream.firing = firing
                    # A touch is somewhere inside its candle: just before its close.
                    return stream.fine.closed_ms.item(firing.index) - 1, _TOUCH, stream.number, firing.index
            if known:
                stream.skip(before=index, held=held, counts=self.counts)
            if index is None:
                return None
            asked = (_SELL if held else _BUY) if known else self._ask(stream, index)
            if isinstance(asked, Signal):
                stream.signal = asked
                return stream.times.done_ms.item(index), _DECISION, stream.number, index
            self.counts[asked] += 1
            stream.decided, stream.touched = index, max(stream.touched, until - 1)

    def _ask(self, stream: DirectStream, index: int) -> Signal | Reason:
        """What the strategy says at a candle; a reason when nothing at all comes of it."""
        bot, slot = stream.bot, stream.slot
        market = self._view(stream, stream.needs, index=index)
        if isinstance(market, Refusal):
            return market.reason
        try:
            signal = stream.strategy.decide(market, slot.shown())
        except Exception as error:
            raise BeyondDirectError(f"strategy {bot.strategy} of bot {bot.bot_id!r} failed ({error})") from error
        _require_plain(signal, bot=bot, held=stream.held)
        idle = _idle(signal.action, held=stream.held) if slot.signal_side is None else None
        return signal if idle is None else idle

    def _view(self, stream: DirectStream, needs: Needs, *, index: int) -> MarketView | Refusal:
        if not needs.others:
            return MarketView(stream.lane.series, symbol=stream.symbol, index=index)
        return self._past(stream, index=index).view(needs)

    def _past(self, stream: DirectStream, *, index: int) -> PastData:
        now_ms = stream.lane.closed_ms.item(index)
        return PastData(market=self.market, symbol=stream.symbol, timeframe=stream.bot.timeframe, now_ms=now_ms)

    # what happens

    def _touch(self, stream: DirectStream) -> None:
        firing = stream.firing
        if firing is None:
            raise AssertionError(f"stream {stream.number} must have an exit to carry out, had none")
        stream.firing, stream.touched = None, firing.index
        stream.trading.exit(price=firing.bid, reason=firing.reason, now_ms=firing.at_ms)

    def _decide(self, stream: DirectStream, index: int, *, at_ms: int) -> None:
        place, history = stream.times.places.item(index), stream.fine.history
        stream.decided = index
        stream.touched = max(stream.touched, place + self.shift - 1)
        prices = history.open if self.spec.fill is FillModel.NEXT_OPEN else history.close
        self.counts[self._act(stream, index=index, price=exact_price(prices.item(place)), at_ms=at_ms)] += 1

    def _act(self, stream: DirectStream, *, index: int, price: Decimal, at_ms: int) -> Reason:
        """Gates, size, limits and order of a signal; what was decided. Since when the signal stands is remembered."""
        slot, signal = stream.slot, stream.signal
        idle = _idle(signal.action, held=stream.held)
        stream.pending = idle is None
        if idle is not None:
            slot.clear_signal()
            return idle
        tick, side = from_milliseconds(at_ms), Side.BUY if signal.action is Action.BUY else Side.SELL
        slot.remember(side, tick=tick)
        if stream.waits:
            confirms = stream.strategy.confirms
            shut = gate(stream.bot, slot=slot.row, wish=Wish(side=side), tick=tick, confirms=confirms)
            if shut is not None:
                return shut.reason
        if side is Side.SELL:
            stream.trading.sell(price=price, reason=Reason.STRATEGY_EXIT, now=tick, now_ms=at_ms)
            stream.pending = False
            return Reason.SELL
        facts = self._facts(stream, index=index)
        trades = self.record.closed_trades(stream.bot)
        planned = stream.entering.plan(signal, facts=facts, price=price, trades=trades, tick=tick, now_ms=at_ms)
        if not isinstance(planned, Planned):
            return planned
        stream.trading.buy(planned, price=price, tick=tick, now_ms=at_ms)
        stream.pending = False
        return Reason.BUY

    def _facts(self, stream: DirectStream, *, index: int) -> MarketFacts:
        if not stream.asks_facts:
            return MarketFacts(last_close=Decimal(str(stream.lane.history.close.item(index))))
        market = MarketView(stream.lane.series, symbol=stream.symbol, index=index)
        return market_facts(stream.bot, data=self._past(stream, index=index), market=market)


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
