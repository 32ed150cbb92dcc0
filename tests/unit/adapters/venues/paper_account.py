"""A paper account with prices that a test sets and a store that may fail."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from surefill.adapters.memory import MemoryStore
from surefill.adapters.paper.book import PaperBook
from surefill.adapters.paper.fills import PaperTerms
from surefill.adapters.paper.venue import PaperVenue
from surefill.domain.candles import Quote
from surefill.domain.orders import Accepted, VenueError, VenueOrder
from surefill.ports import StoreUnavailableError
from tests.unit.adapters.venues.helpers import CLIENT_ID, NOW, SetClock, request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from surefill.domain.records import MarketRules
    from surefill.protocol.transaction import Transaction

ACCOUNT = "paper-binance-main"


class Prices:
    """Market data of one symbol."""

    def __init__(self, bid: str = "65000.00", ask: str = "65000.10") -> None:
        self.set(bid=bid, ask=ask)
        self.fails: VenueError | None = None

    def set(self, *, bid: str, ask: str, at: datetime = NOW) -> None:
        self.quote: Quote | None = Quote(symbol="BTC/USDT", bid=Decimal(bid), ask=Decimal(ask), at=at)

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        if self.fails is not None:
            raise self.fails
        return {self.quote.symbol: self.quote} if self.quote is not None else {}

    def candle_rows(self, **asked: Any) -> Sequence[Sequence[float]]:
        raise AssertionError(f"a paper account needs no candles, asked for {asked}")

    def market_rules(self, symbols: Sequence[str] | None, *, now: datetime) -> Sequence[MarketRules]:
        raise AssertionError("a paper account needs no rules")

    def server_time(self) -> datetime:
        return NOW


class Broken(MemoryStore):
    """A store that loses the reply of, or refuses, the next commits."""

    lost = 0
    refused = 0

    def commit(self, transaction: Transaction) -> None:
        if transaction.name != "paper_list" and self.refused:
            self.refused -= 1
            raise StoreUnavailableError("no answer")
        super().commit(transaction)
        if transaction.name != "paper_list" and self.lost:
            self.lost -= 1
            raise StoreUnavailableError("reply lost")


class World:
    """A paper account with 1,000 USDT."""

    def __init__(
        self, terms: PaperTerms | None = None, *, opening: str = "1000", store: MemoryStore | None = None
    ) -> None:
        self.store = store or Broken()
        self.prices = Prices()
        self.clock = SetClock()
        self.terms = terms or PaperTerms()
        self.opening = Decimal(opening)
        self.venue = self.account()

    def account(self) -> PaperVenue:
        book = PaperBook(store=self.store, account_id=ACCOUNT, currency="USDT", opening=self.opening)
        return PaperVenue(book=book, market_data=self.prices, clock=self.clock, terms=self.terms)

    def accepted(self, **changes: Any) -> VenueOrder:
        outcome = self.venue.post(request(**changes))
        assert isinstance(outcome, Accepted), outcome
        return outcome.order

    def find(self, client_order_id: str = CLIENT_ID) -> VenueOrder | None:
        return self.venue.find(symbol="BTC/USDT", client_order_id=client_order_id)

    def held(self) -> dict[str, tuple[Decimal, Decimal]]:
        return {asset: (balance.free, balance.locked) for asset, balance in self.venue.balances().items()}
