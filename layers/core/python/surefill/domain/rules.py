"""What an operator sets for a bot beyond its strategy: how much to buy, when to refuse, when to sell. Plain values.

Percentages are in per cent (Decimal("1.5") is 1.5 %), durations in seconds, money in the quote currency.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from surefill.domain.money import ZERO


class SizingMode(StrEnum):
    """How much one entry may spend, before the caps."""

    PERCENT = "percent"
    FIXED = "fixed"
    RISK = "risk"
    KELLY = "kelly"
    HYBRID = "hybrid"
    TIERED = "tiered"
    VOLATILITY = "volatility"
    TEMPERATURE = "temperature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """From this equity on, this per cent of it per trade."""

    from_equity: Decimal
    percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingRules:
    """Which sizer, its numbers, and the caps that hold for every sizer.

    `amount` is for FIXED and HYBRID; `risk_percent` (of the budget's equity, lost at the stop) for RISK; the Kelly
    numbers for KELLY and HYBRID; `tiers` for TIERED; `volatility_percent` (of equity, per average true range) for
    VOLATILITY; the three factors (of the bot's `budget_percent`) for TEMPERATURE.
    """

    mode: SizingMode = SizingMode.PERCENT
    amount: Decimal | None = None
    risk_percent: Decimal = Decimal(1)
    kelly_fraction: Decimal = Decimal("0.25")
    kelly_trades: int = 20
    tiers: tuple[Tier, ...] = ()
    volatility_percent: Decimal = Decimal(1)
    cold_factor: Decimal = Decimal("0.5")
    warm_factor: Decimal = Decimal(1)
    hot_factor: Decimal = Decimal("1.5")
    max_percent: Decimal = Decimal(25)
    max_trade: Decimal | None = None
    minimum_tolerance_percent: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class RoiStep:
    """After so many seconds, a profit of this per cent is enough to sell."""

    after_seconds: int
    percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderStep:
    """At a profit of this per cent, sell this share (0 to 1) of what was bought."""

    percent: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRules:
    """Exits beyond take profit and stop loss. They are copied into the position when it opens; absent means off.

    The trailing stop follows the highest bid at `trailing_percent` once the profit has reached `trailing_from_percent`.
    At `break_even_from_percent` of profit the stop rises to the entry price plus `break_even_margin_percent`.
    `atr_stop_multiple` puts the stop this many average true ranges below the entry instead of the fixed per cent.
    """

    trailing_percent: Decimal | None = None
    trailing_from_percent: Decimal = ZERO
    break_even_from_percent: Decimal | None = None
    break_even_margin_percent: Decimal = ZERO
    roi: tuple[RoiStep, ...] = ()
    time_limit_seconds: int | None = None
    ladder: tuple[LadderStep, ...] = ()
    atr_stop_multiple: Decimal | None = None


class AdviserPolicy(StrEnum):
    """What a bot does when its adviser is absent, late or over its budget."""

    BLOCK = "block"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """A pause of `pause_seconds` after what the last `lookback_seconds` brought, when at least `trades` closed in it.

    `percent` is the drawdown (max_drawdown) or the least profit (low_profit) that is still accepted.
    """

    lookback_seconds: int
    trades: int
    pause_seconds: int
    percent: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """What must be so before a buy signal becomes an order; absent means the gate is always open.

    `hours` are windows like "mon-fri 08:00-18:00" in `time_zone`; `max_gap_percent` is the largest distance of the
    price from the last close. The three protections look at the bot's own closed trades. An adviser may be asked so
    often on a symbol per UTC day, and must answer within `adviser_seconds`.
    """

    hours: tuple[str, ...] = ()
    time_zone: str = "UTC"
    max_gap_percent: Decimal = Decimal(5)
    stop_loss_guard: Protection | None = None
    max_drawdown: Protection | None = None
    low_profit: Protection | None = None
    adviser: str | None = None
    adviser_policy: AdviserPolicy = AdviserPolicy.BLOCK
    adviser_seconds: int = 10
    adviser_calls_per_day: int = 50
