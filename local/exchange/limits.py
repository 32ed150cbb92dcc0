"""Request weight and order counts.

Source: Binance spot REST docs, "LIMITS": weight is counted per address and minute, orders per account in ten seconds
and a day; over the weight limit comes 429 with Retry-After, going on after that a ban (418).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from local.exchange import errors

_MINUTE_MS = 60_000
_TEN_SECONDS_MS = 10_000
_DAY_MS = 86_400_000
_BAN_MS = 120_000
# Requests after a 429 within the same minute that lead to a ban.
_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """`enforced` False counts and reports but never refuses."""

    enforced: bool = False
    weight_per_minute: int = 6_000
    orders_per_ten_seconds: int = 100
    orders_per_day: int = 200_000


@dataclass(slots=True)
class _Window:
    number: int = -1
    count: int = 0

    def add(self, number: int, amount: int) -> int:
        if number != self.number:
            self.number, self.count = number, 0
        self.count += amount
        return self.count


@dataclass(slots=True)
class RateLimits:
    """Counters of the running windows."""

    settings: LimitSettings
    _weight: _Window = field(default_factory=_Window)
    _refused: _Window = field(default_factory=_Window)
    _banned_until_ms: int = 0
    _short: defaultdict[str, _Window] = field(default_factory=lambda: defaultdict(_Window))
    _daily: defaultdict[str, _Window] = field(default_factory=lambda: defaultdict(_Window))

    def spend(self, weight: int, *, now_ms: int) -> int:
        """Count a request; the weight used in this minute. Raises -1003 (429, 418) when enforced."""
        minute = now_ms // _MINUTE_MS
        used = self._weight.add(minute, weight)
        if not self.settings.enforced:
            return used
        if now_ms < self._banned_until_ms:
            seconds = -(-(self._banned_until_ms - now_ms) // 1_000)
            raise errors.banned(until_ms=self._banned_until_ms, retry_after_seconds=seconds)
        if used > self.settings.weight_per_minute:
            if self._refused.add(minute, 1) > _PATIENCE:
                self._banned_until_ms = now_ms + _BAN_MS
                raise errors.banned(until_ms=self._banned_until_ms, retry_after_seconds=_BAN_MS // 1_000)
            seconds = -(-((minute + 1) * _MINUTE_MS - now_ms) // 1_000)
            raise errors.too_many_requests(limit=self.settings.weight_per_minute, retry_after_seconds=seconds)
        return used

    def count_order(self, account: str, *, now_ms: int) -> dict[str, str]:
        """Count a new order; the reply headers. Raises -1015 when enforced."""
        short = self._short[account].add(now_ms // _TEN_SECONDS_MS, 1)
        daily = self._daily[account].add(now_ms // _DAY_MS, 1)
        if self.settings.enforced and short > self.settings.orders_per_ten_seconds:
            raise errors.too_many_orders(limit=self.settings.orders_per_ten_seconds, interval="10 SECOND")
        if self.settings.enforced and daily > self.settings.orders_per_day:
            raise errors.too_many_orders(limit=self.settings.orders_per_day, interval="1 DAY")
        return {"X-MBX-ORDER-COUNT-10S": str(short), "X-MBX-ORDER-COUNT-1D": str(daily)}

    def info(self) -> list[dict[str, object]]:
        """exchangeInfo's `rateLimits`."""
        settings = self.settings
        rows = (
            ("REQUEST_WEIGHT", "MINUTE", 1, settings.weight_per_minute),
            ("ORDERS", "SECOND", 10, settings.orders_per_ten_seconds),
            ("ORDERS", "DAY", 1, settings.orders_per_day),
        )
        return [
            {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
            for kind, interval, number, limit in rows
        ]
