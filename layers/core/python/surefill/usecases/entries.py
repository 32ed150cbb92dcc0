"""Plan an entry: from a confirmed buy signal to the frozen terms of an order, or the reason why not."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.domain import identity
from surefill.domain.candles import Quote, quote_problem
from surefill.domain.market import EntryTerms, Refusal, entry_terms, rules_problem
from surefill.domain.money import add, share_down
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import (
    Account,
    AccountState,
    Bot,
    Budget,
    Intent,
    Leg,
    MarketRules,
    OrderKind,
    Side,
    Slot,
)
from surefill.domain.times import day_of, sortable
from surefill.ports import Store, Venues
from surefill.protocol.entry import claim_entry
from surefill.protocol.parts import WORK
from surefill.usecases.batches import Batch
from surefill.usecases.refusals import foreseen_refusal

# An order not sent within this time of its claim is never sent (the fence, research: absolute deadline).
ORDER_LIFETIME = timedelta(seconds=30)
# How long the venue accepts the signed request (Binance: recvWindow, at most 60 000 ms).
WINDOW = timedelta(seconds=5)
# The workflow settles within this time; afterwards `reconcile` looks as well.
FIRST_CHECK = timedelta(seconds=45)
# What a trade may spend is rounded down to this grid of the quote currency.
_SPEND_STEP = Decimal("0.00000001")


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

    def plan(self, bot: Bot, *, slot: Slot) -> Intent | Refusal:
        """The intent to buy, or why there is none."""
        blocked = self._account_problem(bot) or rules_problem(self.rules(), now=self.now)
        if blocked is not None:
            return blocked
        quote = self._quote()
        if not isinstance(quote, Quote):
            return quote
        budget = self._budget(bot.budget_id)
        if budget is None:
            return Refusal(reason=Reason.BUDGET_MISSING, numbers={"budget": bot.budget_id})
        rules = self.rules()
        assert rules is not None  # rules_problem refused None
        terms = entry_terms(
            rules=rules,
            quote=quote,
            spend=_spend(bot, budget),
            slippage_percent=bot.slippage_percent,
            stop_loss_percent=bot.stop_loss_percent,
        )
        if isinstance(terms, Refusal):
            return terms
        intent = self._intent(bot, terms=terms)
        today = day_of(intent.created_at)
        claim = claim_entry(intent, budget_day=None if budget.day == today else budget.day)
        return foreseen_refusal(claim, rows=(budget, slot), intent=intent) or intent

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

    def _intent(self, bot: Bot, *, terms: EntryTerms) -> Intent:
        return Intent(
            intent_id=identity.entry_intent_id(
                stage=self.stage,
                account_id=bot.account_id,
                bot_id=bot.bot_id,
                symbol=self.batch.symbol,
                tick=self.batch.tick,
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
            take_profit_percent=bot.take_profit_percent,
            stop_loss_percent=bot.stop_loss_percent,
            work_key=WORK,
            next_check_at=sortable(self.now + FIRST_CHECK),
        )


def _spend(bot: Bot, budget: Budget) -> Decimal:
    """Fixed percent of the whole budget, whatever part of it is at work (the sizer)."""
    equity = add(budget.available, budget.reserved, budget.deployed)
    return share_down(equity, part=bot.budget_percent, whole=Decimal(100), step=_SPEND_STEP)
