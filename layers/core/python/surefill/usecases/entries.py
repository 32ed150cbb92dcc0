"""Plan an entry: from a confirmed buy signal to the frozen terms of an order, or the reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from surefill.domain import identity
from surefill.domain.candles import Quote
from surefill.domain.gates import gates
from surefill.domain.kinds import Leg, OrderKind, Side
from surefill.domain.market import EntryTerms, Refusal, entry_terms, rules_problem
from surefill.domain.money import ZERO, add, floor_to_step
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Bot, Budget, Exposure, Intent, Slot
from surefill.domain.rules import ExitRules
from surefill.domain.sizing import SPEND_STEP, Sized, minimum_spend, spend_needed
from surefill.domain.times import day_of, sortable
from surefill.ports import Store
from surefill.protocol.entry import claim_entry
from surefill.protocol.parts import WORK
from surefill.protocol.tranche import claim_tranche
from surefill.strategies.base import Rung, Signal
from surefill.strategies.market import MarketView
from surefill.usecases.advise import AdviserGate, advice_request
from surefill.usecases.facts import MarketFacts
from surefill.usecases.readings import Readings
from surefill.usecases.refusals import foreseen_refusal
from surefill.usecases.sizes import sized, stop_percent
from surefill.usecases.timing import FIRST_CHECK, ORDER_LIFETIME, RESTING

Planned = tuple[Intent, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPlanner:
    """Plans the entries of one batch at its tick. `readings` are shared by all bots of it."""

    store: Store
    stage: str
    now: datetime
    tick: datetime
    symbol: str
    market_key: str
    readings: Readings
    adviser: AdviserGate

    def plan(self, bot: Bot, *, slot: Slot, signal: Signal, facts: MarketFacts, adds: bool) -> Planned | Refusal:
        """The intent to buy with the numbers behind it, or why there is none. `adds`: one more tranche."""
        ready = self._ready(bot)
        if isinstance(ready, Refusal):
            return ready
        rules, budget = ready
        quote = self.readings.quote()
        if isinstance(quote, Refusal):
            return quote
        trades = self.readings.trades(bot)
        shut = gates(
            bot.gates, symbol=self.symbol, tick=self.tick, price=quote.ask, last_close=facts.last_close, trades=trades
        )
        if shut is not None:
            return shut
        stop = stop_percent(bot, facts=facts, price=quote.ask)
        if isinstance(stop, Refusal):
            return stop
        size = sized(bot, budget=budget, signal=signal, facts=facts, price=quote.ask, stop=stop, trades=trades)
        if isinstance(size, Refusal):
            return size
        priced = self._priced(bot, rules=rules, quote=quote, size=size, slippage=bot.slippage_percent, stop=stop)
        if isinstance(priced, Refusal):
            return priced
        terms, size = priced
        intent = self._intent(bot, terms=terms, budget=budget, rules=rules, stop=stop)
        if adds:
            intent = _as_tranche(intent, slot=slot)
        foreseen = self._foreseen(intent, budget=budget, slot=slot)
        if foreseen is not None:
            return foreseen
        advice = self._advice(bot, slot=slot, signal=signal, facts=facts, price=quote.ask)
        return advice if isinstance(advice, Refusal) else (intent, {**size.numbers, **advice})

    def plan_rung(self, bot: Bot, *, slot: Slot, rung: Rung) -> Intent | Refusal:
        """The resting buy of one rung of a grid, or why there is none."""
        ready = self._ready(bot)
        if isinstance(ready, Refusal):
            return ready
        rules, budget = ready
        price = floor_to_step(rung.buy_price, rules.price_step)
        at_rung = Quote(symbol=rules.symbol, bid=price, ask=price, at=self.now)
        size = sized(
            bot,
            budget=budget,
            signal=None,
            facts=MarketFacts(last_close=price),
            price=price,
            stop=bot.stop_loss_percent,
            trades=self.readings.trades(bot),
            weight=rung.weight,
        )
        if isinstance(size, Refusal):
            return size
        priced = self._priced(bot, rules=rules, quote=at_rung, size=size, slippage=ZERO, stop=bot.stop_loss_percent)
        if isinstance(priced, Refusal):
            return priced
        intent = replace(
            self._intent(bot, terms=priced[0], budget=budget, rules=rules, stop=bot.stop_loss_percent, rung=rung.name),
            kind=OrderKind.LIMIT,
            rests_until=self.now + RESTING,
        )
        return self._foreseen(intent, budget=budget, slot=slot) or intent

    def equity_of(self, bot: Bot, *, market: MarketView) -> Decimal:
        """Free money of the bot's budget plus what its positions are worth at the last closes (quote)."""
        budget = self.readings.budget(bot.budget_id)
        owner = identity.owner_key(account_id=bot.account_id, bot_id=bot.bot_id)
        keys = [(identity.market_key(venue=bot.venue, symbol=symbol), owner) for symbol in bot.symbols]
        worth = ZERO
        for slot in self.store.get_many(Slot, keys):
            symbol = slot.market_key.partition("|")[2]
            view = market if symbol == market.symbol else market.other(symbol=symbol)
            worth = add(worth, floor_to_step(slot.quantity * Decimal(str(view.close())), SPEND_STEP))
        return add(worth, budget.available) if budget else worth

    def _ready(self, bot: Bot) -> tuple[MarketRules, Budget] | Refusal:
        """What every buy rests on: an account that may trade, rules that are fresh, a budget."""
        rules = self.readings.rules()
        blocked = self.readings.account_problem(bot) or rules_problem(rules, now=self.now)
        if blocked is not None:
            return blocked
        budget = self.readings.budget(bot.budget_id)
        if budget is None:
            return Refusal(reason=Reason.BUDGET_MISSING, numbers={"budget": bot.budget_id})
        assert rules is not None  # rules_problem refused None
        return rules, budget

    def _priced(
        self, bot: Bot, *, rules: MarketRules, quote: Quote, size: Sized, slippage: Decimal, stop: Decimal
    ) -> tuple[EntryTerms, Sized] | Refusal:
        needed = spend_needed(rules, quote=quote, slippage_percent=slippage, stop_loss_percent=stop)
        size = minimum_spend(bot.sizing, sized=size, needed=needed)
        terms = entry_terms(
            rules=rules, quote=quote, spend=size.spend, slippage_percent=slippage, stop_loss_percent=stop
        )
        return terms if isinstance(terms, Refusal) else (terms, size)

    def _foreseen(self, intent: Intent, *, budget: Budget, slot: Slot) -> Refusal | None:
        today = day_of(intent.created_at, zone=intent.time_zone)
        day = None if budget.day == today else budget.day
        claim = claim_tranche if intent.leg is Leg.TRANCHE else claim_entry
        limited = intent.exposure_asset is not None
        exposure = self.store.get(Exposure, intent.budget_id, intent.exposure_asset or "") if limited else None
        return foreseen_refusal(claim(intent, budget_day=day), rows=(budget, slot, exposure), intent=intent)

    def _advice(
        self, bot: Bot, *, slot: Slot, signal: Signal, facts: MarketFacts, price: Decimal
    ) -> Refusal | Mapping[str, str]:
        if bot.gates.adviser is None:
            return {}
        request = advice_request(
            bot, symbol=self.symbol, tick=self.tick, price=price, market=facts.history, signal=signal.numbers
        )
        return self.adviser.ask(bot, slot=slot, request=request)

    def _intent(
        self,
        bot: Bot,
        *,
        terms: EntryTerms,
        budget: Budget,
        rules: MarketRules,
        stop: Decimal,
        rung: str | None = None,
    ) -> Intent:
        limited = budget.max_exposure_per_asset is not None
        return Intent(
            intent_id=identity.entry_intent_id(
                stage=self.stage,
                account_id=bot.account_id,
                bot_id=bot.bot_id,
                symbol=self.symbol,
                tick=self.tick,
                rung=rung,
            ),
            account_id=bot.account_id,
            bot_id=bot.bot_id,
            budget_id=bot.budget_id,
            venue=bot.venue,
            symbol=self.symbol,
            leg=Leg.ENTRY,
            side=Side.BUY,
            kind=OrderKind.LIMIT_IOC,
            quantity=terms.quantity,
            limit_price=terms.limit_price,
            reserved=terms.reserved,
            reason=Reason.BUY,
            tick=self.tick,
            created_at=self.now,
            deadline=self.now + ORDER_LIFETIME,
            take_profit_percent=bot.take_profit_percent,
            stop_loss_percent=stop,
            exit_rules=bot.exit_rules if bot.exit_rules != ExitRules() else None,
            rung=rung,
            exposure_asset=rules.base if limited else None,
            max_exposure=budget.max_exposure_per_asset,
            time_zone=budget.time_zone,
            work_key=WORK,
            next_check_at=sortable(self.now + FIRST_CHECK),
        )


def _as_tranche(intent: Intent, *, slot: Slot) -> Intent:
    entry = slot.entry_intent_id
    if entry is None:
        raise AssertionError(f"slot {slot.owner_key} must hold a position to add to, is {slot.state}")
    return replace(
        intent,
        intent_id=identity.tranche_intent_id(entry_intent_id=entry, tick=intent.tick),
        leg=Leg.TRANCHE,
        reason=Reason.ADD,
        entry_intent_id=entry,
        attempt=slot.tranches,
    )
