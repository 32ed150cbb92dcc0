"""Finds strategies: the built-in ones, those of installed packages, and files of your own.

Own strategies are Python files in a folder: the one named by SUREFILL_STRATEGIES_FOLDER, or `strategies_own` next to
this package (so it travels in the same layer). Packages announce theirs as entry points "surefill.strategies".
Nothing is imported before it is asked for, and what can't be imported is a problem of its own, never of the others.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint
    from types import ModuleType

    from surefill.strategies.base import Strategy

FOLDER_VARIABLE = "SUREFILL_STRATEGIES_FOLDER"
GROUP = "surefill.strategies"
BUILT_IN: tuple[str, ...] = (
    "bollinger_range",
    "composite",
    "dca",
    "infinity_grid",
    "mean_reversion",
    "momentum_breakout",
    "pairs",
    "rebalance",
    "rsi_macd",
    "scalping",
    "signal_dca",
    "spot_grid",
    "swing",
    "webhook",
)
_NEXT_TO_PACKAGE = Path(__file__).resolve().parents[2] / "strategies_own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A strategy that can't be used: where it is, and why."""

    source: str
    error: str


class StrategyFileError(Exception):
    """A file that holds no usable strategy. The text says what was wrong and what was expected."""


class Catalogue(Mapping[str, "type[Strategy]"]):
    """All strategies by name. A built-in one is imported when it is asked for, the others together."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> type[Strategy]:
        """The strategy; KeyError when there is none of this name that works."""
        if name in BUILT_IN:
            return _only_strategy(importlib.import_module(f"surefill.strategies.{name}"))
        return self._own[0][name][0]

    def __iter__(self) -> Iterator[str]:
        yield from BUILT_IN
        yield from self._own[0]

    def __len__(self) -> int:
        return len(BUILT_IN) + len(self._own[0])

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be loaded."""
        return self._own[1]

    def source(self, name: str) -> str:
        """Where a strategy comes from: "built-in", an entry point, or a file. KeyError when there is none."""
        return "built-in" if name in BUILT_IN else self._own[0][name][1]

    @cached_property
    def _own(self) -> tuple[dict[str, tuple[type[Strategy], str]], tuple[Problem, ...]]:
        found: dict[str, tuple[type[Strategy], str]] = {}
        problems: list[Problem] = []
        for source, load in (*_entry_points(), *_files(self._folder or _folder())):
            try:
                strategy = load()
                taken = strategy.name in BUILT_IN or strategy.name in found
            except (Exception, SystemExit) as error:
                problems.append(Problem(source=source, error=f"{type(error).__name__}: {error}"))
                continue
            if taken:
                problems.append(Problem(source=source, error=f"another strategy is named {strategy.name!r} already"))
            else:
                found[strategy.name] = strategy, source
        return found, tuple(problems)


def load_file(path: Path) -> type[Strategy]:
    """The one strategy of a file. Raises StrategyFileError, and whatever the file raises."""
    module_name = f"surefill_own_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise StrategyFileError(f"{path} must be a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses and pydantic look names up there
    try:
        spec.loader.exec_module(module)
        return _only_strategy(module)
    except BaseException:
        del sys.modules[module_name]
        raise


def _only_strategy(module: ModuleType) -> type[Strategy]:
    from surefill.strategies.base import Strategy

    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise StrategyFileError(
            f"a file must define exactly one subclass of Strategy, {module.__name__} has {len(found)}"
        )
    return _usable(found[0])


def _usable(strategy: type[Strategy]) -> type[Strategy]:
    for attribute in ("name", "Params"):
        if not hasattr(strategy, attribute):
            raise StrategyFileError(f"{strategy.__name__} must set the class attribute {attribute}")
    missing = sorted(strategy.__abstractmethods__)
    if missing:
        raise StrategyFileError(f"{strategy.__name__} must define {', '.join(missing)}")
    return strategy


def _folder() -> Path:
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else _NEXT_TO_PACKAGE


def _files(folder: Path) -> list[tuple[str, Callable[[], type[Strategy]]]]:
    if not folder.is_dir():
        return []
    paths = sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))
    return [(str(path), partial(load_file, path)) for path in paths]


def _entry_points() -> list[tuple[str, Callable[[], type[Strategy]]]]:
    from importlib.metadata import entry_points

    points = sorted(entry_points(group=GROUP), key=lambda point: point.value)
    return [(f"entry point {point.value}", partial(_load_point, point)) for point in points]


def _load_point(point: EntryPoint) -> type[Strategy]:
    from surefill.strategies.base import Strategy

    loaded = point.load()
    if not isinstance(loaded, type) or not issubclass(loaded, Strategy):
        raise StrategyFileError(f"an entry point must name a subclass of Strategy, was {loaded!r}")
    return _usable(loaded)
