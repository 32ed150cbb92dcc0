"""What is replayed: files, symbols, bots and the span of time, checked before anything is started."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.errors import LocalError
from local.exchange.market.recording import read_recording
from surefill.domain.times import from_milliseconds
from surefill.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from local.exchange.market.recording import RecordedCandles

STRATEGY = "composite"
BUDGET = Decimal(10_000)
_SYMBOL = re.compile(r"^[A-Z0-9]{2,15}/[A-Z0-9]{2,10}$")
_MINUTE_MS = 60_000
# Fast enough that a day of minutes holds many positions.
_PARAMS: Mapping[str, str | int | float | bool] = {
    "rsi_period": 7,
    "macd_fast": 6,
    "macd_slow": 13,
    "macd_signal": 5,
    "average_fast": 5,
    "average_slow": 20,
    "weight_rsi": 0.2,
    "weight_macd": 0.4,
    "weight_averages": 0.4,
    "buy_score": 0.5,
    "sell_score": 0.7,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """What was asked for on the command line; file n belongs to symbol n."""

    candles: tuple[Path, ...]
    symbols: tuple[str, ...]
    ticks: int
    bots: int | None = None
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPlan:
    """A replay that can be run. `first_tick` is the first minute with enough closed candles for the strategy."""

    files: Mapping[str, Path]
    quote: str
    first_tick: datetime
    ticks: int
    bots: Sequence[Mapping[str, Any]]

    @property
    def exchange_arguments(self) -> tuple[str, ...]:
        """Options of the simulated exchange: the recordings, standing still before the first tick."""
        arguments = ["--start", self.before_first_tick.isoformat(), "--rate", "0"]
        for symbol, path in self.files.items():
            arguments += ["--recording", f"{symbol}={path}"]
        return (*arguments, "--balance", f"{self.quote}={BUDGET * len(self.bots)}")

    @property
    def before_first_tick(self) -> datetime:
        """The minute in which accounts and bots are made."""
        return self.first_tick - timedelta(minutes=1)


def plan_replay(options: ReplayOptions) -> ReplayPlan:
    """Check everything. Raises LocalError or CandleFileError with one sentence."""
    if len(options.candles) != len(options.symbols):
        raise LocalError(
            f"each --candles needs one --symbol, were {len(options.candles)} files and {len(options.symbols)} symbols"
        )
    for symbol in options.symbols:
        if not _SYMBOL.match(symbol):
            raise LocalError(f"--symbol must be base/quote such as BTC/USDT, was {symbol!r}")
    if len(set(options.symbols)) != len(options.symbols):
        raise LocalError(f"each symbol may be given once, were {', '.join(options.symbols)}")
    quotes = {symbol.partition("/")[2] for symbol in options.symbols}
    if len(quotes) != 1:
        raise LocalError(f"all symbols must be paid in one currency, were in {', '.join(sorted(quotes))}")
    files = {symbol: path.resolve() for symbol, path in zip(options.symbols, options.candles, strict=True)}
    first_tick = _first_tick(files, ticks=options.ticks)
    return ReplayPlan(
        files=files,
        quote=quotes.pop(),
        first_tick=first_tick,
        ticks=options.ticks,
        bots=_bots(options.symbols, count=options.bots or len(options.symbols)),
    )


def _first_tick(files: Mapping[str, Path], *, ticks: int) -> datetime:
    recordings = {symbol: read_recording(path) for symbol, path in files.items()}
    for symbol, recording in recordings.items():
        if recording.interval_ms != _MINUTE_MS:
            seconds = recording.interval_ms // 1_000
            raise LocalError(f"{files[symbol]}: candles must be of one minute, were of {seconds} s")
    needed = STRATEGIES[STRATEGY](_PARAMS).needs(tuple(files), next(iter(files))).candles
    # One minute more: bots are made in the minute before the first tick, and are evaluated then too.
    start = max(_start_ms(recording) for recording in recordings.values()) + (needed + 1) * _MINUTE_MS
    end = min(recording.end_ms for recording in recordings.values())
    # The last tick is at the close of a candle: the exchange must still have a price then.
    possible = max(0, (end - start) // _MINUTE_MS)
    if ticks > possible:
        raise LocalError(
            f"--ticks must be at most {possible}, was {ticks}: so many minutes the files share after the {needed + 1} "
            "that the strategy needs first"
        )
    return from_milliseconds(start)


def _start_ms(recording: RecordedCandles) -> int:
    return -(-recording.first_open_ms // _MINUTE_MS) * _MINUTE_MS


def _bots(symbols: Sequence[str], *, count: int) -> list[dict[str, Any]]:
    """Definitions of the bots, dealt out over the symbols; each gets a budget of its own name."""
    return [
        {
            "name": f"replay_{number + 1:02d}",
            "symbols": [symbols[number % len(symbols)]],
            "strategy": STRATEGY,
            "params": dict(_PARAMS),
            "timeframe": "1m",
            "interval_seconds": 60,
            "budget_percent": "25",
            "take_profit_percent": "0.5",
            "stop_loss_percent": "0.4",
            "slippage_percent": "0.2",
            "confirmation_seconds": 60,
            "cooldown_seconds": 300,
        }
        for number in range(count)
    ]
