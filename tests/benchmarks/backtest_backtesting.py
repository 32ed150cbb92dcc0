"""Runs in backtesting.py's own environment: the rule on every pair of FOLDER/market.npz; with `trades`, its trade list.

Fills at the next open, as backtesting.py does by default.
"""

# Runs in an environment of its own, where these packages are.
# mypy: ignore-errors

import json
import sys
from pathlib import Path

import numpy
import pandas
import talib
from backtesting import Backtest, Strategy


class RsiMacdRule(Strategy):
    def init(self) -> None:
        self.rsi = self.I(lambda close: talib.RSI(numpy.asarray(close), 14), self.data.Close)
        self.macd, self.line = self.I(lambda close: talib.MACD(numpy.asarray(close), 12, 26, 9)[:2], self.data.Close)

    def next(self) -> None:
        above, below = self.macd[-1] > self.line[-1], self.macd[-1] < self.line[-1]
        was_below, was_above = self.macd[-2] <= self.line[-2], self.macd[-2] >= self.line[-2]
        if self.position:
            if (below and was_above) or self.rsi[-1] > 70:
                self.position.close()
        elif above and was_below and self.rsi[-1] < 50:
            self.buy(size=0.5)


def run(folder: Path, *, commission: float) -> list[pandas.DataFrame]:
    stored = numpy.load(folder / "market.npz")
    index = pandas.to_datetime(stored["opened_ms"], unit="ms")
    found = []
    for pair in range(len(stored["close"])):
        columns = {name.title(): stored[name][pair] for name in ("open", "high", "low", "close", "volume")}
        frame = pandas.DataFrame(columns, index=index)
        backtest = Backtest(frame, RsiMacdRule, cash=1e9, commission=commission, finalize_trades=True)
        found.append(backtest.run()["_trades"])
    return found


if __name__ == "__main__":
    trades = run(Path(sys.argv[1]), commission=0.001)
    if sys.argv[2:] == ["trades"]:
        rows = [
            [[int(one.EntryBar), int(one.ExitBar), one.EntryPrice, one.ExitPrice] for one in frame.itertuples()]
            for frame in trades
        ]
        print(json.dumps(rows))
    else:
        print(sum(map(len, trades)))
