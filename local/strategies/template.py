"""A new strategy: the file it begins as."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.errors import LocalError
from surefill.strategies.loading import BUILT_IN

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"^[a-z][a-z0-9_]{1,39}$")
_TEXT = '''"""{title}: buys when the close rises above its average, sells when it falls below.

| close | signal |
|---|---|
| crosses above its average | BUY |
| crosses below its average | SELL |
| neither | HOLD |
"""

from typing import Any, ClassVar

from pydantic import Field

from surefill.strategies import base, indicators
from surefill.strategies.market import MarketView, Series


class {prefix}Params(base.Params):
    """Periods in candles."""

    period: int = Field(20, ge=2, le=400, description="candles of the average")


class {prefix}(base.Strategy):
    """The close against its average."""

    name: ClassVar[str] = "{name}"
    Params: ClassVar[type[base.Params]] = {prefix}Params
    default_timeframe: ClassVar[str] = "5m"
    default_interval_seconds: ClassVar[int] = 300

    params: {prefix}Params

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """The average, at two candles."""
        return base.Needs(candles=self.params.period + 1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Depends on nothing but the market and the position. `ago=1` is the candle before the newest."""
        close, average = market.close(), market.sma(self.params.period)
        close_before, average_before = market.close(ago=1), market.sma(self.params.period, ago=1)
        action = base.Action.HOLD
        if close > average and close_before <= average_before:
            action = base.Action.BUY
        elif close < average and close_before >= average_before:
            action = base.Action.SELL
        return base.Signal(action=action, numbers=base.readings(close=close, average=average))

    def screen(self, series: Series) -> Any:
        """Makes a backtest faster: the candles at which `decide` may want something. May be left out."""
        distance = series.column("close") - series.once(indicators.sma, self.params.period)
        before = indicators.earlier(distance)
        return ((distance > 0) & (before <= 0)) | ((distance < 0) & (before >= 0))
'''


def write_new(name: str, *, folder: Path) -> Path:
    """Write the file of a new strategy. Raises LocalError for a name that can't be, or a file that is there."""
    if not _NAME.match(name):
        raise LocalError(f"a strategy's name must be 2 to 40 small letters, digits and underscores, was {name!r}")
    if name in BUILT_IN:
        raise LocalError(f"{name!r} is a built-in strategy: choose another name")
    path = folder / f"{name}.py"
    if path.exists():
        raise LocalError(f"{path} is there already: choose another name or remove it")
    prefix = "".join(part.capitalize() for part in name.split("_"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(_TEXT.format(name=name, prefix=prefix, title=name.replace("_", " ").strip().capitalize()))
    except OSError as error:
        raise LocalError(f"{path} can't be written: {error.strerror}") from None
    return path
