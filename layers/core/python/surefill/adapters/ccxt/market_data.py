"""Public data of a venue, through ccxt, without keys."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from surefill.adapters.ccxt import reading
from surefill.adapters.ccxt.connection import Connection
from surefill.adapters.ccxt.failures import CodedVenueError
from surefill.domain.candles import Quote
from surefill.domain.records import MarketRules
from surefill.domain.times import to_milliseconds

_Told = TypeVar("_Told")


class CcxtMarketData:
    """Implements `ports.MarketData`. All methods raise VenueError when the venue does not answer usefully."""

    def __init__(self, *, connection: Connection) -> None:
        self._connection = connection
        self._profile = connection.profile
        self._public = connection.profile.public

    def candle_rows(self, *, symbol: str, timeframe: str, until: datetime, limit: int) -> Sequence[Sequence[float]]:
        """Up to `limit` rows [open time ms, open, high, low, close, volume], oldest first, opened before `until`.

        The newest row is usually still open at the venue: the caller drops what had not closed at its tick.
        """
        end = to_milliseconds(until)
        rows: list[Sequence[float]] = []
        while len(rows) < limit:
            wanted = min(limit - len(rows), self._profile.page)
            page = self._candles(symbol=symbol, timeframe=timeframe, end=end, limit=wanted)
            rows = [*page, *rows]
            if len(page) < wanted:
                break
            end = int(page[0][0])
        return rows

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Best bid and ask of the symbols, in one request per 100 symbols; symbols without a price are left out.

        `Quote.at` is the venue's own time stamp of them. One symbol that the venue no longer lists fails a request as
        a whole: then it is halved until such symbols stand alone, so that they cost the others nothing but time.
        """

        def ask(named: Sequence[str]) -> list[tuple[str, Quote]]:
            quotes = self._connection.look(
                lambda exchange: self._public.ask_quotes(exchange, symbols=named),
                lambda said: self._public.read_quotes(said, symbols=named),
            )
            return list(quotes.items())

        return dict(self._told(ask, symbols))

    def market_rules(self, symbols: Sequence[str] | None, *, now: datetime) -> Sequence[MarketRules]:
        """Trading rules of the symbols (all of them when None); unknown symbols are left out as in `quotes`."""

        def ask(named: Sequence[str] | None) -> Sequence[MarketRules]:
            return self._connection.look(
                lambda exchange: self._public.ask_rules(exchange, symbols=named),
                lambda said: self._public.read_rules(said, taker_fee=self._profile.taker_fee, now=now),
            )

        return ask(None) if symbols is None else self._told(ask, symbols)

    def server_time(self) -> datetime:
        """The venue's own clock."""
        return self._connection.look(self._public.ask_time, self._public.read_time)

    def _candles(self, *, symbol: str, timeframe: str, end: int, limit: int) -> list[Sequence[float]]:
        def read(said: object) -> list[Sequence[float]]:
            rows = [self._public.read_candle(row) for row in reading.sequence(said, what="candles")]
            return [row for row in rows if row[0] < end]

        return self._connection.look(
            lambda exchange: self._public.ask_candles(
                exchange, symbol=symbol, timeframe=timeframe, until=end, limit=limit
            ),
            read,
        )

    def _told(self, ask: Callable[[Sequence[str]], Sequence[_Told]], symbols: Sequence[str]) -> list[_Told]:
        """What `ask` says of all symbols that the venue knows."""
        unique = list(dict.fromkeys(symbols))
        step = self._profile.named
        told: list[_Told] = []
        for start in range(0, len(unique), step):
            told.extend(self._told_of_known(ask, unique[start : start + step]))
        return told

    def _told_of_known(self, ask: Callable[[Sequence[str]], Sequence[_Told]], named: Sequence[str]) -> Sequence[_Told]:
        try:
            return ask(named)
        except CodedVenueError as error:
            if error.code not in self._profile.unknown_symbol:
                raise
        if len(named) == 1:
            return ()
        half = len(named) // 2
        return (*self._told_of_known(ask, named[:half]), *self._told_of_known(ask, named[half:]))
