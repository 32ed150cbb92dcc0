"""A second opinion on a buy: what an adviser is told, what it answers, and the rules of the built-in one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from surefill.domain.money import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceRequest:
    """A buy that every other gate lets through. Prices are in quote; what there were too few candles for is None.

    `average` is the long moving average now, `average_before` what it was some candles ago; `volatility_percent` is
    the average true range in per cent of the price; `closes` are the newest closes, oldest first; `signal` is what the
    strategy read.
    """

    bot_id: str
    strategy: str
    symbol: str
    timeframe: str
    tick: datetime
    price: Decimal
    average: Decimal | None = None
    average_before: Decimal | None = None
    volatility_percent: Decimal | None = None
    closes: tuple[Decimal, ...] = ()
    signal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Whether to buy, why, and how sure the adviser is (0 to 1). It can only allow or block, never enlarge."""

    allow: bool
    reason: str
    confidence: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviserLimits:
    """Above this volatility nothing is bought; nor below an average that fell by more than this, both in per cent."""

    max_volatility_percent: Decimal = Decimal(5)
    max_fall_percent: Decimal = Decimal("0.5")


def rule_advice(request: AdviceRequest, *, limits: AdviserLimits) -> Advice | None:
    """Block a buy into extreme volatility, or under a falling long average. None when a number is missing."""
    average, before, volatility = request.average, request.average_before, request.volatility_percent
    if average is None or before is None or volatility is None:
        return None
    if volatility > limits.max_volatility_percent:
        return _block(f"volatility {plain(volatility)} % is above {plain(limits.max_volatility_percent)} %")
    fell = (1 - average / before) * 100
    if request.price < average and fell > limits.max_fall_percent:
        return _block(f"price is under a long average that fell by {fell:.2f} %")
    return Advice(allow=True, reason="volatility is in bounds, the trend is not against it", confidence=Decimal(1))


def _block(why: str) -> Advice:
    return Advice(allow=False, reason=why, confidence=Decimal(1))
