"""The exchange's clock: the wall clock, a faster or slower one, or one that only moves when told to."""

from __future__ import annotations

import time
from fractions import Fraction
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_NS_PER_MS = 1_000_000


class ExchangeClock:
    """Milliseconds since epoch, moving at `rate` exchange seconds per real second (0: frozen).

    `real_ns` is the real clock in nanoseconds; it is only read when the rate is not 0.
    """

    def __init__(
        self, *, now_ms: int | None = None, rate: Fraction | int = 1, real_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._real_ns = real_ns
        self._lock = Lock()
        self._rate = _checked(Fraction(rate))
        self._anchor_real_ns = real_ns() if self._rate or now_ms is None else 0
        self._anchor_ms = self._anchor_real_ns // _NS_PER_MS if now_ms is None else now_ms

    @classmethod
    def wall(cls) -> ExchangeClock:
        """The real time."""
        return cls()

    @classmethod
    def manual(cls, now_ms: int) -> ExchangeClock:
        """Stands still at `now_ms` until set or advanced."""
        return cls(now_ms=now_ms, rate=0)

    @property
    def rate(self) -> Fraction:
        """Exchange seconds per real second."""
        return self._rate

    @property
    def frozen(self) -> bool:
        """True when only `set` and `advance` move it."""
        return self._rate == 0

    def now_ms(self) -> int:
        """Milliseconds since epoch on the exchange."""
        with self._lock:
            return self._now_ms()

    def set(self, now_ms: int) -> None:
        """Go to a moment, forwards or backwards; the exchange itself never goes back behind an order."""
        with self._lock:
            self._anchor(now_ms)

    def advance(self, milliseconds: int) -> None:
        """Go forwards by that much. Raises ValueError on a negative number."""
        if milliseconds < 0:
            raise ValueError(f"clock advances by at least 0 ms, was {milliseconds}")
        with self._lock:
            self._anchor(self._now_ms() + milliseconds)

    def set_rate(self, rate: Fraction | int) -> None:
        """Change the speed, keeping the current moment. Raises ValueError on a negative rate."""
        checked = _checked(Fraction(rate))
        with self._lock:
            now_ms = self._now_ms()
            self._rate = checked
            self._anchor(now_ms)

    def _now_ms(self) -> int:
        if not self._rate:
            return self._anchor_ms
        elapsed_ns = self._real_ns() - self._anchor_real_ns
        return self._anchor_ms + elapsed_ns * self._rate.numerator // (self._rate.denominator * _NS_PER_MS)

    def _anchor(self, now_ms: int) -> None:
        self._anchor_real_ns = self._real_ns() if self._rate else 0
        self._anchor_ms = now_ms


def _checked(rate: Fraction) -> Fraction:
    if rate < 0:
        raise ValueError(f"clock rate must be at least 0, was {rate}")
    return rate
