"""The matching engine: places, fills, cancels and expires orders.

Takers walk the synthetic book at the price of the moment. Resting orders are makers: they fill at their own price in
the first second in which the market reaches it. That second is found from the candles, so the result is the same
however often the exchange is asked.
"""

from __future__ import annotations

from decimal import Decimal
from heapq import merge
from typing import TYPE_CHECKING

from local.exchange import errors
from local.exchange.book import Level, take
from local.exchange.fees import FeeRates, commission
from local.exchange.market.candles import SECOND_MS
from local.exchange.money import ZERO, eight_down, floor_to_step
from local.exchange.orders import CANCELED, EXPIRED, FILLED, PARTIALLY_FILLED, STOP_TYPES, NewOrder, Order, Trade
from local.exchange.planning import affordable_fills, needed_funds, plan_fills, reached, rest_to_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.exchange.accounts import Account, Ledger
    from local.exchange.markets import Market

    RestingShare = Callable[[Order, int], Decimal | None]


class MatchingEngine:
    """Orders and trades of all accounts. Times in milliseconds on the exchange's clock."""

    def __init__(self, *, ledger: Ledger, markets: dict[str, Market], fees: FeeRates) -> None:
        self._ledger = ledger
        self._markets = markets
        self.fees = fees
        self.orders: dict[int, Order] = {}
        self.trades: list[Trade] = []
        self._open: dict[str, dict[int, Order]] = {}
        self._by_account: dict[tuple[str, str], list[Order]] = {}
        self._by_client_id: dict[tuple[str, str, str], list[Order]] = {}

    def open_orders(self, account: str, symbol: str | None) -> list[Order]:
        """Open orders of an account, oldest first; on all symbols when `symbol` is None."""
        symbols = sorted(self._open) if symbol is None else [symbol]
        found = [o for name in symbols for o in self._open.get(name, {}).values() if o.account == account]
        return sorted(found, key=lambda order: order.order_id)

    def orders_of(self, account: str, symbol: str) -> list[Order]:
        """Every order of an account on a symbol, oldest first."""
        return self._by_account.get((account, symbol), [])

    def by_client_id(self, account: str, symbol: str, client_order_id: str) -> list[Order]:
        """Orders with that client id, oldest first."""
        return self._by_client_id.get((account, symbol, client_order_id), [])

    def place(
        self, account: Account, request: NewOrder, *, now_ms: int, visible_from_ms: int = 0, only: Decimal | None = None
    ) -> Order:
        """Accept a checked order and fill what can be filled at once.

        `only`: fill just that share and expire the rest, whatever the book holds. Raises BinanceError -2010.
        """
        market = self._markets[request.symbol]
        self._refuse_duplicate(account, request)
        fills, quantity = plan_fills(market, request, now_ms=now_ms, only=only)
        if request.type == "LIMIT_MAKER" and fills and only is None:
            raise errors.order_rejected("Order would immediately match and take.")
        asset, amount = needed_funds(market, request, fills, quantity)
        if account.balance(asset).free < amount:
            raise errors.insufficient_balance()
        order = Order(
            order_id=len(self.orders) + 1,
            account=account.name,
            request=request,
            quantity=quantity,
            created_ms=now_ms,
            updated_ms=now_ms,
            lock_asset=asset,
            visible_from_ms=visible_from_ms,
        )
        self._add(account, order, amount)
        if request.type not in STOP_TYPES:
            order.working_ms = now_ms
            self._execute(account, market, order, fills, now_ms=now_ms)
            if only is not None and order.is_open:
                self._close(account, order, EXPIRED, now_ms=now_ms)
        return order

    def cancel(self, order: Order, *, now_ms: int) -> None:
        """Cancel an open order. Raises BinanceError -2011 on a finished one."""
        if not order.is_open:
            raise errors.cancel_rejected()
        self._close(self._ledger.accounts[order.account], order, CANCELED, now_ms=now_ms)

    def fill_resting(self, order: Order, *, share: Decimal, now_ms: int) -> None:
        """Fill an open limit order at its own price up to `share` of its quantity."""
        market = self._markets[order.request.symbol]
        price = order.request.price
        target = floor_to_step(order.quantity * share, market.rules.step_size)
        if price is not None and target > order.executed:
            account = self._ledger.accounts[order.account]
            self._fill(account, market, order, Level(price, target - order.executed), now_ms=now_ms, maker=True)
            self._settle_status(account, order, now_ms=now_ms)

    def sweep(self, *, now_ms: int, share_of: RestingShare) -> None:
        """Fill and trigger resting orders for the time since the last sweep, in the order of time.

        `share_of` tells up to which share of its quantity an order may fill at a moment, or None for all of it.
        """
        until = now_ms - now_ms % SECOND_MS
        touched = [self._touched_seconds(self._markets[symbol], until) for symbol in self._open if self._open[symbol]]
        for second, symbol in merge(*touched):
            self._match_at(self._markets[symbol], now_ms=second, share_of=share_of)
        for market in self._markets.values():
            market.swept_ms = until

    def match_now(self, symbol: str, *, now_ms: int, share_of: RestingShare) -> None:
        """Fill resting orders at the current price, after it was set by hand."""
        if self._open.get(symbol):
            self._match_at(self._markets[symbol], now_ms=now_ms, share_of=share_of)

    def _touched_seconds(self, market: Market, until: int) -> Iterator[tuple[int, str]]:
        """Seconds since the last sweep in which some open order of the market may fill or trigger."""
        if until <= market.swept_ms:
            return
        for span in market.feed.spans(after_ms=market.swept_ms, until_ms=until):
            opened = self._open[market.symbol].values()
            if not opened:
                return
            if any(reached(order, span.low) or reached(order, span.high) for order in opened):
                for number in range(span.seconds):
                    yield span.start_ms + number * SECOND_MS, market.symbol

    def _match_at(self, market: Market, *, now_ms: int, share_of: RestingShare) -> None:
        price = market.feed.price(now_ms)
        if price is None or not market.is_trading(now_ms):
            return
        for order in [o for o in self._open[market.symbol].values() if reached(o, price)]:
            if order.waits_for_stop:
                self._trigger(market, order, now_ms=now_ms)
            else:
                share = share_of(order, now_ms)
                self.fill_resting(order, share=Decimal(1) if share is None else share, now_ms=now_ms)

    def _trigger(self, market: Market, order: Order, *, now_ms: int) -> None:
        account = self._ledger.accounts[order.account]
        order.working_ms = order.updated_ms = now_ms
        request = order.request
        levels = market.side(now_ms=now_ms, asks=order.buying)
        fills = take(levels, buying=order.buying, quantity=order.quantity, limit=request.price)
        if request.price is None and order.buying:
            fills = affordable_fills(fills, funds=order.locked + account.balance(order.lock_asset).free, market=market)
        self._execute(account, market, order, fills, now_ms=now_ms)

    def _execute(self, account: Account, market: Market, order: Order, fills: list[Level], *, now_ms: int) -> None:
        """Fill as a taker, then rest or expire."""
        for fill in fills:
            self._fill(account, market, order, fill, now_ms=now_ms, maker=False)
        self._settle_status(account, order, now_ms=now_ms)
        rests = order.request.price is not None and order.request.time_in_force == "GTC"
        if order.is_open and not rests:
            self._close(account, order, EXPIRED, now_ms=now_ms)

    def _fill(self, account: Account, market: Market, order: Order, fill: Level, *, now_ms: int, maker: bool) -> None:
        rules = market.rules
        quote_quantity = eight_down(fill.price * fill.quantity)
        base, quote = (rules.base, fill.quantity), (rules.quote, quote_quantity)
        order.executed += fill.quantity
        order.quote_executed += quote_quantity
        self._release(account, order)
        self._ledger.trade(account, gives=quote if order.buying else base, takes=base if order.buying else quote)
        asset, amount = commission(
            account=account,
            rules=rules,
            rates=self.fees,
            maker=maker,
            buying=order.buying,
            quantity=fill.quantity,
            quote_quantity=quote_quantity,
            bnb_price=lambda quote: self._bnb_price(quote, now_ms),
        )
        self._ledger.charge(account, asset, amount)
        trade = Trade(
            trade_id=len(self.trades) + 1,
            order_id=order.order_id,
            account=order.account,
            symbol=market.symbol,
            price=fill.price,
            quantity=fill.quantity,
            quote_quantity=quote_quantity,
            commission=amount,
            commission_asset=asset,
            time_ms=now_ms,
            buying=order.buying,
            maker=maker,
        )
        self.trades.append(trade)
        order.trades.append(trade)
        account.updated_ms = now_ms

    def _release(self, account: Account, order: Order) -> None:
        """Unlock what the rest of the order no longer needs, just before a fill takes it."""
        keep = rest_to_lock(order)
        if keep < order.locked:
            account.unlock(order.lock_asset, order.locked - keep)
            order.locked = keep

    def _settle_status(self, account: Account, order: Order, *, now_ms: int) -> None:
        if order.executed == order.quantity and order.quantity:
            self._close(account, order, FILLED, now_ms=now_ms)
        elif order.executed:
            order.move_to(PARTIALLY_FILLED, now_ms=now_ms)

    def _close(self, account: Account, order: Order, status: str, *, now_ms: int) -> None:
        order.move_to(status, now_ms=now_ms)
        if order.locked:
            account.unlock(order.lock_asset, order.locked)
            order.locked = ZERO
        del self._open[order.request.symbol][order.order_id]

    def _add(self, account: Account, order: Order, amount: Decimal) -> None:
        account.lock(order.lock_asset, amount)
        account.updated_ms = order.created_ms
        order.locked = amount
        symbol = order.request.symbol
        self.orders[order.order_id] = order
        self._open.setdefault(symbol, {})[order.order_id] = order
        self._by_account.setdefault((account.name, symbol), []).append(order)
        self._by_client_id.setdefault((account.name, symbol, order.request.client_order_id), []).append(order)

    def _refuse_duplicate(self, account: Account, request: NewOrder) -> None:
        """Rule (Binance spot REST docs, New order): the client id is unique among open orders only."""
        earlier = self.by_client_id(account.name, request.symbol, request.client_order_id)
        if any(order.is_open for order in earlier):
            raise errors.order_rejected("Duplicate order sent.")

    def _bnb_price(self, quote: str, now_ms: int) -> Decimal | None:
        market = self._markets.get("BNB" + quote)
        return market.feed.price(now_ms) if market else None
