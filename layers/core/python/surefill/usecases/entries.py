"""Plan an entry: from a confirmed buy signal to the frozen terms of an order, or the reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.domain import identity
from surefill.domain.candles import Quote, quote_problem
from surefill.domain.market import EntryTerms, Refusal, entry_terms, rules_problem
from surefill.domain.money import ZERO, add, floor_to_step, share_down
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import (
    Account,
    AccountState,
    Bot,
    Budget,
    Exposure,
    Intent,
    Leg,
    MarketRules,
    OrderKind,
    Side,
    Slot,
)
from surefill.domain.rules import ExitRules
from surefill.domain.times import day_of, sortable
from surefill.ports import Store, Venues
from surefill.protocol.entry import claim_entry
from surefill.protocol.parts import WORK
from surefill.protocol.tranche import claim_tranche
from surefill.strategies.base import Rung, Signal
from surefill.strategies.market import MarketView
from surefill.usecases.batches import Batch
from surefill.usecases.facts import MarketFacts
from surefill.usecases.refusals import foreseen_refusal

# An order not sent within this time of its claim is never sent (the fence, research: absolute deadline).
ORDER_LIFETIME = timedelta(seconds=30)
# How long the venue accepts the signed request (Binance: recvWindow, at most 60 000 ms).
WINDOW = timedelta(seconds=5)
# The workflow settles within this time; afterwards `reconcile` looks as well.
FIRST_CHECK = timedelta(seconds=45)
# What a trade may spend is rounded down to this grid of the quote currency.
_SPEND_STEP = Decimal("0.00000001")
_PERCENT_STEP = Decimal("0.0001")
_ONE = Decimal(1)
# A grid's buy waits this long for its price; then it is cancelled and made anew.
RESTING = timedelta(days=7)


@dataclass(slots=True, kw_only=True)
class EntryPlanner:
    """Plans entries for one batch; rules, price, budgets and accounts are read once and only when somebody buys."""

    store: Store
    venues: Venues
    stage: str
    now: datetime
    batch: Batch
    market_key: str
    _rules: list[MarketRules | None] = field(default_factory=list)
    _quotes: list[Quote | VenueError | None] = field(default_factory=list)
    _budgets: dict[str, Budget | None] = field(default_factory=dict)
    _accounts: dict[str, Account | None] = field(default_factory=dict)

    def plan(
        self, bot: Bot, *, slot: Slot, signal: Signal, facts: MarketFacts, adds: bool
    ) -> tuple[Intent, Mapping[str, str]] | Refusal:
        """The intent to buy with the numbers behind its size, or why there is none. `adds`: one more tranche."""
        ready = self._ready(bot)
        if isinstance(ready, Refusal):
            return ready
        rules, budget = ready
        quote = self._quote()
        if not isinstance(quote, Quote):
            return quote
        stop = _stop_percent(bot, facts=facts, price=quote.ask)
        if isinstance(stop, Refusal):
            return stop
        terms = entry_terms(
            rules=rules,
            quote=quote,
            spend=_spend(bot, budget),
            slippage_percent=bot.slippage_percent,
            stop_loss_percent=stop,
        )
        if isinstance(terms, Refusal):
            return terms
        intent = self._intent(bot, terms=terms, budget=budget, rules=rules)
        intent = _as_tranche(intent, slot=slot) if adds else replace(intent, stop_loss_percent=stop or None)
        return self._foreseen(intent, budget=budget, slot=slot) or (intent, {})

    def plan_rung(self, bot: Bot, *, slot: Slot, rung: Rung, tick: datetime) -> Intent | Refusal:
        """The resting buy of one rung of a grid, or why there is none."""
        ready = self._ready(bot)
        if isinstance(ready, Refusal):
            return ready
        rules, budget = ready
        price = floor_to_step(rung.buy_price, rules.price_step)
        terms = entry_terms(
            rules=rules,
            quote=Quote(symbol=rules.symbol, bid=price, ask=price, at=self.now),
            spend=_spend(bot, budget, weight=rung.weight),
            slippage_percent=ZERO,
            stop_loss_percent=bot.stop_loss_percent,
        )
        if isinstance(terms, Refusal):
            return terms
        intent = replace(
            self._intent(bot, terms=terms, budget=budget, rules=rules, rung=rung.name),
            kind=OrderKind.LIMIT,
            rests_until=self.now + RESTING,
        )
        return self._foreseen(intent, budget=budget, slot=slot) or intent

    def _ready(self, bot: Bot) -> tuple[MarketRules, Budget] | Refusal:
        """What every buy rests on: an account that may trade, rules that are fresh, a budget."""
        blocked = self._account_problem(bot) or rules_problem(self.rules(), now=self.now)
        if blocked is not None:
            return blocked
        budget = self._budget(bot.budget_id)
        if budget is None:
            return Refusal(reason=Reason.BUDGET_MISSING, numbers={"budget": bot.budget_id})
        rules = self.rules()
        assert rules is not None  # rules_problem refused None
        return rules, budget

    def _foreseen(self, intent: Intent, *, budget: Budget, slot: Slot) -> Refusal | None:
        today = day_of(intent.created_at, zone=intent.time_zone)
        day = None if budget.day == today else budget.day
        claim = claim_tranche if intent.leg is Leg.TRANCHE else claim_entry
        exposure = self._exposure(intent)
        return foreseen_refusal(claim(intent, budget_day=day), rows=(budget, slot, exposure), intent=intent)

    def _exposure(self, intent: Intent) -> Exposure | None:
        if intent.exposure_asset is None:
            return None
        return self.store.get(Exposure, intent.budget_id, intent.exposure_asset)

    def equity_of(self, bot: Bot, *, market: MarketView) -> Decimal:
        """Free money of the bot's budget plus what its positions are worth at the last closes (quote)."""
        budget = self._budget(bot.budget_id)
        owner = identity.owner_key(account_id=bot.account_id, bot_id=bot.bot_id)
        keys = [(identity.market_key(venue=bot.venue, symbol=symbol), owner) for symbol in bot.symbols]
        worth = ZERO
        for slot in self.store.get_many(Slot, keys):
            symbol = slot.market_key.partition("|")[2]
            view = market if symbol == market.symbol else market.other(symbol=symbol)
            worth = add(worth, floor_to_step(slot.quantity * Decimal(str(view.close())), _SPEND_STEP))
        return add(worth, budget.available) if budget else worth

    def rules(self) -> MarketRules | None:
        """The market's rules as last fetched."""
        if not self._rules:
            self._rules.append(self.store.get(MarketRules, self.market_key))
        return self._rules[0]

    def _account_problem(self, bot: Bot) -> Refusal | None:
        if bot.account_id not in self._accounts:
            self._accounts[bot.account_id] = self.store.get(Account, bot.account_id)
        account = self._accounts[bot.account_id]
        if account is None:
            return Refusal(reason=Reason.ACCOUNT_BLOCKED, numbers={"account": f"{bot.account_id} does not exist"})
        if account.state is AccountState.AUTH_FAILED:
            return Refusal(reason=Reason.CREDENTIALS_REJECTED, numbers={"account": account.state_reason})
        if account.state is not AccountState.OK:
            return Refusal(reason=Reason.ACCOUNT_BLOCKED, numbers={"account": account.state_reason})
        if account.retry_at is not None and self.now < account.retry_at:
            return Refusal(reason=Reason.RATE_LIMITED, numbers={"until": account.retry_at.isoformat()})
        return None

    def _quote(self) -> Quote | Refusal:
        if not self._quotes:
            try:
                self._quotes.append(
                    self.venues.market_data(self.batch.venue).quotes([self.batch.symbol]).get(self.batch.symbol)
                )
            except VenueError as error:
                self._quotes.append(error)
        quote = self._quotes[0]
        if isinstance(quote, VenueError):
            return Refusal(reason=quote.reason, numbers={"error": str(quote)})
        problem = quote_problem(quote, now=self.now)
        if quote is None or problem is not None:
            seen = {"bid": str(quote.bid), "ask": str(quote.ask), "at": quote.at.isoformat()} if quote else {}
            return Refusal(reason=problem or Reason.NO_PRICE, numbers=seen)
        return quote

    def _budget(self, budget_id: str) -> Budget | None:
        if budget_id not in self._budgets:
            self._budgets[budget_id] = self.store.get(Budget, budget_id)
        return self._budgets[budget_id]

    def _intent(
        self, bot: Bot, *, terms: EntryTerms, budget: Budget, rules: MarketRules, rung: str | None = None
    ) -> Intent:
        limited = budget.max_exposure_per_asset is not None
        return Intent(
            intent_id=identity.entry_intent_id(
                stage=self.stage,
                account_id=bot.account_id,
                bot_id=bot.bot_id,
                symbol=self.batch.symbol,
                tick=self.batch.tick,
                rung=rung,
            ),
            account_id=bot.account_id,
            bot_id=bot.bot_id,
            budget_id=bot.budget_id,
            venue=bot.venue,
            symbol=self.batch.symbol,
            leg=Leg.ENTRY,
            side=Side.BUY,
            kind=OrderKind.LIMIT_IOC,
            quantity=terms.quantity,
            limit_price=terms.limit_price,
            reserved=terms.reserved,
            reason=Reason.BUY,
            tick=self.batch.tick,
            created_at=self.now,
            deadline=self.now + ORDER_LIFETIME,
            take_profit_percent=bot.take_profit_percent or None,
            stop_loss_percent=bot.stop_loss_percent or None,
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


def _stop_percent(bot: Bot, *, facts: MarketFacts, price: Decimal) -> Decimal | Refusal:
    multiple = bot.exit_rules.atr_stop_multiple
    if multiple is None:
        return bot.stop_loss_percent
    if facts.atr is None:
        return Refusal(reason=Reason.SIZE_UNKNOWN, numbers={"need": "average true range"})
    return share_down(facts.atr * multiple, part=Decimal(100), whole=price, step=_PERCENT_STEP)


def _spend(bot: Bot, budget: Budget, *, weight: Decimal = _ONE) -> Decimal:
    """Fixed percent of the whole budget, whatever part of it is at work (the sizer)."""
    equity = add(budget.available, budget.reserved, budget.deployed)
    return share_down(equity, part=bot.budget_percent * weight, whole=Decimal(100), step=_SPEND_STEP)
