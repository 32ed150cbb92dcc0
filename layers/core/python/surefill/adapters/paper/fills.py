"""What a paper order would have got at a quote: the taker's side of the book, made a little worse, never random."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_UP, Decimal

from surefill.domain.candles import Quote
from surefill.domain.kinds import Side
from surefill.domain.money import ZERO, divide_down, multiply
from surefill.domain.rows import Fill

_HUNDRED = Decimal(100)
# Venues price and book fees with 8 decimals; a paper account rounds against itself, to look no better than a real one.
_FINEST = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTerms:
    """How a paper account is filled.

    `slippage_percent` worsens the taker's price (Decimal("0.05") is 0.05 %), `fee_rate` is a share of what is received
    (Decimal("0.001") is 0.1 %), `depth` is the quote money one order finds at the touch, None for any amount.
    """

    slippage_percent: Decimal = ZERO
    fee_rate: Decimal = Decimal("0.001")
    depth: Decimal | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.slippage_percent < _HUNDRED and 0 <= self.fee_rate < 1):
            raise ValueError(f"slippage must be 0 to 100 % and the fee rate 0 to 1, was {self}")
        if self.depth is not None and self.depth <= 0:
            raise ValueError(f"depth must be above 0 or None, was {self.depth}")


def taker_price(*, side: Side, quote: Quote, limit_price: Decimal | None, terms: PaperTerms) -> Decimal | None:
    """The price an order takes at, None when its limit does not reach the other side of the book.

    Rounded against the order to 8 decimals; a limit is never exceeded.
    """
    touch = quote.ask if side is Side.BUY else quote.bid
    if limit_price is not None and (touch > limit_price if side is Side.BUY else touch < limit_price):
        return None
    share = terms.slippage_percent / _HUNDRED
    worse = touch * (1 + share if side is Side.BUY else 1 - share)
    price = worse.quantize(_FINEST, rounding=ROUND_CEILING if side is Side.BUY else ROUND_FLOOR)
    if limit_price is None:
        return price
    return min(price, limit_price) if side is Side.BUY else max(price, limit_price)


def fill_at(
    *, trade_id: str, side: Side, base: str, quote_asset: str, quantity: Decimal, price: Decimal, terms: PaperTerms
) -> Fill | None:
    """The fill of up to `quantity` at a price, as deep as the book goes; None when not one step of it fits.

    The fee is taken from what is received: base on buys, quote on sells.
    """
    if terms.depth is not None:
        step = Decimal(1).scaleb(min(_exponent(quantity), 0))
        quantity = min(quantity, divide_down(terms.depth, price, step=step))
    if quantity <= 0:
        return None
    cost = multiply(quantity, price)
    received, asset = (quantity, base) if side is Side.BUY else (cost, quote_asset)
    return Fill(
        trade_id=trade_id,
        quantity=quantity,
        price=price,
        cost=cost,
        fee=(received * terms.fee_rate).quantize(_FINEST, rounding=ROUND_UP),
        fee_asset=asset,
    )


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"quantity must be finite, was {value}")
    return exponent
