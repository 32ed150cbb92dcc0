"""Figures of a backtest, from its closed trades and its equity curve. Pure; a figure that does not exist is None.

Money that was earned stays Decimal and exact; ratios are floats. Returns are shares (0.1 is 10 %), not per cent.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from surefill.domain.money import ZERO, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from local.backtest.outcome import Curve, Trade

DAY_MS = 86_400_000
YEAR_DAYS = 365  # crypto markets never close


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """The deepest fall of the equity from a peak: in quote, as a share of the peak, and the longest time below one."""

    amount: float
    share: float
    longest_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Trades of one kind: how many, how many won, and what they brought together (quote)."""

    trades: int
    wins: int
    profit: Decimal
    mean_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """All figures. `profit` is of closed trades; `end` and `total_return` value open positions at the last closes."""

    start: Decimal
    end: float
    profit: Decimal
    fees: float
    total_return: float
    annual_return: float | None
    buy_and_hold: float | None
    drawdown: Drawdown
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    sqn: float | None
    trades: int
    wins: int
    losses: int
    win_rate: float | None
    expectancy: float | None
    expectancy_ratio: float | None
    profit_factor: float | None
    best: float | None
    worst: float | None
    mean_duration_ms: float | None
    exposure: float
    days: float
    by_reason: Mapping[str, Part]
    by_symbol: Mapping[str, Part]


def statistics_of(
    *, trades: Sequence[Trade], curve: Curve, start: Decimal, closes: Mapping[str, tuple[float, float]]
) -> Statistics:
    """Everything, for money that began with `start`. `closes` are the first and last close of each symbol."""
    exact = [trade.profit for trade in trades]
    profits = [float(profit) for profit in exact]
    ratios = [trade.ratio_of(profit) for trade, profit in zip(trades, exact, strict=True)]
    days = float(curve.times_ms[-1] - curve.times_ms[0]) / DAY_MS
    end = float(curve.values[-1])
    total_return = end / float(start) - 1
    daily = daily_returns(curve)
    fall = drawdown(curve)
    annual = annual_return(total_return, days=days)
    return Statistics(
        start=start,
        end=end,
        profit=total(exact),
        fees=math.fsum(trade.fees for trade in trades),
        total_return=total_return,
        annual_return=annual,
        buy_and_hold=buy_and_hold(closes),
        drawdown=fall,
        sharpe=sharpe(daily),
        sortino=sortino(daily),
        calmar=None if annual is None or not fall.share else annual / fall.share,
        sqn=sqn(profits),
        trades=len(trades),
        wins=sum(profit > 0 for profit in profits),
        losses=sum(profit < 0 for profit in profits),
        win_rate=sum(profit > 0 for profit in profits) / len(profits) if profits else None,
        expectancy=math.fsum(profits) / len(profits) if profits else None,
        expectancy_ratio=math.fsum(ratios) / len(ratios) if ratios else None,
        profit_factor=profit_factor(profits),
        best=max(ratios, default=None),
        worst=min(ratios, default=None),
        mean_duration_ms=_mean_duration_ms(trades),
        exposure=exposure(curve),
        days=days,
        by_reason=_parts([str(trade.reason) for trade in trades], profits=exact, ratios=ratios),
        by_symbol=_parts([trade.symbol for trade in trades], profits=exact, ratios=ratios),
    )


def daily_returns(curve: Curve) -> Any:
    """Return of each UTC day, from the last value of one day to the last of the next; the first day has none."""
    days = curve.times_ms // DAY_MS
    last_of_day = np.flatnonzero(np.concatenate([days[1:] != days[:-1], [True]]))
    values = curve.values[last_of_day]
    if len(values) < 2:
        return np.zeros(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = values[1:] / values[:-1] - 1
    return returns[np.isfinite(returns)]


def sharpe(returns: Any) -> float | None:
    """Sharpe (1994), The Sharpe Ratio: mean over standard deviation of daily returns, riskless rate 0, per year.

    The deviation is the sample's (n - 1); a year has 365 trading days.
    """
    if len(returns) < 2:
        return None
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation * math.sqrt(YEAR_DAYS) if deviation else None


def sortino(returns: Any) -> float | None:
    """Sortino and Price (1994): like Sharpe's, but over the root mean square of the days below 0 (of all days)."""
    if len(returns) < 2:
        return None
    downside = math.sqrt(float((np.minimum(returns, 0.0) ** 2).mean()))
    return float(returns.mean()) / downside * math.sqrt(YEAR_DAYS) if downside else None


def annual_return(total_return: float, *, days: float) -> float | None:
    """Compound annual growth rate; None for less than a day, or when everything was lost."""
    if days < 1 or total_return <= -1:
        return None
    exponent = math.log1p(total_return) * YEAR_DAYS / days
    return math.expm1(exponent) if exponent < 700 else None


def sqn(profits: Sequence[float]) -> float | None:
    """Van Tharp's system quality number: root of the trades x mean profit over its standard deviation (n - 1)."""
    if len(profits) < 2:
        return None
    values = np.asarray(profits)
    deviation = float(values.std(ddof=1))
    return math.sqrt(len(profits)) * float(values.mean()) / deviation if deviation else None


def profit_factor(profits: Iterable[float]) -> float | None:
    """Sum of the profits over the sum of the losses; None without a loss."""
    known = list(profits)
    lost = -math.fsum(profit for profit in known if profit < 0)
    return math.fsum(profit for profit in known if profit > 0) / lost if lost else None


def drawdown(curve: Curve) -> Drawdown:
    """Deepest fall below the highest value so far, and the longest stretch below it (also one that has not ended)."""
    peaks = np.maximum.accumulate(curve.values)
    falls = peaks - curve.values
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(peaks > 0, falls / peaks, 0.0)
    at_peak = np.flatnonzero(falls <= 0)
    marks = np.concatenate([curve.times_ms[at_peak], curve.times_ms[-1:]])
    longest = int(np.diff(marks).max()) if len(marks) > 1 and falls.any() else 0
    return Drawdown(amount=float(falls.max()), share=float(shares.max()), longest_ms=longest)


def buy_and_hold(closes: Mapping[str, tuple[float, float]]) -> float | None:
    """Return of the same money put into all symbols in equal parts at their first closes, without costs."""
    if not closes:
        return None
    return math.fsum(last / first - 1 for first, last in closes.values()) / len(closes)


def exposure(curve: Curve) -> float:
    """Share of the candles at whose close anything was held."""
    return float((curve.held > 0).mean()) if len(curve.held) else 0.0


def _mean_duration_ms(trades: Sequence[Trade]) -> float | None:
    if not trades:
        return None
    seconds = math.fsum((trade.closed_at - trade.opened_at).total_seconds() for trade in trades)
    return seconds * 1_000 / len(trades)


def _parts(names: Sequence[str], *, profits: Sequence[Decimal], ratios: Sequence[float]) -> dict[str, Part]:
    """The parts of trades that have these names."""
    found: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        found[name].append(place)
    return {
        name: Part(
            trades=len(places),
            wins=sum(profits[place] > ZERO for place in places),
            profit=total(profits[place] for place in places),
            mean_ratio=math.fsum(ratios[place] for place in places) / len(places),
        )
        for name, places in sorted(found.items())
    }
