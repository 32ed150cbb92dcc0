"""Start the simulated exchange from the command line.

Prints one line when it is ready and runs until interrupted. A mistake in the options, an unusable recording or a
port in use ends it with one sentence on the error output and exit code 2.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from local.exchange.book import default_shape
from local.exchange.clock import ExchangeClock
from local.exchange.fees import FeeRates
from local.exchange.limits import LimitSettings
from local.exchange.market.generator import Liveliness
from local.exchange.market.live import LiveMarketUnavailableError, connect_live
from local.exchange.market.recording import CandleFileError, RecordedCandles, read_recording
from local.exchange.security import ApiKey
from local.exchange.server import PortInUseError, serve
from local.exchange.settings import DEFAULT_PRICES, LOCAL_KEY, AccountSettings, MarketSettings, build_exchange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.exchange.core import Exchange


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until interrupted; the exit code."""
    options = read_options(arguments)
    try:
        exchange = exchange_from(options)
        server = serve(exchange, options.port, host=options.host)
    except (ValueError, ArithmeticError, CandleFileError, LiveMarketUnavailableError, PortInUseError) as problem:
        sys.stderr.write(f"simulated exchange: {problem}\n")
        return 2
    symbols = ", ".join(exchange.state.markets)
    sys.stdout.write(f"simulated exchange on http://{options.host}:{server.port} with {symbols}\n")
    sys.stdout.flush()
    try:
        server.wait()
    except KeyboardInterrupt:
        server.close()
    return 0


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line; argparse ends the program on words it does not know."""
    return _parser().parse_args(arguments)


def exchange_from(options: argparse.Namespace) -> Exchange:
    """The exchange the options describe. Raises ValueError, CandleFileError or LiveMarketUnavailableError."""
    recordings = {
        symbol: read_recording(file, allow_gaps=options.allow_gaps)
        for symbol, file in (_pair(text, "SYMBOL=FILE") for text in options.recording)
    }
    clock = _clock(options, recordings)
    lively = Liveliness(noise_bps=options.noise_bps, swing_bps=options.swing_bps, swing_minutes=options.swing_minutes)
    prices = {symbol: Decimal(price) for symbol, price in (_pair(text, "SYMBOL=PRICE") for text in options.market)}
    if not (prices or recordings or options.live):
        prices = dict(DEFAULT_PRICES)
    markets = [MarketSettings(symbol, start_price=price, liveliness=lively) for symbol, price in prices.items()]
    markets += [MarketSettings(symbol, source=source) for symbol, source in recordings.items()]
    for symbol in options.live:
        now_ms = clock.now_ms()
        source = connect_live(venue=options.live_venue, symbol=symbol, first_open_ms=now_ms, now_ms=clock.now_ms)
        markets.append(MarketSettings(symbol, source=source))
    if options.spread_bps is not None:
        spread = {"spread_bps": Decimal(options.spread_bps)}
        markets = [_with_spread(market, spread) for market in markets]
    balances: dict[str, dict[str, Decimal]] = {}
    for text in options.balance:
        place, amount = _pair(text, "ACCOUNT:ASSET=AMOUNT")
        account, colon, asset = place.partition(":")
        if not colon:
            account, asset = "main", place
        balances.setdefault(account, {})[asset] = Decimal(amount)
    keys = [_key(text) for text in options.key] or [LOCAL_KEY]
    for key in keys:
        balances.setdefault(key.account, {"USDT": Decimal(10_000)})
    rate = Decimal(options.fee_bps) / 10_000
    return build_exchange(
        markets=markets,
        accounts=[AccountSettings(name, owned, fees_in_bnb=options.fees_in_bnb) for name, owned in balances.items()],
        api_keys=keys,
        clock=clock,
        seed=options.seed,
        fees=FeeRates(maker=rate, taker=rate),
        limits=LimitSettings(enforced=options.enforce_limits),
    )


def _with_spread(market: MarketSettings, spread: Mapping[str, Decimal]) -> MarketSettings:
    shape = default_shape(market.symbol.partition("/")[2]).changed(spread)
    return MarketSettings(market.symbol, market.start_price, market.source, market.rules, shape, market.liveliness)


def _clock(options: argparse.Namespace, recordings: dict[str, RecordedCandles]) -> ExchangeClock:
    """The wall clock, or from a moment on at a rate; recordings start at their beginning unless told otherwise."""
    rate = Fraction(options.rate)
    if options.start is not None:
        moment = datetime.fromisoformat(options.start)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return ExchangeClock(now_ms=int(moment.timestamp()) * 1_000, rate=rate)
    if recordings:
        return ExchangeClock(now_ms=max(source.first_open_ms for source in recordings.values()), rate=rate)
    return ExchangeClock(rate=rate)


def _pair(text: str, form: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not equals or not left or not right:
        raise ValueError(f"expected {form}, was {text!r}")
    return left, right


def _key(text: str) -> ApiKey:
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(parts):
        raise ValueError(f"expected KEY:SECRET or KEY:SECRET:ACCOUNT, was {len(parts)} parts")
    return ApiKey(key=parts[0], secret=parts[1], account=parts[2] if len(parts) == 3 else "main")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.exchange", description="A simulated Binance spot exchange.")
    add = parser.add_argument
    add("--port", type=int, default=9100, help="port on this machine (default 9100, 0 takes a free one)")
    add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    add("--seed", type=int, default=1, help="seed of the generated market and of random faults")
    add("--market", action="append", default=[], metavar="SYMBOL=PRICE", help="generated market, e.g. BTC/USDT=60000")
    add("--recording", action="append", default=[], metavar="SYMBOL=FILE", help="market from recorded candles")
    add("--allow-gaps", action="store_true", help="use recordings that have gaps")
    add("--live", action="append", default=[], metavar="SYMBOL", help="market from live public candles")
    add("--live-venue", default="binance", help="exchange of the live candles, by its ccxt name")
    add("--key", action="append", default=[], metavar="KEY:SECRET[:ACCOUNT]", help="API key (default local-key)")
    add("--balance", action="append", default=[], metavar="[ACCOUNT:]ASSET=AMOUNT", help="what an account owns")
    add("--start", metavar="TIME", help="time on the exchange at the start, e.g. 2024-10-01T00:00:00")
    add("--rate", default="1", help="exchange seconds per real second; 0 stands still until /admin/clock moves it")
    add("--fee-bps", default="10", help="commission in basis points (default 10)")
    add("--fees-in-bnb", action="store_true", help="accounts pay commission in BNB while they have some")
    add("--spread-bps", help="distance between best bid and ask in basis points (default 2)")
    add("--noise-bps", type=int, default=Liveliness().noise_bps, help="noise of a generated minute")
    add("--swing-bps", type=int, default=Liveliness().swing_bps, help="height of a generated swing")
    add("--swing-minutes", type=int, default=Liveliness().swing_minutes, help="length of a generated swing")
    add("--enforce-limits", action="store_true", help="answer 429 and 418 above Binance's request limits")
    return parser
