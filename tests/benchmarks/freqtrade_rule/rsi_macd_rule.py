"""The benchmark's rule for freqtrade: in when the MACD crosses up with an RSI below 50, out when it crosses down or the
RSI is above 70."""

# Runs in an environment of its own, where these packages are.
# mypy: ignore-errors

from typing import ClassVar

import talib
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class RsiMacdRule(IStrategy):
    """No profit table and no stop that could be reached: the rule alone decides."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    minimal_roi: ClassVar[dict[str, int]] = {"0": 100}
    stoploss = -0.99
    startup_candle_count = 50
    process_only_new_candles = True

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        close = dataframe["close"].to_numpy()
        dataframe["rsi"] = talib.RSI(close, 14)
        dataframe["macd"], dataframe["line"], _ = talib.MACD(close, 12, 26, 9)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        macd, line = dataframe["macd"], dataframe["line"]
        up = (macd > line) & (macd.shift() <= line.shift())
        dataframe.loc[up & (dataframe["rsi"] < 50) & (dataframe["volume"] > 0), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        macd, line = dataframe["macd"], dataframe["line"]
        down = (macd < line) & (macd.shift() >= line.shift())
        dataframe.loc[down | (dataframe["rsi"] > 70), "exit_long"] = 1
        return dataframe
