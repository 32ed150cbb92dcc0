"""What a venue's lists remember: open orders, past orders and trades, read to their end page by page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from surefill.adapters.ccxt import reading
from surefill.adapters.ccxt.connection import Connection
from surefill.adapters.ccxt.profile import Trade
from surefill.domain.money import total
from surefill.domain.orders import TradePage, VenueError, VenueOrder, VenueTrade
from surefill.domain.reasons import Reason
from surefill.domain.rows import Fill
from surefill.domain.times import from_milliseconds, to_milliseconds

_Row = TypeVar("_Row")


class History:
    """The lists of one account. Everything raises VenueError when a list can't be read whole: half is no evidence."""

    def __init__(self, *, connection: Connection) -> None:
        self._connection = connection
        self._profile = connection.profile
        self._dialect = connection.profile.dialect

    def orders(self, symbol: str, *, since: datetime) -> Iterator[VenueOrder]:
        """Open orders, then all orders placed since a time."""
        yield from self._list(
            lambda exchange: self._dialect.ask_open_orders(exchange, symbol=symbol),
            lambda said: self._dialect.read_order(said, symbol=symbol),
        )
        yield from self._since(
            self._dialect.ask_orders,
            lambda said: (self._dialect.order_time(said), self._dialect.read_order(said, symbol=symbol)),
            symbol=symbol,
            since=since,
        )

    def trades(self, symbol: str, *, since: datetime) -> Iterator[Trade]:
        """All trades made since a time; a trade at the border of two pages comes twice."""
        return self._since(
            self._dialect.ask_trades,
            lambda said: (self._dialect.trade_time(said), self._dialect.read_trade(said)),
            symbol=symbol,
            since=since,
        )

    def past_trades(self, symbol: str, *, since: datetime, limit: int) -> TradePage:
        """One page of the account's trades, each with our id of its order as far as the venue still shows it."""
        start = to_milliseconds(since)
        rows, following = self._page(
            self._dialect.ask_trades,
            lambda said: (self._dialect.trade_time(said), self._dialect.read_past_trade(said, symbol=symbol)),
            symbol=symbol,
            start=start,
            end=to_milliseconds(self._connection.clock.now() + timedelta(minutes=1)),
            limit=min(limit, self._profile.page),
        )
        ids = (
            self._client_ids([trade for _, trade in rows], symbol=symbol, since=start, until=rows[-1][0])
            if rows
            else {}
        )
        return TradePage(
            trades=tuple(replace(trade, client_order_id=ids[trade.venue_order_id]) for _, trade in rows),
            next_since=None if following is None else from_milliseconds(following),
        )

    def _client_ids(
        self, trades: Sequence[VenueTrade], *, symbol: str, since: int, until: int
    ) -> Mapping[str, str | None]:
        """Our ids by the venue's: from the orders of the same time in one request, one by one for what is older."""
        orders = self._list(
            lambda exchange: self._dialect.ask_orders(
                exchange, symbol=symbol, since=since, until=until, limit=self._profile.page
            ),
            lambda said: self._dialect.read_order(said, symbol=symbol),
        )
        known: dict[str, str | None] = {order.venue_order_id: order.client_order_id for order in orders}
        for trade in trades:
            if trade.venue_order_id not in known:
                known[trade.venue_order_id] = self._client_id(trade.venue_order_id, symbol=symbol)
        return known

    def _client_id(self, venue_order_id: str, *, symbol: str) -> str | None:
        try:
            return self._connection.look(
                lambda exchange: self._dialect.ask_order_by_venue_id(
                    exchange, symbol=symbol, venue_order_id=venue_order_id
                ),
                lambda said: self._dialect.read_order(said, symbol=symbol).client_order_id,
            )
        except VenueError as error:
            if error.reason is Reason.NO_DATA:
                return None
            raise

    def fills(self, order: VenueOrder) -> tuple[Fill, ...]:
        """The trades of one order, until they add up to its filled quantity or the venue shows no more."""
        known: dict[str, Fill] = {}
        after: str | None = None
        while True:
            page = self._trades_of(order, after=after)
            fresh = [fill for fill in page if fill.trade_id not in known]
            known.update((fill.trade_id, fill) for fill in fresh)
            if not fresh or total(fill.quantity for fill in known.values()) >= order.filled_quantity:
                return tuple(known.values())
            after = fresh[-1].trade_id

    def _trades_of(self, order: VenueOrder, *, after: str | None) -> list[Fill]:
        trades = self._list(
            lambda exchange: self._dialect.ask_trades_of_order(
                exchange,
                symbol=order.symbol,
                venue_order_id=order.venue_order_id,
                after=after,
                limit=self._profile.page,
            ),
            self._dialect.read_trade,
        )
        return [trade.fill for trade in trades if trade.order_id == order.venue_order_id]

    def _since(
        self,
        ask: Callable[..., object],
        read: Callable[[object], tuple[int, _Row]],
        *,
        symbol: str,
        since: datetime,
    ) -> Iterator[_Row]:
        """All rows since a time, window by window, and page by page while a window has more than one page."""
        # A minute beyond our clock: the venue's may be ahead.
        end = to_milliseconds(self._connection.clock.now() + timedelta(minutes=1))
        start: int | None = to_milliseconds(since)
        while start is not None:
            rows, start = self._page(ask, read, symbol=symbol, start=start, end=end, limit=self._profile.page)
            yield from (row for _, row in rows)

    def _page(
        self,
        ask: Callable[..., object],
        read: Callable[[object], tuple[int, _Row]],
        *,
        symbol: str,
        start: int,
        end: int,
        limit: int,
    ) -> tuple[list[tuple[int, _Row]], int | None]:
        """Up to `limit` rows of the window that begins at `start`, and where the next page begins (None: nowhere)."""
        if start > end:
            return [], None
        until = min(start + self._profile.history_window // timedelta(milliseconds=1) - 1, end)
        rows = self._list(
            lambda exchange: ask(exchange, symbol=symbol, since=start, until=until, limit=limit),
            read,
        )
        if len(rows) < limit:
            return rows, until + 1 if until < end else None
        if rows[-1][0] > start:
            # The last millisecond may go on beyond the page: it is asked for again.
            return rows, rows[-1][0]
        raise VenueError(Reason.VENUE_DOWN, f"{self._profile.name} lists do not advance past {start} ms")

    def _list(self, ask: Callable[[Any], object], read: Callable[[object], _Row]) -> list[_Row]:
        return self._connection.look(ask, lambda said: [read(row) for row in reading.sequence(said, what="answer")])
