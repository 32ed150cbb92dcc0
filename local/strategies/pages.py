"""One page per strategy, made of its docstring and the schema of its parameters: `python -m local.strategies.pages`."""

from __future__ import annotations

import importlib
import sys
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.strategies.limits import number_schema
from surefill.strategies import STRATEGIES
from surefill.strategies.loading import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from surefill.strategies.base import Strategy

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "strategies"
_TITLES = ("parameter", "default", "limits", "meaning")
_BOUNDS = (("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<="), ("exclusiveMaximum", "<"))


def page_of(kind: type[Strategy]) -> str:
    """The page in Markdown."""
    stops = "may be run without" if kind.holds_without_stop else "needs"
    lines = [
        f"# {kind.name}",
        "",
        _docstring(kind),
        "",
        f"Default timeframe {kind.default_timeframe}, default interval {_interval(kind.default_interval_seconds)};"
        f" {stops} take profit and stop loss.",
        "",
        "## Parameters",
        "",
        *_table([_TITLES, *(_cells(parameter) for parameter in parameters_of(kind))]),
        "",
    ]
    return "\n".join(lines)


def described(kind: type[Strategy]) -> dict[str, Any]:
    """The same as plain data."""
    return {
        "name": kind.name,
        "text": _docstring(kind),
        "default_timeframe": kind.default_timeframe,
        "default_interval_seconds": kind.default_interval_seconds,
        "holds_without_stop": kind.holds_without_stop,
        "parameters": parameters_of(kind),
        "schema": kind.Params.model_json_schema(),
    }


def summary_of(kind: type[Strategy]) -> str:
    """The first line of its docstring."""
    return _docstring(kind).splitlines()[0]


def parameters_of(kind: type[Strategy]) -> list[dict[str, Any]]:
    """Name, default, limits and meaning of each parameter; a required one has an example instead of a default."""
    schema = kind.Params.model_json_schema()
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "required": name in required,
            "default": field.get("default"),
            "example": next(iter(field.get("examples", ())), None),
            "limits": _limits(field, schema.get("$defs", {})),
            "meaning": field.get("description", ""),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def index() -> str:
    """The page that leads to the others."""
    rows = [("strategy", "timeframe", "interval", "in one sentence")]
    for name in BUILT_IN:
        kind = STRATEGIES[name]
        rows.append(
            (
                f"[{name}]({name}.md)",
                kind.default_timeframe,
                _interval(kind.default_interval_seconds),
                _sentence(kind),
            )
        )
    return "\n".join([_INDEX_HEAD, *_table(rows), "", _INDEX_TAIL])


def pages() -> Mapping[str, str]:
    """All pages by file name."""
    return {"README.md": index(), **{f"{name}.md": page_of(STRATEGIES[name]) for name in BUILT_IN}}


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{FOLDER}: {len(pages())} pages\n")


def _docstring(kind: type[Strategy]) -> str:
    module = sys.modules.get(kind.__module__) or importlib.import_module(kind.__module__)
    return cleandoc(module.__doc__ or kind.__doc__ or kind.name)


def _limits(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    reference = field.get("$ref", "").rpartition("/")[2]
    choices = field.get("enum") or definitions.get(reference, {}).get("enum")
    if choices:
        return ", ".join(map(str, choices))
    if field.get("type") == "boolean":
        return "true, false"
    number = number_schema(field)
    if number is None:
        return f"text like {field['pattern']}" if "pattern" in field else "text"
    return ", ".join(f"{sign} {number[key]:.15g}" for key, sign in _BOUNDS if key in number)


def _sentence(kind: type[Strategy]) -> str:
    text = summary_of(kind).partition(": ")[2]
    return text[:1].upper() + text[1:]


def _cells(parameter: Mapping[str, Any]) -> tuple[str, ...]:
    default = parameter["default"]
    if parameter["required"]:
        default = f"required, such as {parameter['example']}"
    elif default is None:
        default = "none"
    elif isinstance(default, bool):
        default = str(default).lower()
    return f"`{parameter['name']}`", str(default), parameter["limits"], parameter["meaning"]


def _interval(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return [head, "|" + "---|" * len(rows[0]), *body]


_INDEX_HEAD = """# Strategies

A strategy is one file: parameters with limits, what it needs to see, and `decide(market, position) -> Signal`. The
market it sees ends at the last closed candle. It wishes; the engine checks, sizes and orders.
"""
_INDEX_TAIL = """## Your own

```
surefill strategy new my_idea --folder strategies      writes strategies/my_idea.py, which works
surefill strategy check strategies/my_idea.py          tests it; exit code 1 when a test fails
surefill strategy list --folder strategies             all that are known, and files that can't be loaded
surefill strategy show composite                       what it does and its parameters
```

A strategy of your own is found in the folder that `SUREFILL_STRATEGIES_FOLDER` names, in `strategies_own` next to the
package `surefill` (then it is in the layer of the functions too), or as an entry point of the group
"surefill.strategies". A file that can't be imported is reported and hurts no other.

| the check | fails when |
|---|---|
| parameters | a number has no limits or no description, an unknown one is accepted, a limit itself does not work |
| signals | a decision raises, takes a second or more, or is no usable signal, also on flat, jumping or huge prices |
| look_ahead | a decision changes when the candles after it are changed or missing |
| warm_up | a decision with exactly the candles it needs differs from one with a longer history |
| determinism | a decision differs when asked again, in another order, or in another process |
| screen | `screen` leaves out a candle at which a decision wants something, or `sides` says another thing than it |
"""


if __name__ == "__main__":
    main()
