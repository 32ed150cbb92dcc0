"""Commission of one fill.

Source: Binance spot REST docs, commission FAQ: commission is taken from the asset received. With BNB fee payment on
and enough BNB free, it is paid in BNB at 25 % discount instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from local.exchange.money import eight_down

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.exchange.accounts import Account
    from local.exchange.rules import MarketRules

_BNB = "BNB"
_BNB_SHARE = Decimal("0.75")


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Commission as a share of the amount received: 0.001 is 0.1 %."""

    maker: Decimal = Decimal("0.001")
    taker: Decimal = Decimal("0.001")

    def __post_init__(self) -> None:
        if not 0 <= self.maker < 1 or not 0 <= self.taker < 1:
            raise ValueError(f"fee rates must be at least 0 and below 1, was {self}")


def commission(
    *,
    account: Account,
    rules: MarketRules,
    rates: FeeRates,
    maker: bool,
    buying: bool,
    quantity: Decimal,
    quote_quantity: Decimal,
    bnb_price: Callable[[str], Decimal | None],
) -> tuple[str, Decimal]:
    """Asset and amount. `bnb_price` tells what one BNB costs in a quote asset, or None without such a market."""
    rate = rates.maker if maker else rates.taker
    asset, received = (rules.base, quantity) if buying else (rules.quote, quote_quantity)
    if account.fees_in_bnb and asset != _BNB:
        price = Decimal(1) if rules.quote == _BNB else bnb_price(rules.quote)
        if price:
            amount = eight_down(quote_quantity * rate * _BNB_SHARE / price)
            if account.balance(_BNB).free >= amount:
                return _BNB, amount
    return asset, eight_down(received * rate)
