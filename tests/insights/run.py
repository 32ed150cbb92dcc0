"""Run a saved query over log lines in memory."""

import re
from collections.abc import Sequence
from typing import Any

from tests.insights.language import Parser, QueryError
from tests.insights.values import Row, order


def run(query: str, rows: Sequence[Row]) -> list[Row]:
    """Run a query. Before `fields` or `stats` chose columns, rows are whole."""
    text = "\n".join(line for line in query.splitlines() if not line.lstrip().startswith("#"))
    found = [dict(row) for row in rows]
    shown: list[str] | None = None
    for command in _commands(text):
        parser = Parser(command)
        match parser.word():
            case "filter":
                keep = parser.condition()
                found = [row for row in found if keep(row)]
            case "fields":
                columns = parser.columns()
                for row in found:
                    row.update({name: value for name, read in columns if (value := read(row)) is not None})
                shown = [*(shown or []), *(name for name, _ in columns)]
            case "stats":
                found, shown = _stats(parser, found)
            case "sort":
                for name, descending in reversed(parser.orders()):
                    found.sort(key=lambda row, name=name: order(row.get(name)), reverse=descending)  # type: ignore[misc]
            case "limit":
                found = found[: int(parser.take("number"))]
            case other:
                raise QueryError(f"command must be filter, fields, stats, sort or limit, was {other!r}")
        parser.end()
    return found if shown is None else [{name: row[name] for name in shown if name in row} for row in found]


def _commands(text: str) -> list[str]:
    """The query split at its pipes; those inside texts and expressions between slashes are none."""
    parts = re.findall(r'(?:"(?:[^"\\]|\\.)*"|like\s+/(?:[^/\\]|\\.)+/|[^|"])+', text)
    return [part.strip() for part in parts if part.strip()]


def _stats(parser: Parser, rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    figures = parser.figures()
    by = parser.columns() if parser.accept("by") else []
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(read(row) for _, read in by), []).append(row)
    found = []
    for key, members in groups.items():
        row = {name: value for (name, _), value in zip(by, key, strict=True) if value is not None}
        found.append(row | {name: value for name, figure in figures if (value := figure(members)) is not None})
    return found, [*(name for name, _ in by), *(name for name, _ in figures)]
