"""How much quote money an entry may spend: the bot's sizer, then the caps that hold for every sizer.

The free money of the budget is no cap: an entry it can't pay for is refused with its numbers, never made smaller.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from surefill.domain.candles import Quote
from surefill.domain.market import EXIT_HEADROOM, Refusal, percent_less, percent_more
from surefill.domain.money import ZERO, ceil_to_step, divide_down, floor_to_step, multiply, plain, share_down, subtract
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rules import SizingMode, SizingRules
from surefill.domain.trades import ClosedTrade, record_of

# What a trade may spend is rounded down to this grid of the quote currency.
SPEND_STEP = Decimal("0.00000001")
_ONE = Decimal(1)
_HUNDRED = Decimal(100)


class Temperature(StrEnum):
    """How favourable a market is to buyers. COLD: falling or wild; HOT: rising in order; WARM: neither."""

    COLD = "cold"
    WARM = "warm"
    HOT = "hot"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureLimits:
    """A trend is up or down from this distance of the averages on; above `max_volatility_percent` a market is wild."""

    trend_percent: Decimal = Decimal(1)
    max_volatility_percent: Decimal = Decimal(5)


_LIMITS = TemperatureLimits()


def temperature_of(
    *, trend_percent: Decimal, volatility_percent: Decimal, limits: TemperatureLimits = _LIMITS
) -> Temperature:
    """Classify a market.

    `trend_percent` is how far the fast average is above (positive) or below the slow one, in per cent of the slow one;
    `volatility_percent` is the average true range in per cent of the price.
    """
    if volatility_percent > limits.max_volatility_percent or trend_percent <= -limits.trend_percent:
        return Temperature.COLD
    return Temperature.HOT if trend_percent >= limits.trend_percent else Temperature.WARM


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingFacts:
    """What a sizer may know. Money, `price` and `atr` (average true range) are in quote; `trades` are oldest first.

    A `stop_loss_percent` of 0 is no stop; `atr` and `temperature` are None when there are too few candles. `weight`
    multiplies what comes out, `spend` (a strategy's own amount) takes the sizer's place.
    """

    equity: Decimal
    available: Decimal
    price: Decimal
    stop_loss_percent: Decimal = ZERO
    atr: Decimal | None = None
    temperature: Temperature | None = None
    trades: Sequence[ClosedTrade] = ()
    weight: Decimal = _ONE
    spend: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """What may be spent, the `ceiling` no rule may raise it over, and the numbers it came from ("cap": which bit)."""

    spend: Decimal
    ceiling: Decimal
    numbers: dict[str, str]


_Wish = tuple[Decimal, dict[str, str]]


def spend_for(rules: SizingRules, *, budget_percent: Decimal, facts: SizingFacts) -> Sized | Refusal:
    """Quote money to spend, fees included, rounded down.

    Refused with SIZE_UNKNOWN when a number the sizer needs is not there, and with SIZE_ZERO when it comes to nothing.
    """
    wish = _of_signal(facts) if facts.spend is not None else _SIZERS[rules.mode](rules, budget_percent, facts)
    if isinstance(wish, Refusal):
        return wish
    amount, numbers = wish
    numbers |= {"equity": plain(facts.equity), "available": plain(facts.available)}
    if facts.weight != _ONE:
        numbers["weight"] = plain(facts.weight)
    spend = share_down(amount, part=facts.weight, whole=_ONE, step=SPEND_STEP)
    ceiling, cap = _ceiling(rules, equity=facts.equity)
    if spend > ceiling:
        numbers |= {"cap": cap, "wished": plain(spend)}
        spend = ceiling
    numbers["spend"] = plain(spend)
    if spend <= ZERO:
        return Refusal(reason=Reason.SIZE_ZERO, numbers=numbers)
    return Sized(spend=spend, ceiling=ceiling, numbers=numbers)


def spend_needed(
    market: MarketRules, *, quote: Quote, slippage_percent: Decimal, stop_loss_percent: Decimal
) -> Decimal | None:
    """The least an entry must spend so that it and its sale at the stop keep the venue's minimums (entry_terms).

    None when no amount will do, because the price is below the venue's price step or the stop leaves nothing.
    """
    limit = floor_to_step(multiply(quote.ask, percent_more(slippage_percent)), market.price_step)
    at_stop = multiply(quote.bid, percent_less(stop_loss_percent))
    if limit <= ZERO or at_stop <= ZERO:
        return None
    step = market.quantity_step
    to_buy = _steps_up(market.min_notional, quote.ask, step)
    sold = _steps_up(multiply(market.min_notional, EXIT_HEADROOM), at_stop, step)
    to_sell = _steps_up(sold, 1 - market.taker_fee, step)
    quantity = max(to_buy, to_sell, ceil_to_step(market.min_quantity, step), step)
    return ceil_to_step(multiply(multiply(quantity, limit), 1 + market.taker_fee), SPEND_STEP)


def minimum_spend(rules: SizingRules, *, sized: Sized, needed: Decimal | None) -> Sized:
    """`sized`, raised to what the venue needs at least when that is within the tolerance and under every cap.

    Otherwise it is given back as it is, and the market's rules refuse it with the minimum it misses.
    """
    if needed is None or needed <= sized.spend or needed > sized.ceiling:
        return sized
    most = share_down(sized.spend, part=_HUNDRED + rules.minimum_tolerance_percent, whole=_HUNDRED, step=SPEND_STEP)
    if needed > most:
        return sized
    raised = {"spend": plain(needed), "raised_from": plain(sized.spend)}
    return replace(sized, spend=needed, numbers={**sized.numbers, **raised})


def _steps_up(amount: Decimal, price: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is worth at least `amount` at `price`."""
    quantity = divide_down(amount, price, step=step)
    return quantity if multiply(quantity, price) >= amount else quantity + step


def _ceiling(rules: SizingRules, *, equity: Decimal) -> tuple[Decimal, str]:
    ceiling = _percent(equity, rules.max_percent)
    if rules.max_trade is not None and rules.max_trade < ceiling:
        return floor_to_step(rules.max_trade, SPEND_STEP), "max_trade"
    return ceiling, "max_percent"


def _of_signal(facts: SizingFacts) -> _Wish:
    return facts.spend or ZERO, {"sizer": "signal"}


def _by_percent(rules: SizingRules, budget_percent: Decimal, facts: SizingFacts) -> _Wish | Refusal:
    """A fixed part of the whole budget, whatever part of it is at work."""
    return _percent(facts.equity, budget_percent), _named(rules, percent=budget_percent)


def _fixed(rules: SizingRules, budget_percent: Decimal, facts: SizingFacts) -> _Wish | Refusal:
    """The same amount each time."""
    if rules.amount is None:
        return _unknown(rules, missing="amount")
    return rules.amount, _named(rules, amount=rules.amount)


def _by_risk(rules: SizingRules, budget_percent: Decimal, facts: SizingFacts) -> _Wish | Refusal:
    """So much that the stop loses `risk_percent` of the equity."""
    if facts.stop_loss_percent <= ZERO:
        return _unknown(rules, missing="stop_loss_percent")
    spend = share_down(facts.equity, part=rules.risk_percent, whole=facts.stop_loss_percent, step=SPEND_STEP)
    return spend, _named(rules, risk_percent=rules.risk_percent, stop_loss_percent=facts.stop_loss_percent)


def _by_kelly(rules: SizingRules, budget_percent: Decimal, facts: SizingFacts) -> _Wish | Refusal:
    """`kelly_fraction` of W - (1 - W) / R over the newest `kelly_trades` trades.

    W is the share of winners, R the average win over the average loss, both in per cent. Nothing lost yet: R is
    without limit and the formula is W.
    """
    newest = facts.trades[max(len(facts.trades) - rules.kelly_trades, 0) :]
    if len(newest) < rules.kelly_trades:
        return _unknown(rules, trades=Decimal(len(newest)), needed=Decimal(rules.kelly_trades))
    record = record_of(newest)
    numbers = _named(rules, win_rate=record.win_rate, average_win=record.average_win, average_loss=record.average_loss)
    if not record.wins:
        return Refusal(reason=Reason.SIZE_ZERO, numbers=numbers)
    lost = share_down(_ONE - record.win_rate, part=record.average_loss, whole=record.average_win, step=SPEND_STEP)
    kelly = subtract(record.win_rate, lost)
    numbers["kelly"] = plain(kelly)
    if kelly <= ZERO:
        return Refusal(reason=Reason.SIZE_ZERO, numbers=numbers)
    return share_down(facts.equity, part=multiply(kelly, rules.kelly_fraction), whole=_ONE, step=SPEND_STEP), numbers


def _hybrid(rules: SizingRules, budget_percent: Decimal, facts: SizingFacts) -> _Wish | Refusal:
    """The smaller of Kelly and the fixed amount; the fixed amount alone until there are enough trades for Kelly."""
    fixed = _fixed(rules, budget_percent, facts)
    if isinstance(fixed, Refusal):
        return fixed
    kelly = _by_kelly(rules, budget_percent, facts)
    if isinstance(kelly, Refusal):
        return fixed if kelly.reason is Reason.SIZE_UNKNOWN else kelly
    return min(kelly[0], fixed[0]), {**kelly[1], **fixed[1]}


def _tiered(rules: SizingRules, budget_percent: Decimal, facts: SizingFacts) -> _Wish | Refusal:
    """The per cent of the highest tier the equity has reached; nothing below the first."""
    reached = [tier for tier in rules.tiers if tier.from_equity <= facts.equity]
    if not reached:
        return Refusal(
            reason=Reason.SIZE_ZERO, numbers=_named(rules, equity=facts.equity, tiers=Decimal(len(rules.tiers)))
        )
    tier = max(reached, key=lambda one: one.from_equity)
    return _percent(facts.equity, tier.percent), _named(rules, tier_from=tier.from_equity, percent=tier.percent)


def _by_volatility(rules: SizingRules, budget_percent: Decimal, facts: SizingFacts) -> _Wish | Refusal:
    """So much that a move of one average true range changes the equity by `volatility_percent`."""
    if facts.atr is None or facts.atr <= ZERO:
        return _unknown(rules, missing="atr")
    exposed = _percent(facts.equity, rules.volatility_percent)
    spend = share_down(exposed, part=facts.price, whole=facts.atr, step=SPEND_STEP)
    return spend, _named(rules, volatility_percent=rules.volatility_percent, atr=facts.atr, price=facts.price)


def _by_temperature(rules: SizingRules, budget_percent: Decimal, facts: SizingFacts) -> _Wish | Refusal:
    """The bot's per cent times the factor of the market's temperature."""
    if facts.temperature is None:
        return _unknown(rules, missing="temperature")
    factors = {
        Temperature.COLD: rules.cold_factor,
        Temperature.WARM: rules.warm_factor,
        Temperature.HOT: rules.hot_factor,
    }
    factor = factors[facts.temperature]
    numbers = {**_named(rules, percent=budget_percent, factor=factor), "temperature": facts.temperature.value}
    return _percent(facts.equity, multiply(budget_percent, factor)), numbers


def _percent(amount: Decimal, percent: Decimal) -> Decimal:
    return share_down(amount, part=percent, whole=_HUNDRED, step=SPEND_STEP)


def _named(rules: SizingRules, **numbers: Decimal) -> dict[str, str]:
    return {"sizer": rules.mode.value, **{name: plain(number) for name, number in numbers.items()}}


def _unknown(rules: SizingRules, *, missing: str | None = None, **numbers: Decimal) -> Refusal:
    told = {"missing": missing} if missing else {}
    return Refusal(reason=Reason.SIZE_UNKNOWN, numbers={**_named(rules, **numbers), **told})


_SIZERS: Mapping[SizingMode, Callable[[SizingRules, Decimal, SizingFacts], _Wish | Refusal]] = {
    SizingMode.PERCENT: _by_percent,
    SizingMode.FIXED: _fixed,
    SizingMode.RISK: _by_risk,
    SizingMode.KELLY: _by_kelly,
    SizingMode.HYBRID: _hybrid,
    SizingMode.TIERED: _tiered,
    SizingMode.VOLATILITY: _by_volatility,
    SizingMode.TEMPERATURE: _by_temperature,
}
