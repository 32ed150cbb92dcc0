"""What a backtest came to: trades read off the orders, money read off the budget, the value of it all over time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from surefill.domain.fills import order_result
from surefill.domain.kinds import Leg, Side
from surefill.domain.money import ZERO, add, subtract, total
from surefill.domain.rows import Intent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from local.backtest.history import Gaps
    from local.backtest.market import Lane, Market
    from local.backtest.spec import BudgetPlan, EngineKind
    from surefill.adapters.memory import MemoryStore
    from surefill.domain.reasons import Reason
    from surefill.domain.rows import Bot


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A closed position. `cost` and `proceeds` in quote with all fees, `quantity` in base, `fees` in quote.

    `entry_price` and `exit_price` are averages over the fills, without fees.
    """

    bot: str
    symbol: str
    opened_at: datetime
    closed_at: datetime
    quantity: Decimal
    entry_price: float
    exit_price: float
    cost: Decimal
    proceeds: Decimal
    fees: float
    tranches: int
    reason: Reason

    @property
    def profit(self) -> Decimal:
        """What it brought (positive) or lost, in quote, fees included."""
        return subtract(self.proceeds, self.cost)

    @property
    def profit_ratio(self) -> float:
        """Profit as a share of the cost."""
        return self.ratio_of(self.profit)

    def ratio_of(self, profit: Decimal) -> float:
        """A profit as a share of the cost."""
        return float(profit) / float(self.cost) if self.cost else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order that filled: when, what, at which average price (quote). `position` names what it belongs to."""

    at: datetime
    bot: str
    symbol: str
    leg: Leg
    side: Side
    quantity: Decimal
    cost: Decimal
    price: float
    reason: Reason
    base_change: Decimal
    quote_change: Decimal
    position: str = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetResult:
    """What one budget's bots did. `open_quantity` is what is still held by symbol (base), `engine` what ran it."""

    name: str
    engine: EngineKind
    bots: tuple[str, ...]
    symbols: tuple[str, ...]
    start: Decimal
    available: Decimal
    realised: Decimal
    trades: Sequence[Trade]
    orders: Sequence[Order]
    curve: Curve
    open_quantity: dict[str, Decimal]
    decisions: dict[str, int]
    candles: int
    gaps: dict[str, Gaps]
    closes: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Value of a budget over time: ms since 1970, and quote money (free, plus positions at the last closes)."""

    times_ms: Any
    values: Any
    held: Any = field(default_factory=lambda: np.zeros(0))


def filled_orders(store: MemoryStore) -> list[Order]:
    """Every order that filled, in the order of time."""
    found = [_order(intent) for intent in store.rows(Intent) if intent.filled_quantity]
    return sorted(found, key=lambda order: order.at)


def _order(intent: Intent) -> Order:
    base, _, quote = intent.symbol.partition("/")
    result = order_result(
        venue_order_id=intent.venue_order_id or "",
        side=intent.side,
        base=base,
        quote=quote,
        filled_quantity=intent.filled_quantity,
        fills=intent.fills,
    )
    if intent.finished_at is None:
        raise AssertionError(f"order {intent.intent_id} filled and must be finished, is {intent.state}")
    return Order(
        at=intent.finished_at,
        bot=intent.bot_id,
        symbol=intent.symbol,
        leg=intent.leg,
        side=intent.side,
        quantity=intent.filled_quantity,
        cost=intent.filled_cost,
        price=float(intent.filled_cost / intent.filled_quantity),
        reason=intent.reason,
        base_change=result.base_change,
        quote_change=result.quote_change,
        position=intent.entry_intent_id or intent.intent_id,
    )


def closed_positions(orders: Sequence[Order], *, still_open: Iterable[str]) -> list[Trade]:
    """The trades of positions that are gone, in the order they were closed."""
    parts: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        parts[order.position].append(order)
    for position in still_open:
        parts.pop(position, None)
    trades = [_trade(legs) for legs in parts.values() if any(order.side is Side.SELL for order in legs)]
    return sorted(trades, key=lambda trade: trade.closed_at)


def _trade(orders: Sequence[Order]) -> Trade:
    buys = [order for order in orders if order.side is Side.BUY]
    sales = [order for order in orders if order.side is Side.SELL]
    bought, paid = total(order.quantity for order in buys), total(order.cost for order in buys)
    sold, earned = total(order.quantity for order in sales), total(order.cost for order in sales)
    entry_price, exit_price = float(paid / bought), float(earned / sold)
    last = sales[-1]
    base_fees = total(subtract(order.quantity, order.base_change) for order in buys)
    cost, proceeds = -total(order.quote_change for order in buys), total(order.quote_change for order in sales)
    return Trade(
        bot=last.bot,
        symbol=last.symbol,
        opened_at=buys[0].at,
        closed_at=last.at,
        quantity=bought,
        entry_price=entry_price,
        exit_price=exit_price,
        cost=cost,
        proceeds=proceeds,
        fees=float(base_fees) * entry_price + float(cost - paid) + float(earned - proceeds),
        tranches=len(buys),
        reason=last.reason,
    )


def result_of(
    plan: BudgetPlan,
    *,
    engine: EngineKind,
    bots: Sequence[Bot],
    market: Market,
    available: Decimal,
    realised: Decimal,
    orders: Sequence[Order],
    trades: Sequence[Trade],
    held: Iterable[tuple[str, Decimal]],
    decisions: Mapping[str, int],
) -> BudgetResult:
    """The result of a run. `held` are symbols and quantities (base) of positions still open."""
    symbols = tuple(dict.fromkeys(symbol for bot in bots for symbol in bot.symbols))
    used = [market.finest(symbol).history for symbol in symbols]
    still_open: dict[str, Decimal] = {}
    for symbol, quantity in held:
        if quantity:
            still_open[symbol] = add(still_open.get(symbol, ZERO), quantity)
    return BudgetResult(
        name=plan.name,
        engine=engine,
        bots=tuple(bot.bot_id for bot in bots),
        symbols=symbols,
        start=plan.amount,
        available=available,
        realised=realised,
        trades=trades,
        orders=orders,
        curve=equity_curve(orders, market=market, symbols=symbols, start=plan.amount),
        open_quantity=still_open,
        decisions={reason: count for reason, count in decisions.items() if count},
        candles=sum(len(history) for history in used),
        gaps={history.symbol: history.gaps() for history in used},
        closes={history.symbol: (float(history.close[0]), float(history.close[-1])) for history in used},
    )


def equity_curve(orders: Sequence[Order], *, market: Market, symbols: Sequence[str], start: Decimal) -> Curve:
    """The value at every recorded close; a symbol that is not listed yet is not held and counts nothing."""
    lanes = {symbol: market.finest(symbol) for symbol in symbols}
    times = _all_times([lane.closed_ms for lane in lanes.values()])
    values = np.full(len(times), float(start))
    held = np.zeros(len(times))
    by_symbol: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        by_symbol[order.symbol].append(order)
    for symbol, lane in lanes.items():
        own = by_symbol[symbol]
        at = np.rint(np.array([order.at.timestamp() for order in own]) * 1_000).astype(np.int64)
        done = np.cumsum(np.bincount(np.searchsorted(times, at), minlength=len(times))[: len(times)])
        quote = np.concatenate([[0.0], np.cumsum([float(order.quote_change) for order in own])])
        base = np.concatenate([[0.0], np.cumsum([float(order.base_change) for order in own])])
        worth = base[done] * _closes_at(lane, times)
        values += quote[done] + worth
        held += worth
    return Curve(times_ms=times, values=values, held=held)


def _closes_at(lane: Lane, times: Any) -> Any:
    """The last close at each time; 0 before the first."""
    if len(times) == len(lane.closed_ms):
        return lane.history.close
    last = np.searchsorted(lane.closed_ms, times, side="right") - 1
    return np.where(last >= 0, lane.history.close[np.maximum(last, 0)], 0.0)


def _all_times(lanes: Sequence[Any]) -> Any:
    """Every time of these lanes (each rising), once, in order."""
    first, *others = lanes
    if all(len(other) == len(first) and (other == first).all() for other in others):
        return first
    times = np.sort(np.concatenate(lanes))
    return times[np.concatenate([[True], times[1:] != times[:-1]])]
