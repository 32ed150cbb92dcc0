"""Signal DCA: a first buy on a signal, then safety orders as the price falls. Take profit is the bot's, on the average.

| position | condition | signal |
|---|---|---|
| none | the entry signal is there | BUY, weight 1 |
| none | it is not | HOLD |
| held, safety orders left | fallen by the next distance or more | BUY, one more tranche with its weight |
| held, safety orders left | fallen by less | HOLD |
| held, all safety orders done | any | HOLD |

| entry | condition |
|---|---|
| rsi | RSI at or below `rsi_level`, and above 0 |
| composite | the composite strategy of this `temperature` buys |
| always | at once |

Safety order number n (the first is 1) has this distance, in per cent below the last price or the average, and weight:

| mode | distance | weight |
|---|---|---|
| equal_size | `step_percent` x `step_scale` ^ (n - 1) | 1 |
| pyramid_up | the same | `size_scale` ^ n |
| pyramid_down | the same | 1 / `size_scale` ^ n |
| adaptive | ATR in % of the close x `atr_multiple` x `step_scale` ^ (n - 1) | distance / `step_percent`, 0.5 to 3 |
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from surefill.strategies import base, indicators
from surefill.strategies.composite import Composite, Temperature
from surefill.strategies.market import MarketView

_LIGHTEST, _HEAVIEST = 0.5, 3.0


class SignalDcaParams(base.Params):
    """Distances in per cent, periods in candles, weights as multiples of what the sizer would spend."""

    entry: Literal["rsi", "composite", "always"] = Field("rsi", description="signal of the first buy")
    rsi_period: int = Field(14, ge=2, le=100, description="candles of the RSI")
    rsi_level: float = Field(30, gt=0, lt=100, description="highest RSI of the entry")
    temperature: Temperature = Field(Temperature.WARM, description="of the composite entry")
    mode: Literal["equal_size", "pyramid_up", "pyramid_down", "adaptive"] = Field(
        "equal_size", description="distances and weights of the safety orders"
    )
    safety_orders: int = Field(5, ge=0, le=30, description="most safety orders after the first buy")
    reference: Literal["last", "average"] = Field("last", description="price the fall is measured from")
    step_percent: float = Field(2, ge=0.1, le=50, description="fall to the first safety order, in %")
    step_scale: float = Field(1, ge=1, le=3, description="each distance is so many times the one before")
    size_scale: float = Field(1.5, ge=1, le=3, description="factor of the pyramids' weights")
    atr_period: int = Field(14, ge=2, le=100, description="candles of the average true range (adaptive)")
    atr_multiple: float = Field(2, ge=0.1, le=20, description="average true ranges to the first safety order")


class SignalDca(base.Strategy):
    """An entry signal, then safety orders."""

    name: ClassVar[str] = "signal_dca"
    Params: ClassVar[type[base.Params]] = SignalDcaParams
    default_timeframe: ClassVar[str] = "5m"
    default_interval_seconds: ClassVar[int] = 300

    params: SignalDcaParams

    def __init__(self, params: Mapping[str, object]) -> None:
        super().__init__(params)
        self._composite = Composite({"temperature": self.params.temperature})

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """What the entry and the distances read."""
        params = self.params
        candles = 1
        if params.entry == "rsi":
            candles = indicators.memory_of_wilder(params.rsi_period) + 1
        elif params.entry == "composite":
            candles = self._composite.needs(symbols, symbol).candles
        if params.mode == "adaptive":
            candles = max(candles, indicators.memory_of_wilder(params.atr_period) + 1)
        return base.Needs(candles=candles)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """First buy without a position, safety orders with one."""
        return self._entry(market) if position is None else self._safety_order(market, position)

    def _entry(self, market: MarketView) -> base.Signal:
        numbers = base.readings(close=market.close())
        if self.params.entry == "composite":
            vote = self._composite.decide(market, None)
            wanted, numbers = vote.action is base.Action.BUY, numbers | dict(vote.numbers)
        elif self.params.entry == "rsi":
            rsi = market.rsi(self.params.rsi_period)
            wanted, numbers = 0 < rsi <= self.params.rsi_level, numbers | base.readings(rsi=rsi)
        else:
            wanted = True
        return base.Signal(action=base.Action.BUY if wanted else base.Action.HOLD, numbers=numbers)

    def _safety_order(self, market: MarketView, position: base.Position) -> base.Signal:
        number = position.tranches
        numbers = {"safety_order": str(number), **base.readings(close=market.close())}
        if number > self.params.safety_orders:
            return base.Signal(action=base.Action.HOLD, numbers=numbers)
        use_last = self.params.reference == "last" and position.last_price is not None
        reference = float(position.last_price or 0) if use_last else position.average_price
        fallen = (reference - market.close()) / reference * 100
        distance = self._distance(market, number)
        weight = self._weight(number, distance)
        numbers |= base.readings(reference=reference, fallen_percent=fallen, distance_percent=distance, weight=weight)
        if fallen < distance:
            return base.Signal(action=base.Action.HOLD, numbers=numbers)
        exact = Decimal(str(round(weight, 4)))
        return base.Signal(action=base.Action.BUY, adds=True, weight=exact, numbers=numbers)

    def _distance(self, market: MarketView, number: int) -> float:
        first = self.params.step_percent
        if self.params.mode == "adaptive":
            first = market.atr(self.params.atr_period) / market.close() * 100 * self.params.atr_multiple
        return float(first * self.params.step_scale ** (number - 1))

    def _weight(self, number: int, distance: float) -> float:
        match self.params.mode:
            case "equal_size":
                return 1.0
            case "pyramid_up":
                return float(self.params.size_scale**number)
            case "pyramid_down":
                return float(self.params.size_scale**-number)
        return min(max(distance / self.params.step_percent, _LIGHTEST), _HEAVIEST)
