"""A strategy that trades all the time: its wish follows from the bot, the candle and the draw of the seed alone."""

from collections.abc import Mapping
from typing import ClassVar
from zlib import crc32

from surefill.strategies.base import Action, Needs, Params, Position, Signal, Strategy
from surefill.strategies.market import MarketView


class ScriptedParams(Params):
    """`name` tells bots apart; `buys` and `sells` are odds in per cent, while flat and while in a position."""

    name: str
    buys: int = 40
    sells: int = 20


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
        """BUY, SELL or HOLD."""
        drawn = crc32(f"{self._params.name}{market.close()}".encode()) % 100
        if position is None:
            return Signal(action=Action.BUY if drawn < self._params.buys else Action.HOLD)
        return Signal(action=Action.SELL if drawn < self._params.sells else Action.HOLD)
