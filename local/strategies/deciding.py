"""One decision of a strategy under test: in time, and a signal that means something."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from surefill.strategies.base import Action, Position, Signal
from surefill.usecases.ask import problem_of, within

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from local.strategies.markets import Market
    from surefill.strategies.base import Needs, Strategy
    from surefill.strategies.market import MarketView

# Far above what a decision takes, on a machine that is busy too.
LIMIT_SECONDS = 10.0


class DecisionError(Exception):
    """A decision that no bot could use. The text says what was wrong and what was expected."""


def decided(strategy: Strategy, view: MarketView, position: Position | None) -> Signal:
    """The signal of one decision. Raises DecisionError when it fails, hangs, or returns something else."""
    try:
        with within(LIMIT_SECONDS):
            signal = strategy.decide(view, position)
    except TimeoutError:
        raise DecisionError(f"decide must take less than {LIMIT_SECONDS:g} s") from None
    except (Exception, SystemExit) as error:
        raise DecisionError(f"decide raised {type(error).__name__}: {error}") from error
    problem = problem_of(signal)
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
