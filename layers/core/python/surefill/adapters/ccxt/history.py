"""What a venue's lists remember: open orders, past orders and trades, read to their end page by page."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from surefill.adapters.ccxt import reading
from surefill.adapters.ccxt.connection import Connection
from surefill.adapters.ccxt.profile import Trade
from surefill.domain.money import total
from surefill.domain.orders import VenueError, VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.rows import Fill
from surefill.domain.times import to_milliseconds

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
        start = to_milliseconds(since)
        # A minute beyond our clock: the venue's may be ahead.
        end = to_milliseconds(self._connection.clock.now() + timedelta(minutes=1))
        window = self._profile.history_window // timedelta(milliseconds=1)
        while start <= end:
            until = min(start + window - 1, end)
            rows = self._window(ask, read, symbol=symbol, since=start, until=until)
            yield from (row for _, row in rows)
            if len(rows) < self._profile.page:
                start = until + 1
            elif rows[-1][0] > start:
                # The last millisecond may go on beyond the page: it is asked for again.
                start = rows[-1][0]
            else:
                raise VenueError(Reason.VENUE_DOWN, f"{self._profile.name} lists do not advance past {start} ms")

    def _window(
        self,
        ask: Callable[..., object],
        read: Callable[[object], tuple[int, _Row]],
        *,
        symbol: str,
        since: int,
        until: int,
    ) -> list[tuple[int, _Row]]:
        limit = self._profile.page
        return self._list(
            lambda exchange: ask(exchange, symbol=symbol, since=since, until=until, limit=limit),
            read,
        )

    def _list(self, ask: Callable[[Any], object], read: Callable[[object], _Row]) -> list[_Row]:
        return self._connection.look(ask, lambda said: [read(row) for row in reading.sequence(said, what="answer")])
