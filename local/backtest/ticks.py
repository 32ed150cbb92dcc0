"""The ticks model: minute by minute through the simulated exchange, with real ccxt, as `surefill replay` drives it.

What fills is what the exchange's order book gives at the minute; exits are looked at once a minute. Slow and exact:
the evaluate, watch-exits and order code runs whole, on the windows of candles it would have been given.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from local.backtest.setting_up import permissive_rules, set_up
from local.backtest.spec import VENUE
from local.backtest.world import World, make_world
from local.errors import LocalError
from local.exchange.clock import ExchangeClock
from local.exchange.fees import FeeRates
from local.exchange.market.recording import CandleFileError, read_recording
from local.exchange.settings import LOCAL_KEY, AccountSettings, MarketSettings, build_exchange
from local.exchange.transport import ExchangeAdapter
from surefill.adapters.credentials import Credentials
from surefill.adapters.memory import MemoryStore
from surefill.adapters.venues import RealVenues
from surefill.domain.kinds import Mode
from surefill.domain.times import from_milliseconds, timeframe_seconds
from surefill.settings import VenueHosts
from surefill.usecases.batches import decode
from surefill.usecases.dispatch import batches, dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from local.backtest.spec import BacktestSpec, BudgetPlan
    from local.exchange.core import Exchange
    from surefill.domain.records import MarketRules
    from surefill.domain.rows import Bot
    from surefill.strategies.base import Strategy
    from surefill.usecases.batches import Batch

_MINUTE_MS = 60_000


@dataclass(slots=True)
class ExchangeTime:
    """The exchange's clock as a port."""

    clock: ExchangeClock

    def now(self) -> datetime:
        """The exchange's time."""
        return from_milliseconds(self.clock.now_ms())


class _LocalKey:
    """Implements `credentials.Secrets`: the key of the simulated exchange."""

    def credentials(self, secret_name: str) -> Credentials:
        return Credentials(api_key=LOCAL_KEY.key, secret=LOCAL_KEY.secret)


@dataclass(slots=True)
class _Queue:
    """Implements `ports.Queue`: messages by their delay in seconds."""

    messages: dict[int, list[str]] = field(default_factory=dict)

    def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        self.messages.setdefault(delay_seconds, []).extend(bodies)

    def depth(self) -> int:
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TickRun:
    """A run: its tables and what was decided."""

    world: World
    bots: Sequence[Bot]
    counts: Counter[str]


def run_ticks(
    spec: BacktestSpec,
    plan: BudgetPlan,
    *,
    strategies: Mapping[str, type[Strategy]],
    count: int | None = None,
) -> TickRun:
    """Run the bots of one budget for `count` minutes (None: to the end). Raises LocalError for unusable candles."""
    bots = [bot for bot in spec.bots if bot.budget == plan.name]
    symbols = tuple(dict.fromkeys(symbol for bot in bots for symbol in bot.symbols))
    recordings = {}
    for symbol in symbols:
        try:
            recordings[symbol] = read_recording(spec.files[symbol], allow_gaps=True)
        except CandleFileError as error:
            raise LocalError(str(error)) from None
    start_ms = max(-(-item.first_open_ms // _MINUTE_MS) * _MINUTE_MS for item in recordings.values())
    end_ms = min(item.end_ms for item in recordings.values())
    warm_ms = _warm_up_ms(spec, plan, strategies=strategies)
    first_ms = max(start_ms + warm_ms + _MINUTE_MS, spec.since_ms or 0)
    last_ms = min(end_ms, spec.until_ms or end_ms) - _MINUTE_MS
    possible = (last_ms - first_ms) // _MINUTE_MS + 1
    if possible < 1:
        raise LocalError(
            f"the candles must last longer than the warm-up of {warm_ms // _MINUTE_MS} minutes, last"
            f" {max(0, end_ms - start_ms) // _MINUTE_MS}"
        )
    exchange = build_exchange(
        markets=[MarketSettings(symbol, source=source) for symbol, source in recordings.items()],
        accounts=[AccountSettings(balances={spec.currency: plan.amount})],
        clock=ExchangeClock.manual(first_ms - _MINUTE_MS),
        fees=FeeRates(maker=spec.costs.fee, taker=spec.costs.fee),
    )
    run = _prepare(spec, plan, exchange=exchange, symbols=symbols, strategies=strategies)
    _drive(run, exchange=exchange, first_ms=first_ms, count=min(possible, count or possible))
    return run


def _warm_up_ms(spec: BacktestSpec, plan: BudgetPlan, *, strategies: Mapping[str, type[Strategy]]) -> int:
    longest = 0
    for bot in spec.bots:
        if bot.budget != plan.name:
            continue
        try:
            strategy = strategies[bot.body["strategy"]](bot.body["params"])
        except (KeyError, ValueError):
            continue  # making the bot says what is wrong with it
        for symbol in bot.symbols:
            needs = strategy.needs(bot.symbols, symbol)
            own = str(bot.body["timeframe"])
            lanes = [(own, needs.candles), *((other.timeframe or own, other.candles) for other in needs.others)]
            longest = max(longest, *(timeframe_seconds(length) * candles * 1_000 for length, candles in lanes))
    return longest


def _prepare(
    spec: BacktestSpec,
    plan: BudgetPlan,
    *,
    exchange: Exchange,
    symbols: Sequence[str],
    strategies: Mapping[str, type[Strategy]],
) -> TickRun:
    clock = ExchangeTime(exchange.state.clock)
    venues = RealVenues(
        hosts={VENUE: VenueHosts(endpoint=None, hosts=("api.binance.com",))},
        secrets=_LocalKey(),
        secret_prefix="",
        store=MemoryStore(),
        clock=clock,
        transport=lambda _venue: ExchangeAdapter(exchange),
    )
    world = make_world(clock=clock, venues=venues, strategies=strategies)
    found = venues.market_data(VENUE).market_rules(list(symbols), now=clock.now())
    rules: dict[str, MarketRules] = {row.symbol: replace(row, taker_fee=spec.costs.fee) for row in found}
    files = {symbol: spec.files[symbol] for symbol in symbols}
    missing = {symbol: permissive_rules(symbol, fee=spec.costs.fee) for symbol in symbols if symbol not in rules}
    own = replace(spec, files=files, rules={**missing, **rules})
    bots = set_up(world.store, own, budgets=[plan], clock=clock, mode=Mode.LIVE)
    return TickRun(world=world, bots=bots, counts=Counter())


def _drive(run: TickRun, *, exchange: Exchange, first_ms: int, count: int) -> None:
    clock = exchange.state.clock
    # A started bot is evaluated at once: in the minute before the first tick.
    before = from_milliseconds(first_ms - _MINUTE_MS)
    for batch in batches(run.bots, tick=before):
        _evaluate(run, batch)
    for number in range(count):
        tick_ms = first_ms + number * _MINUTE_MS
        clock.set(tick_ms)
        tick = from_milliseconds(tick_ms)
        queue = _Queue()
        dispatch(tick=tick, store=run.world.store, queue=queue, clock=run.world.clock, observer=run.world.observer)
        for body in sorted(queue.messages.pop(0, [])):
            _evaluate(run, decode(body))
        run.world.exits.watch(tick=tick)
        for intent_id in run.world.store.unfinished_intents(due_until=None):
            run.world.settler.settle(intent_id)
        for delay, bodies in sorted(queue.messages.items()):
            clock.set(tick_ms + delay * 1_000)
            for body in sorted(bodies):
                _evaluate(run, decode(body))


def _evaluate(run: TickRun, batch: Batch) -> None:
    for decision in run.world.evaluator.evaluate(batch):
        run.counts[decision.reason] += 1
