"""A real account at a venue, through ccxt."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from surefill.adapters.ccxt import reading
from surefill.adapters.ccxt.connection import Connection
from surefill.adapters.ccxt.failures import CodedVenueError
from surefill.adapters.ccxt.history import History
from surefill.adapters.ccxt.outcome import judge
from surefill.adapters.ccxt.profile import Trade, UnreadableError
from surefill.domain.money import plain, total
from surefill.domain.orders import Balance, NotSent, OrderRequest, PostOutcome, TradePage, VenueOrder


class CcxtVenue:
    """Implements `ports.Venue` and `ports.TradeHistory`.

    Raises ValueError for a venue without a fence: an absent order proves nothing there.
    """

    def __init__(self, *, connection: Connection) -> None:
        self._connection = connection
        self._profile = connection.profile
        self._dialect = connection.profile.dialect
        self._history = History(connection=connection)
        if self._profile.max_window_ms is None:
            raise ValueError(f"live orders need a venue that honours a receive window, {self._profile.name} has none")

    def post(self, request: OrderRequest) -> PostOutcome:
        """Post an order, at most once on the wire. Never raises for what the venue or the network does."""
        problem = self._problem(request)
        if problem is not None:
            return NotSent(message=problem)
        said: object = None
        failure: BaseException | None = None
        with self._connection.posting(signed_at=request.signed_at) as (exchange, log):
            try:
                said = self._send(exchange, request)
            except Exception as error:
                failure = error
        return judge(
            log=log,
            said=said,
            failure=failure,
            request=request,
            profile=self._profile,
            redactor=self._connection.redactor,
        )

    def find(self, *, symbol: str, client_order_id: str) -> VenueOrder | None:
        """The order with this client id, with all its fills when it is finished; None when the venue denies it.

        A finished order whose trades do not add up yet comes with `fills` None. Raises VenueError for anything else.
        """
        try:
            order = self._connection.look(
                lambda exchange: self._dialect.ask_order(exchange, symbol=symbol, client_order_id=client_order_id),
                lambda said: self._expected(said, symbol=symbol, client_order_id=client_order_id),
            )
        except CodedVenueError as error:
            if error.code in self._profile.not_found:
                return None
            raise
        return self._completed(order)

    def find_trace(self, *, symbol: str, client_order_id: str, since: datetime) -> VenueOrder | None:
        """Search open orders, orders placed since and trades made since; None when none of the lists knows it.

        `since` must include the caller's margin for clocks that differ. A trade whose order no list shows is followed
        to its order; when that one can't be read, VenueError: a trace without an owner is no proof of absence.
        """
        seen: set[str] = set()
        for order in self._history.orders(symbol, since=since):
            if order.client_order_id == client_order_id:
                return self._completed(order)
            seen.add(order.venue_order_id)
        for trade in self._history.trades(symbol, since=since):
            if trade.order_id in seen:
                continue
            seen.add(trade.order_id)
            order = self._order_behind(trade, symbol=symbol)
            if order.client_order_id == client_order_id:
                return self._completed(order)
        return None

    def cancel(self, *, symbol: str, client_order_id: str) -> None:
        """Ask to cancel; an order that is unknown or finished is left as it is. Raises VenueError otherwise."""
        try:
            self._connection.look(
                lambda exchange: self._dialect.ask_cancel(exchange, symbol=symbol, client_order_id=client_order_id),
                lambda said: reading.mapping(said, what="cancelled order"),
            )
        except CodedVenueError as error:
            if error.code not in self._profile.nothing_to_cancel:
                raise

    def balances(self) -> Mapping[str, Balance]:
        """Everything the account holds, by asset; zero rows are left out."""
        return self._connection.look(self._dialect.ask_balances, self._dialect.read_balances)

    def past_trades(self, *, symbol: str, since: datetime, limit: int) -> TradePage:
        """Trades of the account since a time, one page: at most a day of them, so a page may be empty."""
        return self._history.past_trades(symbol, since=since, limit=limit)

    def _problem(self, request: OrderRequest) -> str | None:
        """Why this request must not even be tried, or None."""
        form = self._profile.forms.get(request.kind)
        longest, decimals = self._profile.max_window_ms or 0, self._profile.decimals
        if form is None:
            return f"order kind must be one of {', '.join(sorted(self._profile.forms))}, was {request.kind}"
        if form.priced != (request.limit_price is not None):
            return f"a {request.kind} order must come {'with' if form.priced else 'without'} a limit price"
        if not 0 < request.window_ms <= longest:
            return f"window must be 1 to {longest} ms, was {request.window_ms}"
        for value in (request.quantity, request.limit_price):
            if value is not None and not (value.is_finite() and value > 0 and _decimals(value) <= decimals):
                return f"quantity and price must be above 0 with at most {decimals} decimals, was {value}"
        return None

    def _send(self, exchange: Any, request: OrderRequest) -> object:
        self._connection.know(request.symbol)
        form = self._profile.forms[request.kind]
        price = None if request.limit_price is None else plain(request.limit_price)
        return self._dialect.ask_post(
            exchange,
            order=(request.symbol, form.type, request.side.value.lower(), plain(request.quantity), price),
            params={
                **form.params,
                self._profile.client_order_id_param: request.client_order_id,
                self._profile.window_param: request.window_ms,
            },
        )

    def _completed(self, order: VenueOrder) -> VenueOrder:
        """A finished order with its fills, as far as the venue shows them."""
        if not order.finished or order.fills is not None:
            return order
        fills = self._history.fills(order)
        complete = total(fill.quantity for fill in fills) == order.filled_quantity
        return replace(order, fills=fills if complete else None)

    def _order_behind(self, trade: Trade, *, symbol: str) -> VenueOrder:
        found = trade.order_id
        return self._connection.look(
            lambda exchange: self._dialect.ask_order_by_venue_id(exchange, symbol=symbol, venue_order_id=found),
            lambda said: self._dialect.read_order(said, symbol=symbol),
        )

    def _expected(self, said: object, *, symbol: str, client_order_id: str) -> VenueOrder:
        order = self._dialect.read_order(said, symbol=symbol)
        if order.client_order_id != client_order_id:
            raise UnreadableError(f"order must be {client_order_id}, was {order.client_order_id}")
        return order


def _decimals(value: Decimal) -> int:
    """Digits after the point of a finite number, trailing zeros not counted."""
    return max(0, -int(value.normalize().as_tuple().exponent))
