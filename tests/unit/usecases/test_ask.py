"""A strategy may raise, hang or answer nonsense: its bot is paused with the reason, and the others go on."""

import threading
import time
from decimal import Decimal
from typing import ClassVar

import pytest

from surefill.domain.kinds import BotState
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot
from surefill.strategies.base import Action, Needs, Params, Position, Rung, Signal, Strategy
from surefill.strategies.market import MarketView
from surefill.usecases import ask
from tests.fakes.rows import bot, candle_rows
from tests.fakes.world import World

BUY = Signal(action=Action.BUY)


class OddParams(Params):
    """What it does."""

    how: str


class Odd(Strategy):
    """Does what its parameter says."""

    name: ClassVar[str] = "odd"
    Params: ClassVar[type[Params]] = OddParams

    def needs(self, symbols: tuple[str, ...], symbol: str) -> Needs:
        if self.params.how == "needs":
            raise KeyError("needs")
        return Needs(candles=2)

    def decide(self, market: MarketView, position: Position | None) -> Signal:
        match self.params.how:
            case "raise":
                raise ZeroDivisionError("user code")
            case "hang":
                while True:
                    time.sleep(0.01)
            case "nonsense":
                return "BUY"  # type: ignore[return-value]
            case _:
                return BUY


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(ask, "PATIENCE_SECONDS", 0.2)
    made = World()
    made.venue.rows = candle_rows([100.0] * 5)
    return made


@pytest.mark.parametrize("how", ["raise", "hang", "nonsense", "needs"])
def test_a_bot_whose_strategy_fails_is_paused_and_others_trade(world: World, how: str) -> None:
    bad = bot(bot_id="bad", strategy="odd", params={"how": how})
    good = bot(bot_id="good", strategy="odd", params={"how": "buy"})
    for subject in (bad, good):
        world.store.replace(subject)
    decisions = world.evaluator({"odd": Odd}).evaluate(world.batch(bad, good))
    assert [decision.reason for decision in decisions] == [Reason.STRATEGY_FAILED, Reason.BUY]
    paused = world.store.get(Bot, "bad")
    assert paused is not None
    assert (paused.state, paused.cadence_key) == (BotState.PAUSED, None)
    assert (paused.state_reason or "").startswith("strategy.failed: ")
    assert world.store.get(Bot, "good") == good


def test_bad_parameters_pause_the_bot_too(world: World) -> None:
    bad = bot(strategy="odd", params={"what": 1})
    (decision,) = world.evaluator({"odd": Odd}).evaluate(world.batch(bad))
    assert decision.reason is Reason.STRATEGY_FAILED
    stored = world.store.get(Bot, bad.bot_id)
    assert stored is not None
    assert stored.state is BotState.PAUSED


def test_a_bot_that_was_stopped_meanwhile_stays_as_it_is(world: World) -> None:
    bad = bot(strategy="odd", params={"how": "raise"})
    world.store.replace(bot(state=BotState.HALTED))
    world.evaluator({"odd": Odd}).evaluate(world.batch(bad))
    stored = world.store.get(Bot, bad.bot_id)
    assert stored is not None
    assert stored.state is BotState.HALTED


def test_a_strategy_that_is_not_installed_is_told_and_not_paused(world: World) -> None:
    (decision,) = world.evaluator({}).evaluate(world.batch())
    assert decision.reason is Reason.STRATEGY_UNKNOWN
    stored = world.store.get(Bot, "trend")
    assert stored is not None
    assert stored.state is BotState.ACTIVE


RUNG = Rung(name="r1", buy_price=Decimal(9), sell_price=Decimal(10))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "was None"),
        (Signal(action="UP"), "was Signal"),
        (Signal(action=Action.BUY, weight=Decimal(0)), "weight must be above 0"),
        (Signal(action=Action.BUY, weight=Decimal("NaN")), "weight must be above 0"),
        (Signal(action=Action.SELL, share=Decimal("1.1")), "share must be above 0 and at most 1"),
        (Signal(action=Action.BUY, spend=Decimal("Infinity")), "spend must be above 0"),
        (Signal(action=Action.HOLD, rungs=(RUNG, RUNG)), "same name"),
        (Signal(action=Action.HOLD, rungs=(Rung(name="a|b", buy_price=Decimal(1), sell_price=Decimal(2)),)), "letters"),
        (Signal(action=Action.HOLD, rungs=(Rung(name="r", buy_price=Decimal(2), sell_price=Decimal(2)),)), "below"),
        (Signal(action=Action.HOLD, rungs=(Rung(name="r", buy_price=Decimal(0), sell_price=Decimal(2)),)), "above 0"),
    ],
)
def test_nonsense_is_named(answer: object, told: str) -> None:
    with pytest.raises(ask.StrategyError, match=told):
        ask.signal_of(lambda: answer)


def test_a_usable_signal_is_passed_on() -> None:
    signal = Signal(action=Action.HOLD, rungs=(RUNG,))
    assert ask.signal_of(lambda: signal) is signal


def test_outside_the_main_thread_nothing_is_interrupted() -> None:
    answers: list[Signal] = []
    thread = threading.Thread(target=lambda: answers.append(ask.signal_of(lambda: BUY)))
    thread.start()
    thread.join()
    assert answers == [BUY]


def test_who_asks_for_its_equity_is_given_the_closes_of_all_it_may_hold() -> None:
    class Balanced(Odd):
        def needs(self, symbols: tuple[str, ...], symbol: str) -> Needs:
            return Needs(candles=2, equity=True)

    needs = ask.needs_of(Balanced({"how": "buy"}), symbols=("BTC/USDT", "ETH/USDT"), symbol="BTC/USDT")
    assert [(other.symbol, other.candles) for other in needs.others] == [("ETH/USDT", 1)]
