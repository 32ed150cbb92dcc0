"""A paper order as a stored row, and back."""

import json
from dataclasses import asdict, dataclass, replace
from decimal import Decimal

from surefill.domain.kinds import Side
from surefill.domain.money import ZERO, add, multiply, plain, total
from surefill.domain.orders import OrderRequest, VenueOrder
from surefill.domain.records import PaperEntry
from surefill.domain.rows import Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOrder:
    """One order. `open_quantity` may still fill, `held` is what it locks of the asset it pays with."""

    client_order_id: str
    symbol: str
    side: Side
    limit_price: Decimal | None
    open_quantity: Decimal = ZERO
    fills: tuple[Fill, ...] = ()

    @classmethod
    def of(cls, request: OrderRequest) -> "PaperOrder":
        """The order of a request, nothing filled and nothing open yet."""
        return cls(
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            limit_price=request.limit_price,
        )

    @property
    def base(self) -> str:
        """The asset that is bought or sold."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The asset it is priced in."""
        return self.symbol.partition("/")[2]

    @property
    def pays(self) -> str:
        """The asset the account gives."""
        return self.quote if self.side is Side.BUY else self.base

    @property
    def receives(self) -> str:
        """The asset the account gets."""
        return self.base if self.side is Side.BUY else self.quote

    @property
    def held(self) -> Decimal:
        """What the open quantity locks of the asset it pays with."""
        return self.price_of(self.open_quantity)

    def price_of(self, quantity: Decimal) -> Decimal:
        """What a quantity takes of the paying asset at the order's limit."""
        if self.side is Side.SELL or not quantity:
            return quantity
        if self.limit_price is None:
            raise AssertionError(f"market order {self.client_order_id} can't rest, {quantity} was left open")
        return multiply(quantity, self.limit_price)

    def filled(self, fill: Fill, *, open_quantity: Decimal) -> "PaperOrder":
        """The order with one more fill."""
        return replace(self, fills=(*self.fills, fill), open_quantity=open_quantity)

    def next_trade_id(self) -> str:
        """The trade id of the next fill: the same for the same fill of the same order."""
        return f"{self.client_order_id}-{len(self.fills) + 1}"

    def as_venue_order(self) -> VenueOrder:
        """What a venue would show."""
        return VenueOrder(
            client_order_id=self.client_order_id,
            venue_order_id=f"paper-{self.client_order_id}",
            symbol=self.symbol,
            side=self.side,
            finished=not self.open_quantity,
            filled_quantity=total(fill.quantity for fill in self.fills),
            fills=self.fills,
        )

    def as_row(self, *, account_id: str) -> PaperEntry:
        """The stored row."""
        fills = [{name: str(value) for name, value in asdict(fill).items()} for fill in self.fills]
        body = {"symbol": self.symbol, "side": self.side.value, "fills": json.dumps(fills, separators=(",", ":"))}
        if self.limit_price is not None:
            body["limit_price"] = plain(self.limit_price)
        return PaperEntry(
            account_id=account_id,
            entry_key=order_key(self.client_order_id),
            free=self.open_quantity,
            locked=self.held,
            body=body,
        )

    @classmethod
    def from_row(cls, row: PaperEntry) -> "PaperOrder":
        """The order of a stored row."""
        limit_price = row.body.get("limit_price")
        return cls(
            client_order_id=row.entry_key.partition("#")[2],
            symbol=row.body["symbol"],
            side=Side(row.body["side"]),
            limit_price=None if limit_price is None else Decimal(limit_price),
            open_quantity=row.free,
            fills=tuple(_fill(fill) for fill in json.loads(row.body["fills"])),
        )


def order_key(client_order_id: str) -> str:
    """Sort key of an order's row."""
    return f"order#{client_order_id}"


def given_and_taken(fill: Fill, *, side: Side) -> tuple[Decimal, Decimal]:
    """What a fill takes from the paying asset, and what it brings of the other one after its fee."""
    if side is Side.BUY:
        return fill.cost, add(fill.quantity, -fill.fee)
    return fill.quantity, add(fill.cost, -fill.fee)


def _fill(stored: dict[str, str]) -> Fill:
    return Fill(
        trade_id=stored["trade_id"],
        quantity=Decimal(stored["quantity"]),
        price=Decimal(stored["price"]),
        cost=Decimal(stored["cost"]),
        fee=Decimal(stored["fee"]),
        fee_asset=stored["fee_asset"],
    )
