"""A second opinion on a buy: its budget of calls, its silence, and what the advisers say."""

from array import array
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.advice import Advice, AdviceRequest, AdviserLimits, rule_advice
from surefill.domain.candles import Candles
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Slot
from surefill.domain.rules import AdviserPolicy, GateRules
from surefill.domain.times import to_milliseconds
from surefill.ports import Adviser, AdviserUnavailableError
from surefill.protocol.transaction import Key, Update
from surefill.strategies.market import MarketView, Series
from surefill.usecases.advise import AdviserGate, RuleAdviser, advice_request
from tests.fakes.rows import MARKET, OWNER, TICK, bot
from tests.fakes.world import World

REQUEST = AdviceRequest(
    bot_id="trend", strategy="composite", symbol="BTC/USDT", timeframe="5m", tick=TICK, price=Decimal(100),
    average=Decimal(99), average_before=Decimal(98), volatility_percent=Decimal(1),
)  # fmt: skip


@dataclass
class Said:
    """An adviser that says what it is told to, or nothing."""

    answer: Advice | None = field(
        default_factory=lambda: Advice(allow=True, reason="looks fine", confidence=Decimal("0.8"))
    )
    metered: bool = True
    asked: list[int] = field(default_factory=list)

    def advise(self, request: AdviceRequest, *, seconds: int) -> Advice:
        self.asked.append(seconds)
        if self.answer is None:
            raise AdviserUnavailableError("no answer")
        return self.answer


BLOCK = Advice(allow=False, reason="falling", confidence=Decimal("0.9"))


@pytest.fixture
def world() -> World:
    return World()


def advised(**rules: object) -> Bot:
    return bot(timeframe="5m", gates=GateRules(adviser="said", **rules))


def slot_of(world: World) -> Slot:
    return world.store.get(Slot, MARKET, OWNER) or Slot(market_key=MARKET, owner_key=OWNER)


def ask(
    world: World, adviser: Adviser, *, of: Bot | None = None, slot: Slot | None = None, minutes: int = 0
) -> Refusal | dict[str, str]:
    gate = AdviserGate(store=world.store, advisers={"said": adviser})
    request = replace(REQUEST, tick=TICK + timedelta(minutes=minutes))
    return gate.ask(of or advised(), slot=slot or slot_of(world), request=request)


def test_a_bot_without_an_adviser_asks_nobody(world: World) -> None:
    said = Said()
    assert ask(world, said, of=bot()) == {}
    assert said.asked == []


def test_what_the_adviser_said_goes_into_the_numbers(world: World) -> None:
    said = Said()
    assert ask(world, said, of=advised(adviser_seconds=7)) == {
        "adviser": "said", "advice": "allow", "why": "looks fine", "confidence": "0.8",
    }  # fmt: skip
    assert said.asked == [7]


def test_a_block_refuses_with_its_reason(world: World) -> None:
    found = ask(world, Said(answer=BLOCK))
    assert isinstance(found, Refusal)
    assert found.reason is Reason.ADVISER_BLOCKED
    assert found.numbers == {"adviser": "said", "advice": "block", "why": "falling", "confidence": "0.9"}


def test_a_long_reason_is_cut(world: World) -> None:
    found = ask(world, Said(answer=replace(BLOCK, allow=True, reason="x" * 999)))
    assert isinstance(found, dict)
    assert len(found["why"]) == 300


@pytest.mark.parametrize("policy", list(AdviserPolicy))
def test_silence_is_for_the_bots_policy_to_judge(world: World, policy: AdviserPolicy) -> None:
    found = ask(world, Said(answer=None), of=advised(adviser_policy=policy))
    numbers = {"adviser": "said", "advice": "none", "why": "no answer", "policy": policy.value}
    if policy is AdviserPolicy.IGNORE:
        assert found == numbers
    else:
        assert found == Refusal(reason=Reason.ADVISER_UNAVAILABLE, numbers=numbers)


def test_an_adviser_nobody_knows_is_absent(world: World) -> None:
    found = ask(world, Said(), of=bot(gates=GateRules(adviser="oracle")))
    assert isinstance(found, Refusal)
    assert (found.reason, found.numbers["why"]) == (
        Reason.ADVISER_UNAVAILABLE, "adviser must be one of said, was 'oracle'",
    )  # fmt: skip


def test_the_calls_of_a_day_are_counted_before_they_are_made(world: World) -> None:
    said = Said(answer=None)
    for minute in range(3):
        ask(world, said, of=advised(adviser_calls_per_day=2), minutes=minute)
    assert len(said.asked) == 2
    assert slot_of(world).advice_calls == 2
    spent = ask(world, said, of=advised(adviser_calls_per_day=2), minutes=3)
    assert isinstance(spent, Refusal)
    assert spent.numbers["why"] == "asked 2 times today, 2 are allowed"


def test_a_new_day_has_a_new_budget(world: World) -> None:
    said = Said()
    for minutes in (0, 24 * 60):
        assert isinstance(ask(world, said, of=advised(adviser_calls_per_day=1), minutes=minutes), dict)
    assert slot_of(world).advice_calls == 1


def test_a_free_adviser_costs_no_write(world: World) -> None:
    ask(world, Said(metered=False))
    assert world.store.get(Slot, MARKET, OWNER) is None


def test_two_evaluations_at_once_are_one_call(world: World) -> None:
    said, before = Said(), slot_of(world)
    ask(world, said, slot=before)
    found = ask(world, said, slot=before, minutes=1)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.ADVISER_UNAVAILABLE
    assert len(said.asked) == 1


def test_a_block_stands_until_the_next_candle(world: World) -> None:
    said = Said(answer=BLOCK)
    ask(world, said)
    world.store.update(Update(key=Key(Slot, (MARKET, OWNER)), set={"last_reason": Reason.ADVISER_BLOCKED}))
    again = ask(world, said, minutes=4)
    assert isinstance(again, Refusal)
    assert again.reason is Reason.ADVISER_BLOCKED
    assert again.numbers == {"adviser": "said", "advice": "block", "asked_at": "2026-01-05T12:00:00Z"}
    assert len(said.asked) == 1
    ask(world, said, minutes=5)
    assert len(said.asked) == 2


@pytest.mark.parametrize(
    ("facts", "allow"),
    [
        ({}, True),
        ({"volatility_percent": Decimal(5)}, True),
        ({"volatility_percent": Decimal("5.01")}, False),
        ({"average": Decimal(101), "average_before": Decimal(102)}, False),
        ({"average": Decimal(100), "average_before": Decimal(102)}, True),
        ({"average": Decimal("199"), "average_before": Decimal("200")}, True),
        ({"average": Decimal("198.9"), "average_before": Decimal("200")}, False),
    ],
)
def test_the_built_in_adviser(facts: dict[str, Decimal], allow: bool) -> None:
    found = RuleAdviser().advise(replace(REQUEST, **facts), seconds=1)
    assert found.allow is allow
    assert found.reason


@pytest.mark.parametrize("missing", ["average", "average_before", "volatility_percent"])
def test_the_built_in_adviser_says_nothing_about_what_it_does_not_know(missing: str) -> None:
    assert rule_advice(replace(REQUEST, **{missing: None}), limits=AdviserLimits()) is None
    with pytest.raises(AdviserUnavailableError, match="too few candles"):
        RuleAdviser().advise(replace(REQUEST, **{missing: None}), seconds=1)


def test_the_built_in_adviser_is_free(world: World) -> None:
    found = ask(world, RuleAdviser())
    assert isinstance(found, dict)
    assert found["advice"] == "allow"
    assert world.store.get(Slot, MARKET, OWNER) is None


def candles(closes: list[float]) -> Candles:
    first = to_milliseconds(TICK) - len(closes) * 300_000
    return Candles(
        timeframe="5m",
        opened_ms=array("q", (first + index * 300_000 for index in range(len(closes)))),
        open=array("d", closes),
        high=array("d", (close + 1 for close in closes)),
        low=array("d", (close - 1 for close in closes)),
        close=array("d", closes),
        volume=array("d", [1.0] * len(closes)),
    )


def test_a_request_carries_the_long_average_its_past_and_the_volatility() -> None:
    closes = [100.0 + index for index in range(100)]
    request = advice_request(
        bot(), symbol="BTC/USDT", tick=TICK, price=Decimal(200), market=MarketView(Series(candles(closes))),
        signal={"score": "0.7"},
    )  # fmt: skip
    assert (request.average, request.average_before) == (Decimal("174.5"), Decimal("164.5"))
    assert request.volatility_percent == Decimal("1.00502512563")
    assert (len(request.closes), request.closes[0], request.closes[-1]) == (30, 170, 199)
    assert (request.strategy, request.signal) == ("composite", {"score": "0.7"})


def test_a_request_without_candles_says_only_what_it_knows() -> None:
    request = advice_request(bot(), symbol="BTC/USDT", tick=TICK, price=Decimal(200), market=None, signal={})
    assert (request.average, request.volatility_percent, request.closes) == (None, None, ())
