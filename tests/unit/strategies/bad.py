"""Strategies that must not pass the check, as files a user might write."""

HEAD = """
import random
from surefill.strategies import base, indicators
from pydantic import Field


class Bad(base.Strategy):
    name = "bad"
    Params = base.Params

    def needs(self, symbols, symbol):
        return base.Needs(candles=30)

"""
LOOKS_AHEAD = (
    HEAD
    + '''
    def decide(self, market, position):
        """Reaches behind the view, for the candle that comes next."""
        closes = market._series.column("close")
        following = closes[min(market._index + 1, len(closes) - 1)]
        return base.Signal(action=base.Action.BUY if following > market.close() else base.Action.HOLD)
'''
)
LOOKS_AHEAD_BY_THE_BASE = (
    HEAD
    + '''
    def decide(self, market, position):
        """A window is a view of the whole column; its base goes on."""
        window = market.window("close", 30)
        while type(window.base) is type(window):
            window = window.base
        return base.Signal(action=base.Action.BUY if window.max() > market.close() * 1.01 else base.Action.HOLD)
'''
)
NEEDS_MORE = (
    HEAD
    + '''
    def decide(self, market, position):
        """An average of 50 candles' memory from 30 candles."""
        return base.Signal(action=base.Action.BUY if market.close() > market.ema(28) else base.Action.SELL)
'''
)
THROWS_DICE = (
    HEAD
    + """
    def decide(self, market, position):
        return base.Signal(action=base.Action.BUY if random.random() > 0.9 else base.Action.HOLD)
"""
)
REMEMBERS = (
    HEAD
    + '''
    seen = 0

    def decide(self, market, position):
        """State between calls: every tenth call buys."""
        self.seen += 1
        return base.Signal(action=base.Action.BUY if self.seen % 10 == 0 else base.Action.HOLD)
'''
)
HASHES = (
    HEAD
    + '''
    def decide(self, market, position):
        """The order of a set of words is another one in each process."""
        words = {"up", "down", "sideways", str(market.closed_at)}
        return base.Signal(action=base.Action.HOLD, numbers={"first": next(iter(words))})
'''
)
SCREENS_OUT = (
    HEAD
    + """
    def decide(self, market, position):
        return base.Signal(action=base.Action.BUY if market.close() > market.open() else base.Action.HOLD)

    def screen(self, series):
        return series.column("close") > series.column("open") * 1.001
"""
)
TELLS_OTHER_SIDES = (
    HEAD
    + """
    def decide(self, market, position):
        return base.Signal(action=base.Action.BUY if market.close() > market.open() else base.Action.HOLD)

    def sides(self, series):
        return (series.column("close") >= series.column("open") * 0.999) * 1
"""
)
RAISES = (
    HEAD
    + """
    def decide(self, market, position):
        return base.Signal(action=base.Action.HOLD, numbers={"x": str(1 / (market.close() - market.open()))})
"""
)
HANGS = (
    HEAD
    + """
    def decide(self, market, position):
        while True:
            pass
"""
)
NONSENSE = (
    HEAD
    + """
    def decide(self, market, position):
        return "BUY"
"""
)
NO_LIMITS = HEAD.replace(
    "class Bad", 'class P(base.Params):\n    n: int = Field(3, ge=1, description="candles")\n\n\nclass Bad'
).replace("Params = base.Params", "Params = P") + (
    """
    def decide(self, market, position):
        return base.Signal(action=base.Action.HOLD)
"""
)
