"""Live public candles of a real exchange, a few minutes late.

The simulated exchange only ever shows candles that are finished at the real one, with their times moved forward by
`lag_ms`. So the price inside the running candle follows the same fixed path as everywhere else and no request to
the simulated exchange waits for a candle to grow.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from local.exchange.market.candles import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Callable

_EIGHT_DECIMALS = Decimal("0.00000001")
_MOST_PER_REQUEST = 500
_MINUTES_KEPT = 50_000
# A finished candle that the real exchange has not published yet is asked for again after this long.
_ASK_AGAIN_MS = 5_000


class LiveMarketUnavailableError(Exception):
    """The real exchange can't be reached, so there is no live price."""


class PublicCandles(Protocol):
    """The one call used of a ccxt exchange."""

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int | None, limit: int | None) -> list[list[Any]]:
        """Rows of [open time in ms, open, high, low, close, volume]."""
        ...


class LiveCandles:
    """One-minute candles of `symbol` ("BTC/USDT") from `client`, `lag_ms` late.

    `first_open_ms` is the first minute to show, on the simulated exchange's clock; `now_ms` is that clock.
    Raises LiveMarketUnavailableError at once when the real exchange does not answer.
    """

    def __init__(
        self,
        *,
        client: PublicCandles,
        symbol: str,
        first_open_ms: int,
        now_ms: Callable[[], int],
        lag_ms: int = 2 * MINUTE_MS,
        price_step: Decimal = _EIGHT_DECIMALS,
    ) -> None:
        if lag_ms < MINUTE_MS or lag_ms % MINUTE_MS:
            raise ValueError(f"lag must be whole minutes and at least one, was {lag_ms} ms")
        self._client = client
        self._symbol = symbol
        self._now_ms = now_ms
        self._lag_ms = lag_ms
        self._price_step = price_step
        self._first_open_ms = first_open_ms - first_open_ms % MINUTE_MS
        self._candles: dict[int, Candle] = {}
        self._asked: dict[int, int] = {}
        self._fetch(self._first_open_ms)

    @property
    def interval_ms(self) -> int:
        """One minute."""
        return MINUTE_MS

    @property
    def price_step(self) -> Decimal:
        """Smallest price difference in quote."""
        return self._price_step

    @property
    def first_open_ms(self) -> int:
        """First minute shown."""
        return self._first_open_ms

    @property
    def end_ms(self) -> int | None:
        """None: it goes on."""
        return None

    def candle(self, open_ms: int) -> Candle | None:
        """The candle of that minute, fetched when needed; None when the real exchange has none (yet)."""
        known = self._candles.get(open_ms)
        if known is not None or open_ms < self._first_open_ms:
            return known
        now_ms = self._now_ms()
        if open_ms > now_ms or now_ms - self._asked.get(open_ms, -_ASK_AGAIN_MS) < _ASK_AGAIN_MS:
            return None
        self._fetch(open_ms)
        self._asked = {open_ms: now_ms}
        return self._candles.get(open_ms)

    def _fetch(self, open_ms: int) -> None:
        since = open_ms - self._lag_ms
        try:
            rows = self._client.fetch_ohlcv(self._symbol, "1m", since, _MOST_PER_REQUEST)
        except Exception as problem:
            # Any failure of a foreign client means the same here: there is no live price to show.
            raise LiveMarketUnavailableError(
                f"live candles of {self._symbol} can't be fetched ({type(problem).__name__}: {problem}), "
                "expected a network on which the real exchange answers; use a generated or recorded market instead"
            ) from problem
        now_ms = self._now_ms()
        for time, opened, high, low, closed, volume in rows:
            if time + MINUTE_MS > now_ms:  # still growing at the real exchange
                continue
            prices = [Decimal(str(value)).quantize(_EIGHT_DECIMALS) for value in (opened, high, low, closed)]
            traded = Decimal(str(volume)).quantize(_EIGHT_DECIMALS)
            quote = (traded * (prices[1] + prices[2]) / 2).quantize(_EIGHT_DECIMALS)
            shown = int(time) + self._lag_ms
            self._candles[shown] = Candle(shown, prices[0], prices[1], prices[2], prices[3], traded, quote)
        while len(self._candles) > _MINUTES_KEPT:
            del self._candles[next(iter(self._candles))]


def connect_live(*, venue: str, symbol: str, first_open_ms: int, now_ms: Callable[[], int]) -> LiveCandles:
    """Live candles from a real exchange through ccxt (`venue` is its ccxt name, no account is needed)."""
    try:
        import ccxt
    except ImportError:
        raise LiveMarketUnavailableError("live candles need ccxt, expected it to be installed") from None
    if venue not in ccxt.exchanges:
        raise LiveMarketUnavailableError(f"ccxt does not know the exchange {venue!r}, expected a name such as binance")
    client = getattr(ccxt, venue)({"enableRateLimit": True, "timeout": 5_000})
    return LiveCandles(client=client, symbol=symbol, first_open_ms=first_open_ms, now_ms=now_ms)
