"""One decision of a strategy under test: in time, and a signal that means something."""

from __future__ import annotations

import signal as signals
import threading
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from surefill.strategies.base import Action, Position, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from types import FrameType

    from local.strategies.markets import Market
    from surefill.strategies.base import Needs, Rung, Strategy
    from surefill.strategies.market import MarketView

# Far above what a decision takes, on a machine that is busy too.
LIMIT_SECONDS = 10.0


class DecisionError(Exception):
    """A decision that no bot could use. The text says what was wrong and what was expected."""


def decided(strategy: Strategy, view: MarketView, position: Position | None) -> Signal:
    """The signal of one decision. Raises DecisionError when it fails, hangs, or returns something else."""
    try:
        with _time_limit(LIMIT_SECONDS):
            signal = strategy.decide(view, position)
    except TimeoutError:
        raise DecisionError(f"decide must take less than {LIMIT_SECONDS:g} s") from None
    except (Exception, SystemExit) as error:
        raise DecisionError(f"decide raised {type(error).__name__}: {error}") from error
    problem = _problem(signal)
    if problem:
        raise DecisionError(problem)
    return signal


def fingerprint(signal: Signal) -> tuple[Any, ...]:
    """All that a signal says, comparable."""
    return (
        signal.action.value, sorted(signal.numbers.items()), signal.weight, signal.spend, signal.adds, signal.share,
        signal.rungs,
    )  # fmt: skip


def wants(signal: Signal) -> bool:
    """Whether the signal asks for anything."""
    return signal.action is not Action.HOLD or bool(signal.rungs)


def positions_at(market: Market, symbol: str, *, index: int, needs: Needs) -> Mapping[str, Position | None]:
    """No position, one bought some candles ago, and one of two older tranches, as they might be at a candle."""
    recent, older, oldest = (_bought(market, symbol, index=max(0, index - ago)) for ago in (15, 60, 200))
    positions: dict[str, Position | None] = {
        "no position": None,
        "one tranche": Position(
            quantity=Decimal(1), cost=recent[0], opened_at=recent[1], last_price=recent[0], last_at=recent[1]
        ),
        "two tranches": Position(
            quantity=Decimal(2), cost=oldest[0] + older[0], opened_at=oldest[1], tranches=2, last_price=older[0],
            last_at=older[1],
        ),
    }  # fmt: skip
    if not needs.equity:
        return positions
    nothing = Position(quantity=Decimal(0), cost=Decimal(0), opened_at=None)
    close = _price(market.candles[symbol].close[index])
    with_equity = {}
    for (name, position), money in zip(positions.items(), (100, 1, 200), strict=True):
        held = position or nothing
        with_equity[name] = replace(held, equity=held.quantity * close + money)
    return with_equity


def _bought(market: Market, symbol: str, *, index: int) -> tuple[Decimal, datetime]:
    return _price(market.candles[symbol].close[index]), market.closed_at(index)


def _price(value: float) -> Decimal:
    return Decimal(f"{value:.8g}")


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """TimeoutError after so long. Only the main thread can be interrupted; elsewhere there is no limit."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signals.signal(signals.SIGALRM, late)
    signals.setitimer(signals.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signals.setitimer(signals.ITIMER_REAL, 0)
        signals.signal(signals.SIGALRM, before)


def _problem(signal: object) -> str | None:
    if not isinstance(signal, Signal):
        return f"decide must return a Signal, was {type(signal).__name__}"
    if not isinstance(signal.action, Action):
        return f"action must be an Action, was {signal.action!r}"
    if not all(isinstance(part, str) for pair in signal.numbers.items() for part in pair):
        return f"numbers must be text by name, was {dict(signal.numbers)!r}"
    for name, value in (("weight", signal.weight), ("spend", signal.spend), ("share", signal.share)):
        if value is None and name == "spend":
            continue
        if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
            return f"{name} must be a Decimal above 0, was {value!r}"
    if signal.share > 1:
        return f"share must be at most 1, was {signal.share}"
    names = [rung.name for rung in signal.rungs]
    if len(set(names)) != len(names):
        return f"rungs must have different names, was {names}"
    return next((problem for problem in map(_rung_problem, signal.rungs) if problem), None)


def _rung_problem(rung: Rung) -> str | None:
    if not rung.name.isalnum():
        return f"the name of a rung must be letters and digits, was {rung.name!r}"
    if not 0 < rung.buy_price < rung.sell_price or rung.weight <= 0:
        return f"rung {rung.name} must be bought above 0 and sold higher, was {rung.buy_price} and {rung.sell_price}"
    return None
