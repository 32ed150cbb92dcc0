"""Plan the entries of one bot on one symbol: the steps of `usecases.entries`, with what never changes computed once.

The usual sizes and gates are computed here, by the arithmetic of `domain.sizing`, `domain.gates` and `domain.market`;
all others are asked there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from local.backtest.direct.grid import CENTS, ROUGH, Grid
from surefill.domain.candles import Quote
from surefill.domain.gates import gates
from surefill.domain.market import EXIT_HEADROOM, Refusal, percent_less, percent_more
from surefill.domain.money import EXACT, ZERO
from surefill.domain.reasons import Reason
from surefill.domain.rules import GateRules, SizingMode
from surefill.domain.sizing import minimum_spend, spend_needed
from surefill.usecases.sizes import sized, stop_percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from local.backtest.direct.budget import DirectBudget
    from surefill.domain.records import MarketRules
    from surefill.domain.rows import Bot, Budget
    from surefill.domain.trades import ClosedTrade
    from surefill.strategies.base import Signal
    from surefill.usecases.facts import MarketFacts

_ONE, _HUNDRED = Decimal(1), Decimal(100)


@dataclass(frozen=True, slots=True)
class Planned:
    """A buy that may be made: base quantity, the highest price to pay, quote to reserve; and its stop, in per cent."""

    quantity: Decimal
    limit: Decimal
    reserved: Decimal
    stop: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """Plans buys from one budget. `of_budget`: the size is the bot's per cent of the budget, under no other cap.

    `only_gap`: of the gates only the price gap can be shut.
    """

    bot: Bot
    symbol: str
    rules: MarketRules
    budget: DirectBudget
    of_budget: bool
    only_gap: bool
    quantities: Grid
    prices: Grid
    upwards: Decimal
    with_fee: Decimal
    without_fee: Decimal
    least_at_stop: Decimal

    @classmethod
    def of(cls, bot: Bot, *, symbol: str, rules: MarketRules, budget: DirectBudget) -> Entering:
        """Plans the buys of a bot on a symbol."""
        sizing, own = bot.sizing, bot.gates
        by_percent = sizing.mode is SizingMode.PERCENT and bot.budget_percent <= sizing.max_percent
        return cls(
            bot=bot,
            symbol=symbol,
            rules=rules,
            budget=budget,
            of_budget=by_percent and sizing.max_trade is None,
            only_gap=own == GateRules(max_gap_percent=own.max_gap_percent, time_zone=own.time_zone),
            quantities=Grid.of(rules.quantity_step),
            prices=Grid.of(rules.price_step),
            upwards=percent_more(bot.slippage_percent),
            with_fee=1 + rules.taker_fee,
            without_fee=1 - rules.taker_fee,
            least_at_stop=EXACT.multiply(rules.min_notional, EXIT_HEADROOM),
        )

    def plan(
        self,
        signal: Signal,
        *,
        facts: MarketFacts,
        price: Decimal,
        trades: Sequence[ClosedTrade],
        tick: datetime,
        now_ms: int,
    ) -> Planned | Reason:
        """A buy at `price` (quote), or why there is none."""
        bot = self.bot
        if not self.rules.active:
            return Reason.MARKET_CLOSED
        if price <= ZERO:
            return Reason.NO_PRICE
        shut = self._shut(facts, price=price, trades=trades, tick=tick)
        if shut is not None:
            return shut
        stop = stop_percent(bot, facts=facts, price=price)
        if isinstance(stop, Refusal):
            return stop.reason
        spend = self._spend(signal, facts=facts, price=price, stop=stop, trades=trades, tick=tick)
        return spend if isinstance(spend, Reason) else self._terms(spend, price=price, stop=stop, now_ms=now_ms)

    def _shut(
        self, facts: MarketFacts, *, price: Decimal, trades: Sequence[ClosedTrade], tick: datetime
    ) -> Reason | None:
        rules, last = self.bot.gates, facts.last_close
        if self.only_gap:
            distance = abs(EXACT.subtract(price, last))
            if EXACT.multiply(distance, _HUNDRED) <= ROUGH.multiply(last, rules.max_gap_percent):
                return None
        shut = gates(rules, symbol=self.symbol, tick=tick, price=price, last_close=last, trades=trades)
        return None if shut is None else shut.reason

    def _spend(
        self,
        signal: Signal,
        *,
        facts: MarketFacts,
        price: Decimal,
        stop: Decimal,
        trades: Sequence[ClosedTrade],
        tick: datetime,
    ) -> Decimal | Reason:
        bot, budget = self.bot, self.budget
        tolerant = bool(bot.sizing.minimum_tolerance_percent)
        if self.of_budget and signal.spend is None and signal.weight == _ONE and not tolerant:
            equity = EXACT.add(EXACT.add(budget.available, budget.reserved), budget.deployed)
            spend = CENTS.floor(ROUGH.divide(ROUGH.multiply(equity, bot.budget_percent), _HUNDRED))
            return spend if spend > ZERO else Reason.SIZE_ZERO
        row = cast("Budget", budget)
        size = sized(bot, budget=row, signal=signal, facts=facts, price=price, stop=stop, trades=trades)
        if isinstance(size, Refusal):
            return size.reason
        if not tolerant:  # nothing is ever raised
            return size.spend
        quote = Quote(symbol=self.symbol, bid=price, ask=price, at=tick)
        slippage = bot.slippage_percent
        needed = spend_needed(self.rules, quote=quote, slippage_percent=slippage, stop_loss_percent=stop)
        return minimum_spend(bot.sizing, sized=size, needed=needed).spend

    def _terms(self, spend: Decimal, *, price: Decimal, stop: Decimal, now_ms: int) -> Planned | Reason:
        """`domain.market.entry_terms`, and the limits of the budget."""
        rules = self.rules
        limit = self.prices.floor(EXACT.multiply(price, self.upwards))
        each = EXACT.multiply(limit, self.with_fee)
        quantity = self.quantities.floor(ROUGH.divide(spend, each)) if limit > ZERO else ZERO
        if quantity < rules.min_quantity or quantity == ZERO:
            return Reason.QUANTITY_TOO_SMALL
        if rules.min_notional:
            if EXACT.multiply(quantity, price) < rules.min_notional:
                return Reason.BELOW_MINIMUM
            sold = self.quantities.floor(EXACT.multiply(quantity, self.without_fee))
            if EXACT.multiply(sold, EXACT.multiply(price, percent_less(stop))) < self.least_at_stop:
                return Reason.EXIT_BELOW_MINIMUM
        reserved = CENTS.ceil(EXACT.multiply(EXACT.multiply(quantity, limit), self.with_fee))
        refusal = self.budget.refusal(reserved, asset=rules.base, now_ms=now_ms)
        return refusal or Planned(quantity, limit, reserved, stop)
