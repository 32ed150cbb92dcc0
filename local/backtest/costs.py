"""What trading costs and how much of it is possible in a backtest, and one fill computed with it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

from local.errors import LocalError
from surefill.domain.kinds import Side
from surefill.domain.money import ZERO, divide_down, multiply
from surefill.domain.rows import Fill

_HUNDRED = Decimal(100)
_FINEST = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Fee as a share of what is received (0.001 is 0.1 %), slippage in per cent of the price, against the order.

    `fee_in_quote` books the fee of a buy in quote instead of taking it off the base received, as venues do.
    `volume_share` is the part of a candle's volume that one order may fill (0 to 1), None for any amount.
    """

    fee: Decimal = Decimal("0.001")
    slippage_percent: Decimal = ZERO
    fee_in_quote: bool = False
    volume_share: Decimal | None = None

    def __post_init__(self) -> None:
        if not (ZERO <= self.fee < 1):
            raise LocalError(f"--fee must be a share from 0 to below 1 (0.001 is 0.1 %), was {self.fee}")
        if not (ZERO <= self.slippage_percent <= 50):
            raise LocalError(f"--slippage must be 0 to 50 per cent, was {self.slippage_percent}")
        if self.volume_share is not None and not (ZERO < self.volume_share <= 1):
            raise LocalError(f"--volume-share must be above 0 and at most 1, was {self.volume_share}")

    def worse(self, price: Decimal, *, side: Side) -> Decimal:
        """The price after slippage, rounded against the order to 8 decimals."""
        if not self.slippage_percent:
            return price
        share = self.slippage_percent / _HUNDRED
        factor, rounding = (1 + share, ROUND_CEILING) if side is Side.BUY else (1 - share, ROUND_FLOOR)
        return (price * factor).quantize(_FINEST, rounding=rounding)

    def fill(self, *, trade_id: str, side: Side, base: str, quote: str, quantity: Decimal, price: Decimal) -> Fill:
        """One fill with its fee, booked as Binance does."""
        cost = multiply(quantity, price)
        in_base = side is Side.BUY and not self.fee_in_quote
        received, asset = (quantity, base) if in_base else (cost, quote)
        return Fill(
            trade_id=trade_id, quantity=quantity, price=price, cost=cost, fee=self.fee_of(received), fee_asset=asset
        )

    def fee_of(self, received: Decimal) -> Decimal:
        """The fee of what is received, in the same asset, cut after 8 decimals."""
        return (received * self.fee).quantize(_FINEST, rounding=ROUND_DOWN)

    def depth(self, *, volume: Decimal, step: Decimal) -> Decimal | None:
        """The largest quantity (base) that may fill in a candle of this volume; None without a limit."""
        if self.volume_share is None:
            return None
        return divide_down(volume * self.volume_share, Decimal(1), step=step)
