"""A paper account at a venue: orders meet the venue's live quotes and change nothing but rows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.adapters.paper.book import COVERED, STILL_OPEN, PaperBook
from surefill.adapters.paper.fills import PaperTerms, fill_at, taker_price
from surefill.adapters.paper.orders import PaperOrder
from surefill.domain.candles import Quote, quote_problem
from surefill.domain.kinds import OrderKind
from surefill.domain.money import ZERO, subtract
from surefill.domain.orders import (
    Accepted,
    AlreadyExists,
    Balance,
    NotSent,
    OrderRequest,
    PostOutcome,
    Rejected,
    UnknownOutcome,
    VenueError,
    VenueOrder,
)
from surefill.domain.reasons import Reason
from surefill.ports import Clock, MarketData, StoreUnavailableError
from surefill.protocol.transaction import GuardFailedError

_TRIES = 5
_CODE = "paper"


class PaperVenue:
    """Implements `ports.Venue` on a `PaperBook` and the venue's public quotes.

    Market and IOC orders fill at once, as deep as the terms allow, and are finished. The rest of a LIMIT order stays
    open with its money locked; it fills at its limit when a look finds the market there.
    """

    def __init__(self, *, book: PaperBook, market_data: MarketData, clock: Clock, terms: PaperTerms) -> None:
        self._book = book
        self._market_data = market_data
        self._clock = clock
        self._terms = terms

    def post(self, request: OrderRequest) -> PostOutcome:
        """Place an order. Never raises for what the venue, the network or the store does."""
        try:
            prepared = self._prepared(request)
        except (VenueError, StoreUnavailableError) as error:
            # Nothing was written yet.
            return NotSent(message=str(error))
        if not isinstance(prepared, PaperOrder):
            return prepared
        try:
            self._book.place(prepared, needed=_needed(prepared, request))
        except GuardFailedError as error:
            return _refused(error)
        except StoreUnavailableError as error:
            return UnknownOutcome(message=str(error))
        return Accepted(order=prepared.as_venue_order())

    def find(self, *, symbol: str, client_order_id: str) -> VenueOrder | None:
        """The order with this client id; None when the account has none of it. A resting order is filled first."""
        try:
            order = self._book.order(client_order_id)
            if order is None or order.symbol != symbol:
                return None
            return (self._progressed(order) if order.open_quantity else order).as_venue_order()
        except StoreUnavailableError as error:
            raise VenueError(Reason.VENUE_DOWN, str(error)) from None

    def find_trace(self, *, symbol: str, client_order_id: str, since: datetime) -> VenueOrder | None:
        """The same: a paper account has one record of its orders, and it is complete."""
        return self.find(symbol=symbol, client_order_id=client_order_id)

    def cancel(self, *, symbol: str, client_order_id: str) -> None:
        """Close a resting order and free its money; an order that is unknown or finished is left as it is."""
        try:
            for _ in range(_TRIES):
                order = self._book.order(client_order_id)
                if order is None or order.symbol != symbol or not order.open_quantity:
                    return
                if self._changed(before=order, after=replace(order, open_quantity=ZERO)):
                    return
        except StoreUnavailableError as error:
            raise VenueError(Reason.VENUE_DOWN, str(error)) from None
        raise VenueError(Reason.VENUE_DOWN, f"order {client_order_id} kept changing while it was to be cancelled")

    def balances(self) -> Mapping[str, Balance]:
        """Everything the account holds, by asset; zero rows are left out."""
        try:
            return self._book.balances()
        except StoreUnavailableError as error:
            raise VenueError(Reason.VENUE_DOWN, str(error)) from None

    def _prepared(self, request: OrderRequest) -> PaperOrder | PostOutcome:
        """The order with what it fills at the current quote, or why there is none."""
        if self._book.order(request.client_order_id) is not None:
            return AlreadyExists(code=_CODE, message=f"order {request.client_order_id} was placed before")
        quote = self._market_data.quotes([request.symbol]).get(request.symbol)
        now = self._clock.now()
        if quote is None or quote_problem(quote, now=now) is not None:
            return NotSent(message=f"no quote to trade {request.symbol} on, was {quote}")
        if now > request.signed_at + timedelta(milliseconds=request.window_ms):
            return Rejected(reason=Reason.REJECTED, code=_CODE, message="order is outside of its receive window")
        order = _filled(PaperOrder.of(request), request, quote=quote, terms=self._terms)
        self._book.open_balance(order.base)
        self._book.open_balance(order.quote)
        return order

    def _progressed(self, order: PaperOrder) -> PaperOrder:
        """A resting order after meeting the current quote; as it is when there is no quote or somebody was faster."""
        try:
            quote = self._market_data.quotes([order.symbol]).get(order.symbol)
        except VenueError:
            return order
        if quote is None or quote_problem(quote, now=self._clock.now()) is not None or order.limit_price is None:
            return order
        if taker_price(side=order.side, quote=quote, limit_price=order.limit_price, terms=self._terms) is None:
            return order
        # It rests at its limit, so that is its price.
        after = _with_fill(order, quantity=order.open_quantity, price=order.limit_price, terms=self._terms, rests=True)
        if self._changed(before=order, after=after):
            return after
        return self._book.order(order.client_order_id) or order

    def _changed(self, *, before: PaperOrder, after: PaperOrder) -> bool:
        if before == after:
            return True
        try:
            self._book.change(before=before, after=after)
        except GuardFailedError as error:
            if STILL_OPEN in error.names():
                return False
            raise
        return True


def _filled(order: PaperOrder, request: OrderRequest, *, quote: Quote, terms: PaperTerms) -> PaperOrder:
    """The order after taking what the quote gives; only a LIMIT order leaves its rest open."""
    rests = request.kind is OrderKind.LIMIT
    price = taker_price(side=order.side, quote=quote, limit_price=request.limit_price, terms=terms)
    if price is None:
        return replace(order, open_quantity=request.quantity if rests else ZERO)
    return _with_fill(order, quantity=request.quantity, price=price, terms=terms, rests=rests)


def _with_fill(order: PaperOrder, *, quantity: Decimal, price: Decimal, terms: PaperTerms, rests: bool) -> PaperOrder:
    fill = fill_at(
        trade_id=order.next_trade_id(),
        side=order.side,
        base=order.base,
        quote_asset=order.quote,
        quantity=quantity,
        price=price,
        terms=terms,
    )
    if fill is None:
        return replace(order, open_quantity=quantity if rests else ZERO)
    return order.filled(fill, open_quantity=subtract(quantity, fill.quantity) if rests else ZERO)


def _needed(order: PaperOrder, request: OrderRequest) -> Decimal:
    """What must be free of the paying asset: like a venue, all of it at the limit, and the fills of a market buy."""
    if order.limit_price is None and order.pays == order.quote:
        return order.fills[0].cost if order.fills else ZERO
    return order.price_of(request.quantity)


def _refused(error: GuardFailedError) -> PostOutcome:
    names = error.names()
    if "is_new" in names:
        return AlreadyExists(code=_CODE, message="an order with this client id was placed just now")
    if COVERED in names:
        return Rejected(reason=Reason.BALANCE_SHORT, code=_CODE, message="account has insufficient balance")
    return UnknownOutcome(message=str(error))
