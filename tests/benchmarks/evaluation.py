"""How long one live evaluation takes: 500 candles as columns, eight indicators, one signal.

`python -m tests.benchmarks.evaluation [--json]`; exit code 1 when the goal is missed. The peer is freqtrade's
`strategy.analyze` of one pair: 500 candles, two indicators, 3,160 microseconds on the machine the goal was set on when
it was idle. Processor time is counted here, so that other work on the machine does not decide.
"""

import argparse
import json
import statistics
import sys
import time
from typing import Any

from local.strategies.markets import SYMBOLS, generated
from surefill.domain.candles import Candles
from surefill.strategies import base, indicators
from surefill.strategies.market import MarketView, Series

CANDLES = 500
FREQTRADE_US = 3_160.0
GOAL = 50.0
_ROUNDS, _CALLS = 15, 400


class Params(base.Params):
    """None."""


class EightIndicators(base.Strategy):
    """Reads RSI, MACD, EMA, two SMA, Bollinger bands, ATR and ADX, and votes."""

    name = "eight_indicators"
    Params = Params

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """All candles."""
        return base.Needs(candles=CANDLES)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Buys when most agree, sells when few do."""
        close, rsi, (macd, line) = market.close(), market.rsi(14), market.macd(12, 26, 9)
        ema, fast, slow = market.ema(20), market.sma(50), market.sma(200)
        lower, middle, upper = market.bands(20, 2.0)
        atr, adx = market.atr(14), market.adx(14)
        votes = (rsi < 50) + (macd > line) + (close > ema) + (fast > slow) + (close < middle) + (adx > 20)
        action = base.Action.BUY if votes >= 5 else base.Action.SELL if votes <= 1 else base.Action.HOLD
        numbers = base.readings(
            close=close, rsi=rsi, macd=macd, macd_signal=line, ema=ema, fast=fast, slow=slow, lower=lower, upper=upper,
            atr=atr, adx=adx,
        )  # fmt: skip
        return base.Signal(action=action, numbers=numbers)


def evaluation_us() -> list[float]:
    """Processor time of one evaluation in microseconds, everything built anew each time; one figure per round."""
    indicators.load()
    candles = generated(seed=1, count=CANDLES, timeframe="5m").candles[SYMBOLS[0]]
    columns: dict[str, Any] = {
        name: getattr(candles, name) for name in ("opened_ms", "open", "high", "low", "close", "volume")
    }
    strategy = EightIndicators({})

    def evaluate() -> base.Signal:
        series = Series(Candles(timeframe="5m", **columns), length=CANDLES)
        return strategy.decide(MarketView(series, symbol=SYMBOLS[0]), None)

    evaluate()
    figures = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        for _ in range(_CALLS):
            evaluate()
        figures.append((time.process_time() - start) / _CALLS * 1e6)
    return figures


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    as_json = parser.parse_args().json
    figures = evaluation_us()
    median = statistics.median(figures)
    report = {
        "evaluation_us": round(median, 1),
        "best_us": round(min(figures), 1),
        "freqtrade_us": FREQTRADE_US,
        "ratio": round(FREQTRADE_US / median, 1),
        "goal": GOAL,
        "passed": FREQTRADE_US / median >= GOAL,
    }
    if as_json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        sys.stdout.write(
            f"one evaluation, {CANDLES} candles, 8 indicators: {report['evaluation_us']} us"
            f" (best round {report['best_us']} us), {report['ratio']}x faster than {FREQTRADE_US:.0f} us"
            f" (goal {GOAL:.0f}x)\n"
        )
    return 0 if report["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
