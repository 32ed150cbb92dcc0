"""Ask a strategy, and trust nothing it does: it may raise, hang or answer nonsense."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from types import FrameType

from surefill.domain.money import ZERO
from surefill.strategies.base import Action, Needs, Other, Rung, Signal, Strategy

# A decision takes well below a millisecond; one that takes this long will not end.
PATIENCE_SECONDS = 2.0


class StrategyError(Exception):
    """A strategy could not be built or gave no usable signal; the text says what it did."""


def build(strategies: Mapping[str, type[Strategy]], name: str, params: Mapping[str, object]) -> Strategy:
    """The strategy with its parameters; StrategyError when either can't be used, LookupError when there is none."""
    known = strategies.get(name)
    if known is None:
        raise LookupError(f"strategy {name!r} is not installed")
    try:
        return known(params)
    except Exception as error:
        raise StrategyError(f"{type(error).__name__}: {error}"[:300]) from error


def needs_of(strategy: Strategy, *, symbols: tuple[str, ...], symbol: str) -> Needs:
    """What the strategy must be given; who asks for its equity also needs the last close of all it may hold.

    StrategyError when it can't say.
    """
    try:
        needs = strategy.needs(symbols, symbol)
    except Exception as error:
        raise StrategyError(f"{type(error).__name__}: {error}"[:300]) from error
    if not needs.equity:
        return needs
    declared = {other.symbol for other in needs.others if other.timeframe is None}
    missing = tuple(Other(candles=1, symbol=one) for one in symbols if one != symbol and one not in declared)
    return replace(needs, others=(*needs.others, *missing))


def signal_of(decide: Callable[[], object]) -> Signal:
    """What the strategy answers; StrategyError when it raises, takes too long or answers nonsense."""
    try:
        with within(PATIENCE_SECONDS):
            answer = decide()
    except Exception as error:
        raise StrategyError(f"{type(error).__name__}: {error}"[:300]) from error
    problem = problem_of(answer)
    if problem is not None or not isinstance(answer, Signal):
        raise StrategyError(f"decide must answer with a usable Signal: {problem}")
    return answer


def problem_of(answer: object) -> str | None:
    """Why an answer can't be acted on, with what was expected; None when it can."""
    if not isinstance(answer, Signal):
        return f"decide must return a Signal, was {type(answer).__name__}"
    if not isinstance(answer.action, Action):
        return f"action must be an Action, was {answer!r}"[:200]
    if not all(isinstance(part, str) for pair in answer.numbers.items() for part in pair):
        return f"numbers must be text by name, was {dict(answer.numbers)!r}"[:200]
    if not _positive(answer.weight):
        return f"weight must be above 0 and a Decimal, was {answer.weight!r}"
    if not _positive(answer.share) or answer.share > 1:
        return f"share must be above 0 and at most 1 and a Decimal, was {answer.share!r}"
    if answer.spend is not None and not _positive(answer.spend):
        return f"spend must be above 0 and a Decimal, was {answer.spend!r}"
    if len({rung.name for rung in answer.rungs}) != len(answer.rungs):
        return "two rungs have the same name"
    return next((problem for problem in map(_bad_rung, answer.rungs) if problem), None)


def _bad_rung(rung: Rung) -> str | None:
    if not rung.name.isalnum():
        return f"the name of a rung must be letters and digits, was {rung.name!r}"
    if not (_positive(rung.buy_price) and _positive(rung.sell_price) and rung.buy_price < rung.sell_price):
        return f"rung {rung.name} must buy above 0 and below its sale, was {rung.buy_price} and {rung.sell_price}"
    return None if _positive(rung.weight) else f"rung {rung.name} must have a weight above 0, was {rung.weight!r}"


def _positive(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite() and value > ZERO


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Interrupt what takes longer (TimeoutError). Only the main thread can be: that is where functions run."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"took longer than {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
