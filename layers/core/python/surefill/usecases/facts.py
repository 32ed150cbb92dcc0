"""What sizing and stops need to know of a market beyond its price: volatility and temperature. Asked for only then."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from surefill.domain.market import Refusal
from surefill.domain.rows import Bot
from surefill.domain.rules import SizingMode
from surefill.strategies.base import Needs
from surefill.strategies.market import MarketView
from surefill.usecases.data import Views

ATR_PERIOD = 14
_SLOW, _FAST = 50, 10
# Enough for Wilder's smoothing to have forgotten its beginning (weights below 1e-3).
_NEEDS = Needs(candles=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketFacts:
    """Last close and average true range in quote; `trend_percent` is how far the fast average is above the slow one.

    All but the close are None when nobody asked for them, or when there are too few candles.
    """

    last_close: Decimal
    atr: Decimal | None = None
    trend_percent: Decimal | None = None
    history: MarketView | None = None


def facts_needs(bot: Bot) -> Iterable[Needs]:
    """The candles that the bot's rules need on top of its strategy's."""
    return (_NEEDS,) if _asks(bot) else ()


def market_facts(bot: Bot, *, data: Views, market: MarketView) -> MarketFacts:
    """The facts at the last closed candle."""
    close = Decimal(str(market.close()))
    view = data.view(_NEEDS) if _asks(bot) else None
    if view is None or isinstance(view, Refusal):
        return MarketFacts(last_close=close)
    fast, slow = view.sma(_FAST), view.sma(_SLOW)
    return MarketFacts(
        last_close=close,
        atr=decimal_of(view.atr(ATR_PERIOD)),
        trend_percent=decimal_of((fast / slow - 1) * 100),
        history=view,
    )


def _asks(bot: Bot) -> bool:
    sizes = bot.sizing.mode in (SizingMode.VOLATILITY, SizingMode.TEMPERATURE)
    return sizes or bot.exit_rules.atr_stop_multiple is not None or bot.gates.adviser is not None


def decimal_of(value: float) -> Decimal:
    """A reading of an indicator as an amount, to twelve significant digits."""
    return Decimal(f"{value:.12g}")
