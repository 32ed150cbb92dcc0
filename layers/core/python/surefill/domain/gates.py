"""What must be so before a buy becomes an order: hours, a sane price, and a record that needs no pause. Pure.

Each gate returns None when it is open and a Refusal with its numbers when it is shut.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from surefill.domain.market import Refusal
from surefill.domain.money import ZERO, plain, share_down, subtract
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot
from surefill.domain.rules import GateRules, Protection, SizingMode
from surefill.domain.times import format_time
from surefill.domain.trades import ClosedTrade, max_drawdown_percent, profit_percent_of

STOPPED = frozenset({Reason.STOP_LOSS, Reason.TRAILING_STOP, Reason.BREAK_EVEN})
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = f"(?:{'|'.join(_DAYS)})"
_WINDOW = re.compile(rf"({_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*) (\d\d):([0-5]\d)-(\d\d):([0-5]\d)")
_DAY_MINUTES = 24 * 60
_PERCENT_GRID = Decimal("0.0001")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Minutes of the day from `start` (included) to `end` (not included) on `days` (0 is Monday).

    One that ends before it starts runs into the next day, and belongs to the day it started on.
    """

    days: frozenset[int]
    start: int
    end: int

    def contains(self, moment: datetime) -> bool:
        """Whether a local time lies in the window."""
        minute, day = moment.hour * 60 + moment.minute, moment.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)


@lru_cache(maxsize=256)
def window_of(text: str) -> Window:
    """Parse "mon-fri 08:00-18:00" or "mon,wed 22:00-06:00"; ValueError says what was expected."""
    match = _WINDOW.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f'hours must look like "mon-fri 08:00-18:00" or "sat,sun 22:00-06:00", was {text!r}')
    start, end = int(match[2]) * 60 + int(match[3]), int(match[4]) * 60 + int(match[5])
    if start == end or start >= _DAY_MINUTES or end > _DAY_MINUTES:
        raise ValueError(f"hours must be two different times, the first to 23:59, the second to 24:00, was {text!r}")
    return Window(days=frozenset(_days(match[1])), start=start, end=end)


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name; ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'time_zone must be a name like "Europe/Berlin" or "UTC", was {name!r}') from None


def check_gates(rules: GateRules) -> None:
    """Raise ValueError unless the windows and the time zone can be read."""
    zone_of(rules.time_zone)
    for text in rules.hours:
        window_of(text)


def needs_trades(bot: Bot) -> bool:
    """Whether planning an entry of this bot looks at its closed trades."""
    rules = bot.gates
    protected = rules.stop_loss_guard or rules.max_drawdown or rules.low_profit
    return protected is not None or bot.sizing.mode in (SizingMode.KELLY, SizingMode.HYBRID)


def gates(
    rules: GateRules,
    *,
    symbol: str,
    tick: datetime,
    price: Decimal,
    last_close: Decimal,
    trades: Sequence[ClosedTrade] = (),
) -> Refusal | None:
    """The first gate that is shut: hours, price gap, stop-loss guard, drawdown, low profit. `trades` oldest first."""
    return (
        hours_gate(rules, tick=tick)
        or gap_gate(rules, quote_price=price, last_close=last_close)
        or stop_loss_guard(rules.stop_loss_guard, tick=tick, trades=trades)
        or max_drawdown_gate(rules.max_drawdown, tick=tick, trades=trades)
        or low_profit_gate(rules.low_profit, symbol=symbol, tick=tick, trades=trades)
    )


def hours_gate(rules: GateRules, *, tick: datetime) -> Refusal | None:
    """Shut outside all windows, by the clocks of the bot's time zone. No windows: always open."""
    if not rules.hours:
        return None
    local = tick.astimezone(zone_of(rules.time_zone))
    if any(window_of(text).contains(local) for text in rules.hours):
        return None
    numbers = {
        "local": f"{_DAYS[local.weekday()]} {local:%H:%M}",
        "time_zone": rules.time_zone,
        "hours": "; ".join(rules.hours),
    }
    return Refusal(reason=Reason.MARKET_HOURS, numbers=numbers)


def gap_gate(rules: GateRules, *, quote_price: Decimal, last_close: Decimal) -> Refusal | None:
    """Shut when the price is further from the last close than `max_gap_percent`, up or down."""
    distance = abs(subtract(quote_price, last_close))
    gap = share_down(distance, part=_HUNDRED, whole=last_close, step=_PERCENT_GRID)
    if gap <= rules.max_gap_percent:
        return None
    numbers = {
        "price": plain(quote_price),
        "last_close": plain(last_close),
        "gap_percent": plain(gap),
        "max_gap_percent": plain(rules.max_gap_percent),
    }
    return Refusal(reason=Reason.PRICE_GAP, numbers=numbers)


def stop_loss_guard(rule: Protection | None, *, tick: datetime, trades: Sequence[ClosedTrade]) -> Refusal | None:
    """Pause after so many losing stops (fixed, trailing or break-even) within the lookback."""
    stopped = [trade for trade in trades if trade.reason in STOPPED and trade.realised < ZERO]
    return _pause(rule, tick=tick, trades=stopped, reason=Reason.STOP_LOSS_GUARD, seen=lambda recent, percent: {})


def max_drawdown_gate(rule: Protection | None, *, tick: datetime, trades: Sequence[ClosedTrade]) -> Refusal | None:
    """Pause when the lookback's results, summed in per cent, fell from their peak by more than the rule's per cent."""

    def seen(recent: Sequence[ClosedTrade], percent: Decimal) -> dict[str, str] | None:
        drawdown = max_drawdown_percent(recent)
        return {"drawdown_percent": plain(drawdown), "allowed": plain(percent)} if drawdown > percent else None

    return _pause(rule, tick=tick, trades=trades, reason=Reason.DRAWDOWN_PAUSE, seen=seen)


def low_profit_gate(
    rule: Protection | None, *, symbol: str, tick: datetime, trades: Sequence[ClosedTrade]
) -> Refusal | None:
    """Pause a symbol when its results within the lookback sum up to less than the rule's per cent."""

    def seen(recent: Sequence[ClosedTrade], percent: Decimal) -> dict[str, str] | None:
        profit = profit_percent_of(recent)
        return {"profit_percent": plain(profit), "needed": plain(percent)} if profit < percent else None

    of_symbol = [trade for trade in trades if trade.symbol == symbol]
    return _pause(rule, tick=tick, trades=of_symbol, reason=Reason.LOW_PROFIT, seen=seen)


def _pause(
    rule: Protection | None,
    *,
    tick: datetime,
    trades: Sequence[ClosedTrade],
    reason: Reason,
    seen: Callable[[Sequence[ClosedTrade], Decimal], dict[str, str] | None],
) -> Refusal | None:
    """Judge as of each closed trade whose pause would not be over yet, the newest first.

    A pause thus outlasts its own lookback, and a trade that leaves the lookback does not end it early.
    """
    if rule is None:
        return None
    lookback, pause = timedelta(seconds=rule.lookback_seconds), timedelta(seconds=rule.pause_seconds)
    closed = [trade for trade in trades if trade.closed_at <= tick]
    for index in range(len(closed), 0, -1):
        at = closed[index - 1].closed_at
        if at + pause <= tick:
            return None
        recent = [trade for trade in closed[:index] if trade.closed_at > at - lookback]
        numbers = seen(recent, rule.percent) if len(recent) >= rule.trades else None
        if numbers is not None:
            counted = {"trades": str(len(recent)), "limit": str(rule.trades), "until": format_time(at + pause)}
            return Refusal(reason=reason, numbers={**numbers, **counted})
    return None


def _days(names: str) -> set[int]:
    days: set[int] = set()
    for part in names.split(","):
        first, _, last = part.partition("-")
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        days |= {(start + offset) % 7 for offset in range((end - start) % 7 + 1)}
    return days
