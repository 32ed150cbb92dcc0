"""The figures of a backtest in words and as plain values, for tables, the report and JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from surefill.domain.money import plain
from surefill.domain.times import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.backtest.outcome import BudgetResult, Trade
    from local.backtest.statistics import Part, Statistics

_NONE = "-"


def facts(statistics: Statistics) -> list[tuple[str, str]]:
    """Name and value of every figure, the most telling ones first."""
    fall = statistics.drawdown
    return [
        ("return", _percent(statistics.total_return)),
        ("profit of closed trades", f"{statistics.profit:,.4f}"),
        ("deepest drawdown", _percent(fall.share)),
        ("trades", f"{statistics.trades:,}"),
        ("won", _percent(statistics.win_rate)),
        ("Sharpe ratio", _number(statistics.sharpe)),
        ("buy and hold", _percent(statistics.buy_and_hold)),
        ("return per year", _percent(statistics.annual_return)),
        ("start", f"{statistics.start:,.2f}"),
        ("end, open positions at the last close", f"{statistics.end:,.2f}"),
        ("fees", f"{statistics.fees:,.4f}"),
        ("drawdown in money", f"{fall.amount:,.2f}"),
        ("longest below a peak", _span(fall.longest_ms)),
        ("Sortino ratio", _number(statistics.sortino)),
        ("Calmar ratio", _number(statistics.calmar)),
        ("system quality number", _number(statistics.sqn)),
        ("wins", str(statistics.wins)),
        ("losses", str(statistics.losses)),
        ("expectancy per trade", _number(statistics.expectancy, places=4)),
        ("expectancy per trade, of its cost", _percent(statistics.expectancy_ratio, places=3)),
        ("profit factor", _number(statistics.profit_factor)),
        ("best trade", _percent(statistics.best)),
        ("worst trade", _percent(statistics.worst)),
        ("mean duration", _span(statistics.mean_duration_ms)),
        ("time in the market", _percent(statistics.exposure)),
        ("span", f"{statistics.days:.1f} days"),
    ]


def part_rows(parts: Mapping[str, Part]) -> list[list[str]]:
    """Rows of a table of parts."""
    return [
        [name, str(part.trades), _percent(part.wins / part.trades), f"{part.profit:,.4f}", _percent(part.mean_ratio)]
        for name, part in parts.items()
    ]


def as_json(result: BudgetResult, statistics: Statistics, *, with_trades: bool = True) -> dict[str, Any]:
    """A result as JSON values: amounts as text, ratios as numbers."""
    document: dict[str, Any] = {
        "name": result.name,
        "engine": str(result.engine),
        "bots": list(result.bots),
        "symbols": list(result.symbols),
        "candles": result.candles,
        "available": plain(result.available),
        "realised": plain(result.realised),
        "open": {symbol: plain(quantity) for symbol, quantity in result.open_quantity.items()},
        "decisions": {str(name): count for name, count in sorted(result.decisions.items())},
        "gaps": {
            symbol: {"count": gaps.count, "missing": gaps.missing, "longest": gaps.longest,
                     "first_from": gaps.first_from and format_time(gaps.first_from)}
            for symbol, gaps in result.gaps.items()
        },
        "statistics": _plain(asdict(statistics)),
    }  # fmt: skip
    if with_trades:
        document["trades"] = [trade_json(trade) for trade in result.trades]
    return document


def trade_json(trade: Trade) -> dict[str, Any]:
    """A trade as JSON values."""
    return {
        "bot": trade.bot,
        "symbol": trade.symbol,
        "opened_at": format_time(trade.opened_at),
        "closed_at": format_time(trade.closed_at),
        "quantity": plain(trade.quantity),
        "entry_price": trade.entry_price,
        "exit_price": trade.exit_price,
        "cost": plain(trade.cost),
        "proceeds": plain(trade.proceeds),
        "profit": plain(trade.profit),
        "tranches": trade.tranches,
        "reason": str(trade.reason),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return value


def _percent(value: float | None, *, places: int = 2) -> str:
    return _NONE if value is None else f"{value * 100:,.{places}f} %"


def _number(value: float | None, *, places: int = 2) -> str:
    return _NONE if value is None else f"{value:,.{places}f}"


def _span(milliseconds: float | None) -> str:
    if milliseconds is None:
        return _NONE
    whole = timedelta(seconds=round(milliseconds / 1_000))
    hours, rest = divmod(whole.seconds, 3_600)
    return f"{whole.days} d {hours} h {rest // 60} min" if whole.days else f"{hours} h {rest // 60} min"
