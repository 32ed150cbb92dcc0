"""A fake of the venue: it fills at its quote, or does what a test's script says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from surefill.domain.candles import Quote
from surefill.domain.kinds import Side
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
from surefill.domain.records import MarketRules
from surefill.domain.rows import Account, Fill
from tests.fakes.rows import TICK, rules


@dataclass
class FakeVenue:
    """A venue that fills at the quote. `script` holds what happens to the next posts instead."""

    bid: Decimal = Decimal(100)
    ask: Decimal = Decimal(100)
    quoted_at: datetime | None = TICK
    rows: list[list[float]] = field(default_factory=list)
    script: list[str] = field(default_factory=list)
    look_error: VenueError | None = None
    posts: list[OrderRequest] = field(default_factory=list)
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    held: dict[str, Balance] = field(default_factory=dict)
    requests: int = 0

    def market_data(self, venue: str) -> "FakeVenue":
        return self

    def of_account(self, account: Account) -> "FakeVenue":
        return self

    def server_time(self) -> datetime:
        return TICK

    def candle_rows(self, *, symbol: str, timeframe: str, until: datetime, limit: int) -> Sequence[Sequence[float]]:
        self.requests += 1
        if self.look_error:
            raise self.look_error
        return self.rows[-limit:]

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        self.requests += 1
        if self.look_error:
            raise self.look_error
        if self.quoted_at is None:
            return {}
        return {symbol: Quote(symbol=symbol, bid=self.bid, ask=self.ask, at=self.quoted_at) for symbol in symbols}

    def market_rules(self, symbols: Sequence[str] | None, *, now: datetime) -> Sequence[MarketRules]:
        return [rules()]

    def post(self, request: OrderRequest) -> PostOutcome:
        self.posts.append(request)
        step = self.script.pop(0) if self.script else "fill"
        match step:
            case "fill" | "fill_unseen" | "half" | "nothing":
                order = self._execute(
                    request, share={"half": Decimal("0.5"), "nothing": Decimal(0)}.get(step, Decimal(1))
                )
                self.orders[request.client_order_id] = order
                return UnknownOutcome(message="reply lost") if step == "fill_unseen" else Accepted(order=order)
            case "resting":
                order = replace(self._execute(request, share=Decimal(0)), finished=False)
                self.orders[request.client_order_id] = order
                return Accepted(order=order)
            case "lost":
                return UnknownOutcome(message="request lost")
            case "not_sent":
                return NotSent(message="no connection")
            case "duplicate":
                return AlreadyExists(code="-2010", message="Duplicate order sent.")
            case _:
                return Rejected(reason=Reason(step), code="-1", message="refused")

    def _execute(self, request: OrderRequest, *, share: Decimal) -> VenueOrder:
        price = self.ask if request.side is Side.BUY else self.bid
        quantity = request.quantity * share
        buys = request.side is Side.BUY
        fills = (
            (
                Fill(
                    trade_id=f"t{len(self.orders)}",
                    quantity=quantity,
                    price=price,
                    cost=quantity * price,
                    fee=(quantity if buys else quantity * price) * Decimal("0.001"),
                    fee_asset="BTC" if buys else "USDT",
                ),
            )
            if quantity
            else ()
        )
        return VenueOrder(
            client_order_id=request.client_order_id,
            venue_order_id=f"v{len(self.orders)}",
            symbol=request.symbol,
            side=request.side,
            finished=True,
            filled_quantity=quantity,
            fills=fills,
        )

    def find(self, *, symbol: str, client_order_id: str) -> VenueOrder | None:
        if self.look_error:
            raise self.look_error
        return None if client_order_id in self.hidden else self.orders.get(client_order_id)

    def find_trace(self, *, symbol: str, client_order_id: str, since: datetime) -> VenueOrder | None:
        return self.orders.get(client_order_id)

    def cancel(self, *, symbol: str, client_order_id: str) -> None:
        self.orders[client_order_id] = replace(self.orders[client_order_id], finished=True)

    def balances(self) -> Mapping[str, Balance]:
        if self.look_error:
            raise self.look_error
        return self.held
