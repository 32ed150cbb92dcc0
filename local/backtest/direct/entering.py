"""Plan the entries of one bot on one symbol, by the steps of `usecases.entries`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from surefill.domain.candles import Quote
from surefill.domain.gates import gates
from surefill.domain.market import EntryTerms, Refusal, entry_terms, rules_problem
from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.sizing import minimum_spend, spend_needed
from surefill.usecases.facts import market_facts
from surefill.usecases.sizes import sized, stop_percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from local.backtest.direct.budget import DirectBudget
    from local.backtest.market import PastData
    from surefill.domain.rows import Bot, Budget, MarketRules
    from surefill.domain.trades import ClosedTrade
    from surefill.strategies.base import Signal
    from surefill.strategies.market import MarketView


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A buy that may be made: its terms, and how far below the entry its stop lies (per cent)."""

    terms: EntryTerms
    stop: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """Plans buys from one budget."""

    bot: Bot
    symbol: str
    rules: MarketRules
    budget: DirectBudget

    def plan(
        self,
        signal: Signal,
        *,
        market: MarketView,
        data: PastData,
        price: Decimal,
        trades: Sequence[ClosedTrade],
        tick: datetime,
        now_ms: int,
    ) -> Planned | Reason:
        """The terms of a buy at `price` (quote), or why there is none."""
        bot, rules = self.bot, self.rules
        blocked = rules_problem(rules, now=tick)
        if blocked is not None:
            return blocked.reason
        if price <= ZERO:
            return Reason.NO_PRICE
        facts = market_facts(bot, data=data, market=market)
        shut = gates(bot.gates, symbol=self.symbol, tick=tick, price=price, last_close=facts.last_close, trades=trades)
        if shut is not None:
            return shut.reason
        stop = stop_percent(bot, facts=facts, price=price)
        if isinstance(stop, Refusal):
            return stop.reason
        budget = cast("Budget", self.budget)
        size = sized(bot, budget=budget, signal=signal, facts=facts, price=price, stop=stop, trades=trades)
        if isinstance(size, Refusal):
            return size.reason
        quote = Quote(symbol=self.symbol, bid=price, ask=price, at=tick)
        slippage = bot.slippage_percent
        if bot.sizing.minimum_tolerance_percent:  # without one nothing is ever raised
            needed = spend_needed(rules, quote=quote, slippage_percent=slippage, stop_loss_percent=stop)
            size = minimum_spend(bot.sizing, sized=size, needed=needed)
        terms = entry_terms(
            rules=rules, quote=quote, spend=size.spend, slippage_percent=slippage, stop_loss_percent=stop
        )
        if isinstance(terms, Refusal):
            return terms.reason
        refusal = self.budget.refusal(terms.reserved, asset=rules.base, now_ms=now_ms)
        return refusal or Planned(terms=terms, stop=stop)
