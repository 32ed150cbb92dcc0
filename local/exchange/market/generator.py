"""Generated one-minute candles: lively, seeded, and the same for every (seed, symbol, minute).

The price is a slow level times a fast deviation from it:

- the *level* wanders around the start price; it is noise between random points laid over the calendar (days to
  months apart), so any date can be asked for without walking there from the beginning;
- the *deviation* is a random walk whose regime changes every few minutes: quiet, swinging up, swinging down, storm.
  It is drawn one day at a time and bent to end where the next day begins.

Everything is computed in whole numbers from `getrandbits`, so no platform's floating point can change a candle.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from local.exchange.market.candles import DAY_MS, MINUTE_MS, Candle

_MINUTES_PER_DAY = DAY_MS // MINUTE_MS
# Deviations and levels are counted in hundred-millionths of the start price.
_UNIT = 100_000_000
_BASIS_POINT = _UNIT // 10_000
_VOLUME_STEP = Decimal("0.00001")
_DAYS_KEPT = 96
# (days between two random points, largest distance from the start price in basis points)
_LEVEL_WAVES = ((1, 150), (5, 300), (23, 500), (97, 800))


@dataclass(frozen=True, slots=True)
class Liveliness:
    """How much the generated price moves.

    `noise_bps`: standard deviation of one minute around its regime, in basis points of the price.
    `swing_bps`: typical height of a swing away from the level, in basis points.
    `swing_minutes`: typical duration of one swing, in minutes.
    """

    noise_bps: int = 14
    swing_bps: int = 190
    swing_minutes: int = 10

    def __post_init__(self) -> None:
        if self.noise_bps < 0 or self.swing_bps < 0 or self.swing_minutes < 2:
            raise ValueError(f"liveliness needs noise and swing of at least 0 and swings of 2 minutes, was {self}")
        if self.swing_bps + 20 * self.noise_bps > 5_000:
            raise ValueError(f"liveliness would move the price by more than half its level, was {self}")


@dataclass(frozen=True, slots=True)
class _Day:
    """Candles of one day as whole numbers: prices in steps, volume in hundred-thousandths of base."""

    boundary: array[int]
    high: array[int]
    low: array[int]
    volume: array[int]


class GeneratedCandles:
    """Endless one-minute candles around `start_price` (quote per base), rounded to `price_step`."""

    def __init__(
        self,
        *,
        seed: int,
        symbol: str,
        start_price: Decimal,
        price_step: Decimal,
        liveliness: Liveliness | None = None,
        quote_per_minute: Decimal = Decimal(200_000),
    ) -> None:
        if start_price < price_step * 1_000:
            raise ValueError(
                f"start price of {symbol} must be at least 1000 price steps of {price_step}, was {start_price}"
            )
        self._name = f"{seed}:{symbol}"
        self._liveliness = liveliness or Liveliness()
        self._price_step = price_step
        self._start_steps = int(start_price / price_step)
        self._volume_per_minute = max(1, int(quote_per_minute / start_price / _VOLUME_STEP))
        self._days: OrderedDict[int, _Day] = OrderedDict()
        self._points: dict[tuple[int, int], int] = {}

    @property
    def interval_ms(self) -> int:
        """One minute."""
        return MINUTE_MS

    @property
    def price_step(self) -> Decimal:
        """Smallest price difference in quote."""
        return self._price_step

    @property
    def first_open_ms(self) -> int | None:
        """None: there is no first candle."""
        return None

    @property
    def end_ms(self) -> int | None:
        """None: there is no last candle."""
        return None

    def candle(self, open_ms: int) -> Candle | None:
        """The candle of that minute; there is one for every minute."""
        number, minute = divmod(open_ms // MINUTE_MS, _MINUTES_PER_DAY)
        day = self._days.get(number) or self._remember(number)
        step = self._price_step
        volume = day.volume[minute] * _VOLUME_STEP
        high, low, close = day.high[minute] * step, day.low[minute] * step, day.boundary[minute + 1] * step
        return Candle(
            open_ms=open_ms,
            open=day.boundary[minute] * step,
            high=high,
            low=low,
            close=close,
            volume=volume,
            quote_volume=(volume * (high + low) / 2).quantize(Decimal("0.00000001")),
        )

    def _remember(self, number: int) -> _Day:
        day = self._days[number] = self._draw(number)
        if len(self._days) > _DAYS_KEPT:
            self._days.popitem(last=False)
        return day

    def _draw(self, number: int) -> _Day:
        random = Random(f"{self._name}:{number}")  # noqa: S311 - a market, not a secret
        deviation, strength = self._deviations(random)
        level, next_level = self._level(number), self._level(number + 1)
        last = deviation[_MINUTES_PER_DAY]
        boundary, high, low, volume = array("q"), array("q"), array("q"), array("q")
        for minute in range(_MINUTES_PER_DAY + 1):
            straightened = deviation[minute] - last * minute // _MINUTES_PER_DAY
            here = level + (next_level - level) * minute // _MINUTES_PER_DAY
            boundary.append(max(2, self._start_steps * here * (_UNIT + straightened) // (_UNIT * _UNIT)))
        for minute in range(_MINUTES_PER_DAY):
            opened, closed = boundary[minute], boundary[minute + 1]
            reach = opened * strength[minute] // _UNIT
            bits = random.getrandbits(24)
            high.append(max(opened, closed) + reach * (bits & 0xFF) // 400)
            low.append(max(1, min(opened, closed) - reach * (bits >> 8 & 0xFF) // 400))
            busy = 40 + (bits >> 16) // 3 + 400 * abs(closed - opened) // max(1, reach * 2 + 1)
            volume.append(max(1, self._volume_per_minute * busy // 100))
        return _Day(boundary=boundary, high=high, low=low, volume=volume)

    def _deviations(self, random: Random) -> tuple[list[int], list[int]]:
        """Distance from the level at each minute boundary of a day, and the strength of the noise in each minute."""
        lively = self._liveliness
        noise, swing = lively.noise_bps * _BASIS_POINT, lively.swing_bps * _BASIS_POINT
        deviation, strength = [0], []
        position, target, pull, loud, left, direction = 0, 0, 6, noise, 0, 1
        for _ in range(_MINUTES_PER_DAY):
            if left == 0:
                kind = random.getrandbits(4)
                left = lively.swing_minutes // 2 + random.getrandbits(16) * lively.swing_minutes // 65_536 + 1
                loud = noise
                if kind < 3:
                    target, left = position // 2, left * 2
                elif kind == 3:
                    target, loud = 0, noise * 5 // 2
                else:
                    direction = -direction
                    target = direction * swing * (40 + random.getrandbits(7)) // 100
                pull = max(2, left * 2 // 5)
            left -= 1
            # 64 coin tosses have a standard deviation of 4: a normal draw in whole numbers.
            toss = random.getrandbits(64).bit_count() - 32
            position += (target - position) // pull + loud * (toss * 16 + random.getrandbits(4) - 8) // 64
            deviation.append(position)
            strength.append(loud)
        return deviation, strength

    def _level(self, day: int) -> int:
        """Level at the beginning of a day, in hundred-millionths of the start price."""
        level = _UNIT
        for wave, (days, height_bps) in enumerate(_LEVEL_WAVES):
            number, done = divmod(day, days)
            start, end = self._point(wave, number), self._point(wave, number + 1)
            level += (start + (end - start) * done // days) * height_bps * _BASIS_POINT // _UNIT
        return level

    def _point(self, wave: int, number: int) -> int:
        """A random number in [-1, 1) hundred millions, fixed for this wave and place in the calendar."""
        key = (wave, number)
        value = self._points.get(key)
        if value is None:
            random = Random(f"{self._name}:{wave}:{number}")  # noqa: S311 - a market, not a secret
            value = self._points[key] = random.getrandbits(32) * 2 * _UNIT // 2**32 - _UNIT
        return value
