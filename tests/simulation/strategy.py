"""A strategy that trades all the time: its wish follows from the bot, the candle and the draw of the seed alone."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar
from zlib import crc32

from surefill.strategies.base import Action, Needs, Params, Position, Signal, Strategy
from surefill.strategies.market import MarketView


class ScriptedParams(Params):
    """`name` tells bots apart; `buys` and `sells` are odds in per cent, while flat and while in a position.

    `adds` are the odds of one more tranche, `parts` those of a sale to be one of a part.
    """

    name: str
    buys: int = 40
    sells: int = 20
    adds: int = 0
    parts: int = 0


class Scripted(Strategy):
    """Pure, as every strategy: the same bot, candle and position always lead to the same wish."""

    name: ClassVar[str] = "scripted"
    Params: ClassVar[type[Params]] = ScriptedParams

    def __init__(self, params: Mapping[str, object]) -> None:
        self._params = ScriptedParams.model_validate(params)

    def needs(self, symbols: tuple[str, ...], symbol: str) -> Needs:
        """One candle."""
        return Needs(candles=1)

    def decide(self, market: MarketView, position: Position | None) -> Signal:
        """BUY (or more of it), SELL (or a half) or HOLD."""
        drawn = self._drawn(market, "")
        wanted = self._params
        if position is None:
            return Signal(action=Action.BUY if drawn < wanted.buys else Action.HOLD)
        if drawn < wanted.sells:
            half = self._drawn(market, "part") < wanted.parts
            return Signal(action=Action.SELL, share=Decimal("0.5") if half else Decimal(1))
        adds = drawn < wanted.sells + wanted.adds
        return Signal(action=Action.BUY if adds else Action.HOLD, adds=adds)

    def _drawn(self, market: MarketView, what: str) -> int:
        return crc32(f"{self._params.name}{market.close()}{what}".encode()) % 100
