"""A dry run answers what would happen and leaves nothing behind."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from surefill.domain.reasons import Reason
from surefill.strategies.base import Action, Needs, Params, Position, Signal, Strategy
from surefill.strategies.market import MarketView
from surefill.usecases.control.simulate import simulate
from tests.fakes.rows import candle_rows
from tests.fakes.world import World


class Quiet(Strategy):
    """Holds."""

    name: ClassVar[str] = "quiet"
    Params: ClassVar[type[Params]] = Params

    def needs(self, symbols: tuple[str, ...], symbol: str) -> Needs:
        return Needs(candles=2)

    def decide(self, market: MarketView, position: Position | None) -> Signal:
        return Signal(action=Action.HOLD, numbers={"close": str(market.close())})


STRATEGIES: Mapping[str, type[Strategy]] = {"quiet": Quiet}


@pytest.fixture
def world() -> World:
    made = World()
    made.bot = type(made.bot)(**{**_fields(made.bot), "strategy": "quiet", "confirmation_seconds": 600})
    made.store.replace(made.bot)
    made.venue.rows = candle_rows([100.0] * 30)
    return made


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__ if name not in ("TABLE", "KEY")}


def stored(world: World) -> Mapping[str, Any]:
    return {name: table for name, table in world.store.snapshot().tables.items() if table}


def told(world: World, signal: Action | None = None) -> Any:
    before = stored(world)
    (one,) = simulate(world.batch(), evaluator=world.evaluator(STRATEGIES), signal=signal)
    assert stored(world) == before
    assert world.workflow.started == {}
    assert world.observer.events == []
    return one


def test_what_it_would_do_now(world: World) -> None:
    one = told(world)
    assert (one.reason, one.intents, one.holds) == (Reason.HOLD, (), False)


def test_what_it_would_do_on_a_signal(world: World) -> None:
    """The signal needs no confirmation: nothing stood before it."""
    one = told(world, Action.BUY)
    assert one.reason is Reason.BUY
    (intent,) = one.intents
    assert intent.reserved > 0
    assert told(world, Action.SELL).reason is Reason.NO_POSITION


def test_a_gate_that_is_shut_says_so(world: World) -> None:
    world.venue.quoted_at = world.clock.now() - timedelta(hours=1)
    assert told(world, Action.BUY).reason is Reason.PRICE_STALE
