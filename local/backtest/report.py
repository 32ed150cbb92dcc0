"""The report of a backtest: one HTML file that needs nothing else, readable in light and dark."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from local.backtest.charts import Line, Marker, chart
from local.backtest.figures import facts, part_rows
from surefill.domain.kinds import Side
from surefill.domain.times import to_milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from local.backtest.history import History
    from local.backtest.outcome import BudgetResult, Order, Trade
    from local.backtest.statistics import Statistics

_STYLE = Path(__file__).with_name("report.css")
_COLOURS = 6
_LAST_TRADES = 1_000


def report(
    results: Sequence[BudgetResult],
    *,
    statistics: Mapping[str, Statistics],
    histories: Mapping[str, History],
    title: str,
    settings: Mapping[str, str],
) -> str:
    """The whole page."""
    parts = [f"<h1>{escape(title)}</h1>", _settings(settings)]
    if len(results) > 1:
        parts.append(_comparison(results, statistics))
    for result in results:
        parts += _section(result, statistics[result.name], histories, headed=len(results) > 1)
    style = _STYLE.read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )


def _settings(settings: Mapping[str, str]) -> str:
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in settings.items())
    return f'<dl class="settings">{items}</dl>'


def _comparison(results: Sequence[BudgetResult], statistics: Mapping[str, Statistics]) -> str:
    lines = [
        Line(
            name=result.name,
            times_ms=result.curve.times_ms,
            values=(result.curve.values / float(result.start) - 1) * 100,
            css=f"c{number % _COLOURS}",
        )
        for number, result in enumerate(results)
    ]
    columns = {result.name: dict(facts(statistics[result.name])) for result in results}
    names = next(iter(columns.values()))
    rows = [[name, *(columns[result.name][name] for result in results)] for name in names]
    return (
        "<h2>Compared</h2>"
        + chart(lines, title="Return, per cent", unit=" %")
        + _table(["", *(result.name for result in results)], rows)
    )


def _section(
    result: BudgetResult, statistics: Statistics, histories: Mapping[str, History], *, headed: bool
) -> list[str]:
    curve = result.curve
    peaks = np.maximum.accumulate(curve.values)
    falls = np.where(peaks > 0, curve.values / peaks - 1, 0.0) * 100
    parts = [f"<h2>{escape(result.name)}</h2>"] if headed else []
    parts += [
        '<div class="tiles">' + "".join(_tile(name, value) for name, value in facts(statistics)[:6]) + "</div>",
        chart([Line(name="equity", times_ms=curve.times_ms, values=curve.values, css="c0")], title="Equity"),
        chart(
            [Line(name="drawdown", times_ms=curve.times_ms, values=falls, css="c3", area=True)],
            title="Drawdown, per cent of the peak",
            unit=" %",
        ),
        *(_prices(symbol, result, histories) for symbol in result.symbols if symbol in histories),
        "<h3>Figures</h3>",
        _table(["figure", "value"], facts(statistics)),
        "<h3>By exit</h3>",
        _table(["reason", "trades", "won", "profit", "mean"], part_rows(statistics.by_reason)),
        "<h3>By symbol</h3>",
        _table(["symbol", "trades", "won", "profit", "mean"], part_rows(statistics.by_symbol)),
        "<h3>Decisions</h3>",
        _table(["reason", "count"], sorted((str(name), str(count)) for name, count in result.decisions.items())),
        _trades(result.trades),
    ]
    return parts


def _tile(name: str, value: str) -> str:
    return f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>"


def _prices(symbol: str, result: BudgetResult, histories: Mapping[str, History]) -> str:
    history = histories[symbol]
    line = Line(name=symbol, times_ms=history.opened_ms + history.length_ms, values=history.close, css="price")
    markers = [_marker(order) for order in result.orders if order.symbol == symbol]
    return chart([line], markers=markers, title=f"{symbol}: close, buys and sales")


def _marker(order: Order) -> Marker:
    buys = order.side is Side.BUY
    text = (
        f"{order.at:%Y-%m-%d %H:%M} {order.side} {order.quantity.normalize():f} at {order.price:.8g} ({order.reason})"
    )
    return Marker(
        time_ms=to_milliseconds(order.at), value=order.price, css="buy" if buys else "sell", up=buys, text=text
    )


def _trades(trades: Sequence[Trade]) -> str:
    shown = trades[-_LAST_TRADES:]
    rows = [
        [
            f"{trade.opened_at:%Y-%m-%d %H:%M}",
            f"{trade.closed_at:%Y-%m-%d %H:%M}",
            trade.bot,
            trade.symbol,
            f"{trade.quantity.normalize():f}",
            f"{trade.entry_price:.8g}",
            f"{trade.exit_price:.8g}",
            f"{trade.profit:.4f}",
            f"{trade.profit_ratio:.2%}",
            str(trade.reason),
        ]
        for trade in shown
    ]
    head = ["opened", "closed", "bot", "symbol", "quantity", "entry", "exit", "profit", "of cost", "why"]
    which = f"the last {len(shown)} of {len(trades)}" if len(shown) < len(trades) else f"{len(trades)}"
    return f"<details><summary>Trades ({which})</summary>{_table(head, rows)}</details>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    header = "".join(f"<th>{escape(name)}</th>" for name in head)
    return f'<div class="scroll"><table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>'
