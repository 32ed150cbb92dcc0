"""What a venue's rules make of a wish to buy or sell: exact prices, quantities and the money to reserve."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.domain.candles import Quote
from surefill.domain.money import ZERO, ceil_to_step, divide_down, floor_to_step, multiply
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules

# Rules are fetched daily; entries are refused on rules older than this, exits never.
RULES_LIFETIME = timedelta(hours=48)
# A position must stay sellable when the price falls to its stop, with room for the venue's averaging.
EXIT_HEADROOM = Decimal("1.1")
_QUOTE_GRID = Decimal("0.00000001")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryTerms:
    """A buy that the market allows: base quantity, the highest price to pay, the quote money to reserve."""

    quantity: Decimal
    limit_price: Decimal
    reserved: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why not, with the numbers that say so."""

    reason: Reason
    numbers: dict[str, str]


def rules_problem(rules: MarketRules | None, *, now: datetime) -> Refusal | None:
    """Why no entry may rest on these rules, or None."""
    if rules is None:
        return Refusal(reason=Reason.MARKET_UNKNOWN, numbers={})
    if not rules.active:
        return Refusal(reason=Reason.MARKET_CLOSED, numbers={})
    if now - rules.fetched_at > RULES_LIFETIME:
        return Refusal(reason=Reason.MARKET_STALE, numbers={"fetched_at": rules.fetched_at.isoformat()})
    return None


def entry_terms(
    *, rules: MarketRules, quote: Quote, spend: Decimal, slippage_percent: Decimal, stop_loss_percent: Decimal
) -> EntryTerms | Refusal:
    """Turn `spend` (quote money, fees included) into an order at the ask plus at most the slippage.

    Refused when the order, or its later sale at the stop loss, would be below the venue's minimum (P10, X9).
    """
    limit = floor_to_step(multiply(quote.ask, percent_more(slippage_percent)), rules.price_step)
    with_fee = 1 + rules.taker_fee
    quantity = divide_down(spend, multiply(limit, with_fee), step=rules.quantity_step) if limit > ZERO else ZERO
    if quantity < rules.min_quantity or quantity == ZERO:
        return Refusal(
            reason=Reason.QUANTITY_TOO_SMALL,
            numbers={"quantity": str(quantity), "minimum": str(rules.min_quantity), "spend": str(spend)},
        )
    notional = multiply(quantity, quote.ask)
    if notional < rules.min_notional:
        return Refusal(
            reason=Reason.BELOW_MINIMUM, numbers={"notional": str(notional), "minimum": str(rules.min_notional)}
        )
    sold_at_stop = multiply(
        floor_to_step(multiply(quantity, 1 - rules.taker_fee), rules.quantity_step),
        multiply(quote.bid, percent_less(stop_loss_percent)),
    )
    if sold_at_stop < multiply(rules.min_notional, EXIT_HEADROOM):
        return Refusal(
            reason=Reason.EXIT_BELOW_MINIMUM,
            numbers={"notional_at_stop": str(sold_at_stop), "minimum": str(rules.min_notional * EXIT_HEADROOM)},
        )
    reserved = ceil_to_step(multiply(multiply(quantity, limit), with_fee), _QUOTE_GRID)
    return EntryTerms(quantity=quantity, limit_price=limit, reserved=reserved)


def sellable_quantity(quantity: Decimal, *, rules: MarketRules, price: Decimal) -> Decimal:
    """How much of `quantity` (base) the venue lets go at `price`; zero when it is too little to be an order."""
    stepped = floor_to_step(quantity, rules.quantity_step)
    if stepped < rules.min_quantity or multiply(stepped, price) < rules.min_notional:
        return ZERO
    return stepped


def percent_more(percent: Decimal) -> Decimal:
    """Factor that adds `percent` per cent."""
    return 1 + percent / _HUNDRED


def percent_less(percent: Decimal) -> Decimal:
    """Factor that takes `percent` per cent off."""
    return 1 - percent / _HUNDRED


def levels(
    *, cost: Decimal, quantity: Decimal, take_profit_percent: Decimal | None, stop_loss_percent: Decimal | None
) -> tuple[Decimal | None, Decimal | None]:
    """Take-profit and stop-loss prices of a position bought for `cost` (quote) and `quantity` (base)."""
    price = divide_down(cost, quantity, step=_QUOTE_GRID)
    take_profit = (
        floor_to_step(multiply(price, percent_more(take_profit_percent)), _QUOTE_GRID) if take_profit_percent else None
    )
    stop_loss = (
        floor_to_step(multiply(price, percent_less(stop_loss_percent)), _QUOTE_GRID) if stop_loss_percent else None
    )
    return take_profit, stop_loss
