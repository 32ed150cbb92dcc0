"""What the entries of one batch are planned with: rules, price, budgets, accounts and trades, each read once."""

from dataclasses import dataclass, field
from datetime import datetime

from surefill.domain.candles import Quote, quote_problem
from surefill.domain.gates import needs_trades
from surefill.domain.kinds import AccountState
from surefill.domain.market import Refusal
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Account, Bot, Budget
from surefill.domain.times import format_time
from surefill.domain.trades import ClosedTrade, closed_trades
from surefill.ports import Store, Venues

# The newest orders of a bot that its protections and Kelly's sizer may look at: entries count too.
_NEWEST = 200


@dataclass(slots=True, kw_only=True)
class Readings:
    """Reads only when somebody buys, and only once."""

    store: Store
    venues: Venues
    venue: str
    symbol: str
    market_key: str
    now: datetime
    _rules: list[MarketRules | None] = field(default_factory=list)
    _quotes: list[Quote | VenueError | None] = field(default_factory=list)
    _budgets: dict[str, Budget | None] = field(default_factory=dict)
    _accounts: dict[str, Account | None] = field(default_factory=dict)

    def rules(self) -> MarketRules | None:
        """The market's rules as last fetched."""
        if not self._rules:
            self._rules.append(self.store.get(MarketRules, self.market_key))
        return self._rules[0]

    def account_problem(self, bot: Bot) -> Refusal | None:
        """Why the bot's account may not buy, or None."""
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
            down = account.trouble in (Reason.VENUE_DOWN, Reason.MAINTENANCE)
            told = {"until": format_time(account.retry_at), "account": account.state_reason}
            return Refusal(reason=Reason.CIRCUIT_OPEN if down else Reason.RATE_LIMITED, numbers=told)
        return None

    def quote(self) -> Quote | Refusal:
        """Bid and ask, fresh enough to act on, or why there is none."""
        if not self._quotes:
            try:
                self._quotes.append(self.venues.market_data(self.venue).quotes([self.symbol]).get(self.symbol))
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

    def budget(self, budget_id: str) -> Budget | None:
        """A budget as it was when it was first asked for."""
        if budget_id not in self._budgets:
            self._budgets[budget_id] = self.store.get(Budget, budget_id)
        return self._budgets[budget_id]

    def trades(self, bot: Bot) -> tuple[ClosedTrade, ...]:
        """The bot's closed trades, oldest first; not read for a bot whose rules do not look at them."""
        if not needs_trades(bot):
            return ()
        return closed_trades(self.store.intents_of_bot(bot.bot_id, limit=_NEWEST))
