"""`surefill strategy check`: what must hold of a strategy before it may trade, each as a test of its own.

| test | fails when |
|---|---|
| parameters | a number has no limits or no description, an unknown one is accepted, or a limit itself does not work |
| signals | a decision raises, hangs, or is no usable signal, also on flat, jumping, tiny or huge prices |
| look_ahead | a decision changes when candles after it are changed or missing |
| warm_up | a decision with exactly the candles it needs differs from one with a longer history |
| determinism | a decision differs when asked again, in another order, or in another process |
| screen | `screen` leaves out a candle at which a decision wants something, or `sides` says another thing than it |
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from local.errors import LocalError
from local.strategies import limits
from local.strategies.deciding import DecisionError, decided, fingerprint, positions_at, wants
from local.strategies.digest import digest_of
from local.strategies.markets import SYMBOLS, Market, first_index, generated, shaped
from local.strategies.targets import made
from surefill.domain.times import format_time
from surefill.strategies.base import Action, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from surefill.strategies.base import Needs, Position, Strategy

CHECKED_CANDLES = 600
_LOOK_AHEAD_POINTS = 120
_MOST_CANDLES = 50_000
_HASH_SEEDS = ("1", "2")
_CHILD_SECONDS = 300
# The whole signal that a side stands for, but for the numbers it was read from.
_SIGNALS = {1: Signal(action=Action.BUY), -1: Signal(action=Action.SELL), 0: Signal(action=Action.HOLD)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one test said. `candle` is the index of the candle at which it failed, `at` when that candle closed."""

    test: str
    passed: bool
    text: str = ""
    candle: int | None = None
    at: str | None = None


class _FailedError(Exception):
    def __init__(self, text: str, *, candle: int | None = None, market: Market | None = None) -> None:
        super().__init__(text)
        self.candle = candle
        self.at = format_time(market.closed_at(candle)) if market is not None and candle is not None else None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A strategy with parameters on the market it is checked on. `first` is the first candle it can decide at."""

    strategy: Strategy
    symbol: str
    needs: Needs
    market: Market
    first: int

    def indices(self) -> range:
        """Candles to decide at."""
        return range(self.first, len(self.market))

    def positions(self, index: int) -> Mapping[str, Position | None]:
        """Positions to decide with."""
        return positions_at(self.market, self.symbol, index=index, needs=self.needs)

    def decide(self, index: int, position: Position | None, *, market: Market | None = None) -> Signal:
        """The decision at a candle, of this or another market, over all candles there are."""
        whole = market or self.market
        return self._decided(lambda: whole.view(self.symbol, index=index, needs=self.needs), position, index)

    def decide_exactly(self, index: int, position: Position | None) -> Signal:
        """The decision at a candle with exactly the candles needed."""
        return self._decided(
            lambda: self.market.exact_view(self.symbol, index=index, needs=self.needs), position, index
        )

    def _decided(self, view: Callable[[], Any], position: Position | None, index: int) -> Signal:
        try:
            return decided(self.strategy, view(), position)
        except DecisionError as error:
            raise _FailedError(str(error), candle=index, market=self.market) from error

    def cases(self) -> Iterator[tuple[int, str, Position | None]]:
        """Every candle with every position."""
        for index in self.indices():
            for name, position in self.positions(index).items():
                yield index, name, position


def subject_of(strategy: Strategy, *, seed: int, symbol: str = SYMBOLS[0], count: int = CHECKED_CANDLES) -> Subject:
    """A generated market long enough for `count` decisions. Raises LocalError when that can't be."""
    try:
        needs = strategy.needs(SYMBOLS, symbol)
    except Exception as error:
        raise LocalError(f"needs of {strategy.name} raised {type(error).__name__}: {error}") from None
    timeframe = strategy.default_timeframe
    first = first_index(needs, timeframe)
    if first > _MOST_CANDLES:
        raise LocalError(f"{strategy.name} needs {first} candles of {timeframe}, more than the {_MOST_CANDLES} allowed")
    market = generated(seed=seed, count=first + count, timeframe=timeframe)
    return Subject(strategy=strategy, symbol=symbol, needs=needs, market=market, first=first)


def check(
    kind: type[Strategy], params: Mapping[str, Any], *, target: str, seed: int, folder: Path | None = None
) -> list[Result]:
    """Run all tests. `target` and `folder` are how another process finds the strategy. Raises LocalError."""
    subject = subject_of(made(kind, params), seed=seed)
    asked = {"target": target, "params": dict(params), "seed": seed, "folder": str(folder) if folder else None}
    tests: dict[str, Callable[[], None]] = {
        "parameters": lambda: _parameters(kind, params),
        "signals": lambda: _signals(subject),
        "look_ahead": lambda: _look_ahead(subject),
        "warm_up": lambda: _warm_up(subject),
        "determinism": lambda: _determinism(subject, kind, params, asked=asked),
        "screen": lambda: _screen(subject),
    }
    return [_result(name, test) for name, test in tests.items()]


def _result(name: str, test: Callable[[], None]) -> Result:
    try:
        test()
    except _FailedError as failed:
        return Result(test=name, passed=False, text=str(failed), candle=failed.candle, at=failed.at)
    return Result(test=name, passed=True)


def _parameters(kind: type[Strategy], params: Mapping[str, Any]) -> None:
    problem = limits.problem_of(kind, params)
    if problem:
        raise _FailedError(problem)


def _signals(subject: Subject) -> None:
    for index, _, position in subject.cases():
        subject.decide(index, position)
    count = len(subject.market)
    shapes: dict[str, Callable[[int], float]] = {
        "flat prices": lambda _: 100.0,
        "a price that jumps": lambda index: 100.0 if index % 7 else 100_000.0,
        "a price that collapses": lambda index: 100.0 if index < count - 3 else 0.001,
        "tiny prices": lambda index: 1e-8 * (1 + index % 5),
        "huge prices": lambda index: 1e9 + index % 11,
        "a price that only falls": lambda index: 1e4 * 0.999 ** min(index, 9_000),
        "a price that only rises": lambda index: 1e-2 * 1.001 ** min(index, 9_000),
    }
    for name, shape in shapes.items():
        for volume in (10.0, 0.0):
            market = shaped(shape, count=count, timeframe=subject.market.timeframe, volume=volume)
            for index in range(count - 5, count):
                _usable_on(subject, market, name=name, index=index)


def _usable_on(subject: Subject, market: Market, *, name: str, index: int) -> None:
    for position in positions_at(market, subject.symbol, index=index, needs=subject.needs).values():
        for view in (market.view, market.exact_view):
            try:
                decided(subject.strategy, view(subject.symbol, index=index, needs=subject.needs), position)
            except DecisionError as error:
                raise _FailedError(f"on {name}: {error}", candle=index, market=market) from error


def _look_ahead(subject: Subject) -> None:
    acting = [index for index, _, position in subject.cases() if wants(subject.decide(index, position))]
    every = max(1, len(subject.indices()) // _LOOK_AHEAD_POINTS)
    step = max(1, len(acting) // _LOOK_AHEAD_POINTS)
    for index in sorted({*subject.indices()[:-1:every], *acting[::step]} - {len(subject.market) - 1}):
        variants = {
            "changed": subject.market.changed_after(index),
            "missing": subject.market.until(index),
        }
        for name, position in subject.positions(index).items():
            expected = fingerprint(subject.decide(index, position))
            for what, market in variants.items():
                if fingerprint(subject.decide(index, position, market=market)) != expected:
                    raise _FailedError(
                        f"the decision ({name}) is another one when later candles are {what}",
                        candle=index,
                        market=subject.market,
                    )


def _warm_up(subject: Subject) -> None:
    for index, name, position in subject.cases():
        exact, longer = subject.decide_exactly(index, position), subject.decide(index, position)
        if (exact.action, exact.adds, exact.rungs) != (longer.action, longer.adds, longer.rungs):
            raise _FailedError(
                f"{subject.needs.candles} candles ({name}) give {exact.action}, a longer history gives"
                f" {longer.action}: needs must ask for more candles",
                candle=index,
                market=subject.market,
            )


def _determinism(
    subject: Subject, kind: type[Strategy], params: Mapping[str, Any], *, asked: Mapping[str, Any]
) -> None:
    first = {(index, name): fingerprint(subject.decide(index, position)) for index, name, position in subject.cases()}
    again = subject_of(made(kind, params), seed=asked["seed"])
    for index in reversed(again.indices()):
        for name, position in again.positions(index).items():
            if fingerprint(again.decide(index, position)) != first[index, name]:
                raise _FailedError(
                    f"the decision ({name}) is another one when asked again in another order",
                    candle=index,
                    market=subject.market,
                )
    own = digest_of(subject)
    for hash_seed in _HASH_SEEDS:
        theirs = _digest_elsewhere(asked, hash_seed=hash_seed)
        different = next((index for index in own if own[index] != theirs.get(index)), None)
        if different is not None:
            raise _FailedError(
                "the decision is another one in another process", candle=different, market=subject.market
            )


def _digest_elsewhere(asked: Mapping[str, Any], *, hash_seed: str) -> dict[int, str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-m", "local.strategies.digest"],
        input=json.dumps(asked),
        env=environment, capture_output=True, text=True, check=False, timeout=_CHILD_SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        raise _FailedError(f"in another process it fails: {done.stderr.strip().splitlines()[-1:]}")
    return {int(index): digest for index, digest in json.loads(done.stdout.splitlines()[-1]).items()}


def _screen(subject: Subject) -> None:
    sides = _told(subject, "sides")
    for index, name, position in subject.cases() if sides is not None else ():
        signal = subject.decide(index, position)
        if replace(signal, numbers={}) != _SIGNALS.get(int(sides[index])):
            raise _FailedError(
                f"sides says {sides[index]}, but decide ({name}) wants {signal.action} or says more than that",
                candle=index,
                market=subject.market,
            )
    screen = _told(subject, "screen")
    if screen is None:
        return
    for index, name, position in subject.cases():
        signal = subject.decide(index, position)
        if wants(signal) and not screen[index]:
            raise _FailedError(
                f"screen leaves the candle out, but decide ({name}) wants {signal.action}",
                candle=index,
                market=subject.market,
            )


def _told(subject: Subject, name: str) -> Any:
    """What `screen` or `sides` says of all candles; None when the strategy has none."""
    try:
        told = getattr(subject.strategy, name)(subject.market.series(subject.symbol))
    except Exception as error:
        raise _FailedError(f"{name} raised {type(error).__name__}: {error}") from error
    if told is not None and len(told) != len(subject.market):
        raise _FailedError(f"{name} must have one value per candle ({len(subject.market)}), was {len(told)}")
    return told
