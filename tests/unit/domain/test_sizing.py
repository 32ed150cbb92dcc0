"""How much an entry may spend: each sizer's rule, and the caps over all of them."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.domain.candles import Quote
from surefill.domain.market import EntryTerms, Refusal, entry_terms
from surefill.domain.reasons import Reason
from surefill.domain.rules import SizingMode, SizingRules, Tier
from surefill.domain.sizing import (
    Sized,
    SizingFacts,
    Temperature,
    minimum_spend,
    spend_for,
    spend_needed,
    temperature_of,
)
from tests.fakes.rows import TICK, rules
from tests.unit.domain.test_trades import trade

FACTS = SizingFacts(
    equity=Decimal(1000),
    available=Decimal(400),
    price=Decimal(100),
    stop_loss_percent=Decimal(2),
    atr=Decimal(4),
    temperature=Temperature.WARM,
)
# 6 winners of 2 %, 4 losers of 1 %: W = 0.6, R = 2, f = 0.6 - 0.4 / 2 = 0.4
RECORD = tuple(trade("2") for _ in range(6)) + tuple(trade("-1") for _ in range(4))


def sized(mode: SizingMode, *, facts: SizingFacts = FACTS, percent: str = "20", **numbers: object) -> Sized | Refusal:
    wide = {"max_percent": Decimal(100), **numbers}
    return spend_for(SizingRules(mode=mode, **wide), budget_percent=Decimal(percent), facts=facts)


def spend(mode: SizingMode, *, facts: SizingFacts = FACTS, **numbers: object) -> Decimal:
    found = sized(mode, facts=facts, **numbers)
    assert isinstance(found, Sized), found
    assert found.numbers["spend"] == str(found.spend.normalize().__format__("f"))
    return found.spend


def refusal(mode: SizingMode, *, facts: SizingFacts = FACTS, **numbers: object) -> Refusal:
    found = sized(mode, facts=facts, **numbers)
    assert isinstance(found, Refusal), found
    return found


def test_percent_is_of_the_whole_equity() -> None:
    assert spend(SizingMode.PERCENT) == 200


def test_fixed_is_the_amount() -> None:
    assert spend(SizingMode.FIXED, amount=Decimal("123.45")) == Decimal("123.45")
    assert refusal(SizingMode.FIXED).numbers["missing"] == "amount"


def test_risk_loses_its_per_cent_at_the_stop() -> None:
    assert spend(SizingMode.RISK, risk_percent=Decimal(1)) == 500
    without_stop = refusal(SizingMode.RISK, facts=replace(FACTS, stop_loss_percent=Decimal(0)))
    assert (without_stop.reason, without_stop.numbers["missing"]) == (Reason.SIZE_UNKNOWN, "stop_loss_percent")


def test_kelly_spends_its_fraction_of_the_formula() -> None:
    facts = replace(FACTS, trades=RECORD)
    found = sized(SizingMode.KELLY, facts=facts, kelly_trades=10, kelly_fraction=Decimal("0.5"))
    assert isinstance(found, Sized)
    assert found.spend == 200
    assert (found.numbers["kelly"], found.numbers["win_rate"]) == ("0.4", "0.6")


def test_kelly_looks_at_the_newest_trades_only() -> None:
    facts = replace(FACTS, trades=(trade("-50"), *RECORD))
    assert spend(SizingMode.KELLY, facts=facts, kelly_trades=10, kelly_fraction=Decimal("0.5")) == 200


def test_kelly_without_a_loss_is_the_share_of_winners() -> None:
    facts = replace(FACTS, trades=(trade("1"), trade("0")))
    assert spend(SizingMode.KELLY, facts=facts, kelly_trades=2, kelly_fraction=Decimal(1)) == 500


@pytest.mark.parametrize("trades", [(trade("1"), trade("-1")), (trade("1"), trade("-9")), (trade("-1"), trade("0"))])
def test_kelly_spends_nothing_without_an_edge(trades: tuple[object, ...]) -> None:
    assert refusal(SizingMode.KELLY, facts=replace(FACTS, trades=trades), kelly_trades=2).reason is Reason.SIZE_ZERO


def test_kelly_needs_enough_trades() -> None:
    found = refusal(SizingMode.KELLY, facts=replace(FACTS, trades=RECORD))
    assert found.reason is Reason.SIZE_UNKNOWN
    assert (found.numbers["trades"], found.numbers["needed"]) == ("10", "20")


def test_hybrid_is_the_smaller_of_kelly_and_fixed_and_fixed_until_there_are_trades() -> None:
    facts = replace(FACTS, trades=RECORD)
    numbers = {"kelly_trades": 10, "kelly_fraction": Decimal("0.5")}
    assert spend(SizingMode.HYBRID, facts=facts, amount=Decimal(150), **numbers) == 150
    assert spend(SizingMode.HYBRID, facts=facts, amount=Decimal(250), **numbers) == 200
    assert spend(SizingMode.HYBRID, amount=Decimal(250), **numbers) == 250
    assert refusal(SizingMode.HYBRID, **numbers).numbers["missing"] == "amount"
    losing = replace(FACTS, trades=(trade("-1"),))
    assert refusal(SizingMode.HYBRID, facts=losing, amount=Decimal(9), kelly_trades=1).reason is Reason.SIZE_ZERO


def test_the_highest_tier_reached_counts() -> None:
    tiers = (
        Tier(from_equity=Decimal(1000), percent=Decimal(10)),
        Tier(from_equity=Decimal(100), percent=Decimal(20)),
        Tier(from_equity=Decimal("1000.01"), percent=Decimal(5)),
    )
    assert spend(SizingMode.TIERED, tiers=tiers) == 100
    assert spend(SizingMode.TIERED, tiers=tiers, facts=replace(FACTS, equity=Decimal(500))) == 100
    below = refusal(SizingMode.TIERED, tiers=tiers, facts=replace(FACTS, equity=Decimal(50)))
    assert (below.reason, below.numbers["equity"], below.numbers["tiers"]) == (Reason.SIZE_ZERO, "50", "3")


def test_volatility_sizes_by_the_average_true_range() -> None:
    """A range of 4 on a price of 100 moves 250 by 10, which is 1 % of 1,000."""
    assert spend(SizingMode.VOLATILITY) == 250
    for atr in (None, Decimal(0)):
        assert refusal(SizingMode.VOLATILITY, facts=replace(FACTS, atr=atr)).numbers["missing"] == "atr"


@pytest.mark.parametrize(("temperature", "expected"), [("cold", 100), ("warm", 200), ("hot", 300)])
def test_temperature_multiplies_the_per_cent(temperature: str, expected: int) -> None:
    assert spend(SizingMode.TEMPERATURE, facts=replace(FACTS, temperature=Temperature(temperature))) == expected


def test_an_unknown_temperature_is_no_size() -> None:
    found = refusal(SizingMode.TEMPERATURE, facts=replace(FACTS, temperature=None))
    assert (found.reason, found.numbers["missing"]) == (Reason.SIZE_UNKNOWN, "temperature")


def test_a_strategys_spend_takes_the_sizers_place_and_the_weight_multiplies() -> None:
    facts = replace(FACTS, spend=Decimal(50), weight=Decimal("1.5"))
    found = sized(SizingMode.KELLY, facts=facts)
    assert isinstance(found, Sized)
    assert (found.spend, found.numbers["sizer"], found.numbers["weight"]) == (75, "signal", "1.5")
    assert spend(SizingMode.PERCENT, facts=replace(FACTS, weight=Decimal(2))) == 400


@pytest.mark.parametrize("facts", [{"weight": Decimal(0)}, {"spend": Decimal(0)}, {"equity": Decimal(0)}])
def test_nothing_to_spend_is_refused(facts: dict[str, Decimal]) -> None:
    assert refusal(SizingMode.PERCENT, facts=replace(FACTS, **facts)).reason is Reason.SIZE_ZERO


def test_a_quarter_of_the_equity_is_the_cap_unless_said_otherwise() -> None:
    found = spend_for(SizingRules(), budget_percent=Decimal(80), facts=FACTS)
    assert isinstance(found, Sized)
    assert (found.spend, found.numbers["cap"], found.numbers["wished"]) == (250, "max_percent", "800")


def test_the_lowest_cap_bites_and_is_named() -> None:
    found = sized(SizingMode.PERCENT, max_trade=Decimal(120))
    assert isinstance(found, Sized)
    assert (found.spend, found.ceiling, found.numbers["cap"]) == (120, 120, "max_trade")
    uncapped = sized(SizingMode.PERCENT, max_trade=Decimal(200))
    assert isinstance(uncapped, Sized)
    assert "cap" not in uncapped.numbers


def test_free_money_is_no_cap() -> None:
    """What can't be paid for is refused by the claim, with its numbers; it is never made smaller in silence."""
    found = sized(SizingMode.PERCENT, percent="90")
    assert isinstance(found, Sized)
    assert (found.spend, found.numbers["available"]) == (900, "400")


money = st.decimals(min_value=0, max_value=10**9, places=8)
percent = st.decimals(min_value=0, max_value=200, places=4)


@given(
    mode=st.sampled_from(SizingMode),
    equity=money,
    amount=money,
    weight=st.decimals(min_value=0, max_value=50, places=4),
    signal=st.none() | money,
    stop=st.decimals(min_value="0.01", max_value=99, places=2),
    atr=st.decimals(min_value="0.00000001", max_value=10**5, places=8),
    wide=percent,
    max_percent=st.decimals(min_value=0, max_value=100, places=2),
    max_trade=st.none() | money,
)
def test_no_sizer_gets_over_the_caps(
    mode: SizingMode, equity: Decimal, amount: Decimal, weight: Decimal, signal: Decimal | None, stop: Decimal,
    atr: Decimal, wide: Decimal, max_percent: Decimal, max_trade: Decimal | None,
) -> None:  # fmt: skip
    limits = SizingRules(
        mode=mode, amount=amount, risk_percent=wide, volatility_percent=wide, kelly_trades=10, max_percent=max_percent,
        max_trade=max_trade, tiers=(Tier(from_equity=Decimal(0), percent=wide),),
    )  # fmt: skip
    facts = replace(
        FACTS, equity=equity, weight=weight, spend=signal, stop_loss_percent=stop, atr=atr, trades=RECORD,
        temperature=Temperature.HOT,
    )  # fmt: skip
    found = spend_for(limits, budget_percent=wide, facts=facts)
    if isinstance(found, Refusal):
        assert found.reason is Reason.SIZE_ZERO
        return
    assert 0 < found.spend <= found.ceiling
    assert found.spend * 100 <= equity * max_percent
    assert max_trade is None or found.spend <= max_trade
    assert found.spend == found.spend.quantize(Decimal("0.00000001"))
    raised = minimum_spend(limits, sized=found, needed=found.spend * 2)
    assert raised.spend <= found.ceiling


def raised(needed: str | None, *, tolerance: str = "20", **changes: object) -> Sized:
    before = Sized(spend=Decimal(10), ceiling=Decimal(100), numbers={"spend": "10"})
    limits = SizingRules(minimum_tolerance_percent=Decimal(tolerance))
    return minimum_spend(limits, sized=replace(before, **changes), needed=None if needed is None else Decimal(needed))


def test_the_venues_minimum_is_met_within_the_tolerance_only() -> None:
    assert raised("12").spend == 12
    assert raised("12").numbers == {"spend": "12", "raised_from": "10"}
    assert raised("12.00000001").spend == 10
    assert raised("10.01", tolerance="0").spend == 10
    assert raised("9").numbers == {"spend": "10"}
    assert raised(None).spend == 10


def test_the_venues_minimum_is_no_way_over_a_cap() -> None:
    assert raised("11", ceiling=Decimal("10.5")).spend == 10


@given(
    price=st.decimals(min_value="0.01", max_value=10**5, places=2),
    slippage=st.decimals(min_value=0, max_value=3, places=2),
    stop=st.decimals(min_value=0, max_value=50, places=2),
    minimum=st.decimals(min_value=1, max_value=100, places=2),
)
def test_what_is_needed_is_just_enough(price: Decimal, slippage: Decimal, stop: Decimal, minimum: Decimal) -> None:
    market = rules(min_notional=minimum)
    quote = Quote(symbol="BTC/USDT", bid=price, ask=price, at=TICK)
    terms = {"slippage_percent": slippage, "stop_loss_percent": stop}
    needed = spend_needed(market, quote=quote, **terms)
    assert needed is not None
    assert isinstance(entry_terms(rules=market, quote=quote, spend=needed, **terms), EntryTerms)
    step_less = needed - market.quantity_step * price * Decimal("1.04")
    assert isinstance(entry_terms(rules=market, quote=quote, spend=max(step_less, Decimal(0)), **terms), Refusal)


@pytest.mark.parametrize(("ask", "stop"), [("0.001", "2"), ("100", "100")])
def test_no_amount_is_enough_below_a_price_step_or_without_anything_left(ask: str, stop: str) -> None:
    quote = Quote(symbol="BTC/USDT", bid=Decimal(ask), ask=Decimal(ask), at=TICK)
    terms = {"slippage_percent": Decimal(0), "stop_loss_percent": Decimal(stop)}
    assert spend_needed(rules(), quote=quote, **terms) is None


@pytest.mark.parametrize(
    ("trend", "volatility", "expected"),
    [
        ("1", "5", "hot"), ("0.99", "1", "warm"), ("0", "5", "warm"), ("-0.99", "1", "warm"), ("-1", "1", "cold"),
        ("3", "5.01", "cold"), ("0", "6", "cold"),
    ],
)  # fmt: skip
def test_temperatures(trend: str, volatility: str, expected: str) -> None:
    found = temperature_of(trend_percent=Decimal(trend), volatility_percent=Decimal(volatility))
    assert found is Temperature(expected)
