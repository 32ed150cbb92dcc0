"""The venue of a backtest: one price per symbol at a moment, orders filled at it, limit orders that wait for theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from surefill.domain.candles import Quote
from surefill.domain.kinds import OrderKind, Side
from surefill.domain.money import ZERO
from surefill.domain.orders import Accepted, OrderRequest, VenueOrder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from local.backtest.clock import SetClock
    from local.backtest.costs import Costs
    from surefill.domain.orders import Balance
    from surefill.domain.records import MarketRules
    from surefill.domain.rows import Account, Fill
    from surefill.ports import MarketData, Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """A limit order that waits for its price since `since_ms` (ms since 1970)."""

    request: OrderRequest
    since_ms: int


@dataclass(slots=True, kw_only=True)
class BacktestVenue:
    """Implements `ports.Venues`, and of `ports.MarketData` and `ports.Venue` what trading needs.

    `prices` are what the engine says they are at this moment, `depth` how much one order may fill (base).
    """

    clock: SetClock
    costs: Costs
    now_ms: int = 0
    prices: dict[str, Decimal] = field(default_factory=dict)
    depths: dict[str, Decimal | None] = field(default_factory=dict)
    resting: dict[str, dict[str, Resting]] = field(default_factory=dict)
    _orders: dict[str, VenueOrder] = field(default_factory=dict)
    _count: int = 0

    def market_data(self, venue: str) -> MarketData:
        """Itself: there is one venue."""
        return self

    def of_account(self, account: Account) -> Venue:
        """Itself: all accounts trade here."""
        return self

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Bid and ask are the price; what a spread would cost is part of the slippage."""
        found = ((symbol, self.prices.get(symbol)) for symbol in symbols)
        return {
            symbol: Quote(symbol=symbol, bid=price, ask=price, at=self.clock.current)
            for symbol, price in found
            if price is not None
        }

    def post(self, request: OrderRequest) -> Accepted:
        """Fill what can be filled now; a LIMIT order waits for the rest, any other kind lets it go."""
        price = self.prices[request.symbol]
        if request.kind is OrderKind.LIMIT and not _reaches(request, price):
            waiting = self.resting.setdefault(request.symbol, {})
            waiting[request.client_order_id] = Resting(request=request, since_ms=self.now_ms)
            return Accepted(order=self._order(request, fills=(), finished=False))
        price = self.costs.worse(price, side=request.side)
        limit = request.limit_price
        if limit is not None:
            price = min(price, limit) if request.side is Side.BUY else max(price, limit)
        quantity = self._possible(request)
        fills = (self._fill(request, quantity=quantity, price=price),) if quantity > ZERO else ()
        return Accepted(order=self._order(request, fills=fills, finished=True))

    def fill_resting(self, order: Resting) -> None:
        """Fill a waiting order at its own price, all of it."""
        request = order.request
        if request.limit_price is None:
            raise AssertionError(f"a resting order must have a limit price, had none: {request}")
        fill = self._fill(request, quantity=request.quantity, price=request.limit_price)
        del self.resting[request.symbol][request.client_order_id]
        self._orders[request.client_order_id] = self._order(request, fills=(fill,), finished=True)

    def find(self, *, symbol: str, client_order_id: str) -> VenueOrder | None:
        """A waiting order, or one that waited and is finished."""
        waiting = self.resting.get(symbol, {}).get(client_order_id)
        if waiting is not None:
            return self._order(waiting.request, fills=(), finished=False)
        return self._orders.get(client_order_id)

    def find_trace(self, *, symbol: str, client_order_id: str, since: datetime) -> VenueOrder | None:
        """Nothing is ever lost here, so a search finds what a look-up does."""
        return self.find(symbol=symbol, client_order_id=client_order_id)

    def cancel(self, *, symbol: str, client_order_id: str) -> None:
        """Take a waiting order out; what it filled (nothing) stays."""
        waiting = self.resting.get(symbol, {}).pop(client_order_id, None)
        if waiting is not None:
            self._orders[client_order_id] = self._order(waiting.request, fills=(), finished=True)

    def balances(self) -> Mapping[str, Balance]:
        """Not kept: a backtest checks the tables against their own fills."""
        raise NotImplementedError("a backtest venue keeps no balances")

    def candle_rows(self, *, symbol: str, timeframe: str, until: datetime, limit: int) -> Sequence[Sequence[float]]:
        """Not served: strategies read the recorded candles themselves."""
        raise NotImplementedError("a backtest venue serves no candles")

    def market_rules(self, symbols: Sequence[str] | None, *, now: datetime) -> Sequence[MarketRules]:
        """Not served: the rules are in the store."""
        raise NotImplementedError("a backtest venue serves no rules")

    def server_time(self) -> datetime:
        """The clock's."""
        return self.clock.current

    def _possible(self, request: OrderRequest) -> Decimal:
        depth = self.depths.get(request.symbol)
        return request.quantity if depth is None else min(request.quantity, depth)

    def _fill(self, request: OrderRequest, *, quantity: Decimal, price: Decimal) -> Fill:
        self._count += 1
        base, _, quote = request.symbol.partition("/")
        return self.costs.fill(
            trade_id=str(self._count), side=request.side, base=base, quote=quote, quantity=quantity, price=price
        )

    def _order(self, request: OrderRequest, *, fills: tuple[Fill, ...], finished: bool) -> VenueOrder:
        return VenueOrder(
            client_order_id=request.client_order_id,
            venue_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            finished=finished,
            filled_quantity=fills[0].quantity if fills else ZERO,
            fills=fills,
        )


def _reaches(request: OrderRequest, price: Decimal) -> bool:
    limit = request.limit_price
    if limit is None:
        return True
    return price <= limit if request.side is Side.BUY else price >= limit
