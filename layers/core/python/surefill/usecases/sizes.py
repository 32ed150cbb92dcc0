"""The size of an entry: the bot's rules applied to what is known of its budget and its market."""

from collections.abc import Sequence
from decimal import Decimal

from surefill.domain.exits import atr_stop_percent
from surefill.domain.market import Refusal
from surefill.domain.money import add
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Budget
from surefill.domain.sizing import Sized, SizingFacts, Temperature, spend_for, temperature_of
from surefill.domain.trades import ClosedTrade
from surefill.strategies.base import Signal
from surefill.usecases.facts import MarketFacts

_ONE = Decimal(1)


def sized(
    bot: Bot,
    *,
    budget: Budget,
    signal: Signal | None,
    facts: MarketFacts,
    price: Decimal,
    stop: Decimal,
    trades: Sequence[ClosedTrade],
    weight: Decimal = _ONE,
) -> Sized | Refusal:
    """Quote money to spend; the signal's own weight or amount comes on top of `weight`."""
    return spend_for(
        bot.sizing,
        budget_percent=bot.budget_percent,
        facts=SizingFacts(
            equity=add(budget.available, budget.reserved, budget.deployed),
            available=budget.available,
            price=price,
            stop_loss_percent=stop,
            atr=facts.atr,
            temperature=_temperature(facts, price=price),
            trades=trades,
            weight=signal.weight if signal else weight,
            spend=signal.spend if signal else None,
        ),
    )


def stop_percent(bot: Bot, *, facts: MarketFacts, price: Decimal) -> Decimal | Refusal:
    """How far below the entry the stop lies, in per cent: the bot's own, or so many average true ranges."""
    multiple = bot.exit_rules.atr_stop_multiple
    if multiple is None:
        return bot.stop_loss_percent
    if facts.atr is None:
        return Refusal(reason=Reason.SIZE_UNKNOWN, numbers={"missing": "atr"})
    return atr_stop_percent(atr=facts.atr, price=price, multiple=multiple)


def _temperature(facts: MarketFacts, *, price: Decimal) -> Temperature | None:
    if facts.trend_percent is None or facts.atr is None:
        return None
    return temperature_of(trend_percent=facts.trend_percent, volatility_percent=facts.atr / price * 100)
