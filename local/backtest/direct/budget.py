"""A budget in place: what claims, records and closes of the protocol do to it, under the same limits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from local.backtest.conservation import MoneyError
from surefill.domain.money import EXACT, ZERO
from surefill.domain.reasons import Reason
from surefill.domain.times import from_milliseconds

if TYPE_CHECKING:
    from decimal import Decimal

    from surefill.domain.rows import Budget

_DAY_MS = 86_400_000
_NEVER = -(10**9)


@dataclass(slots=True, kw_only=True)
class DirectBudget:
    """Money in quote, as `domain.rows.Budget` has it. Days are counted, in the budget's time zone."""

    limits: Budget
    available: Decimal
    reserved: Decimal = ZERO
    deployed: Decimal = ZERO
    realised: Decimal = ZERO
    open_positions: int = 0
    day: int = _NEVER
    trades_today: int = 0
    loss_today: Decimal = ZERO
    exposure: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    _zone: ZoneInfo | None = None

    @classmethod
    def of(cls, budget: Budget) -> DirectBudget:
        """A budget as it was opened."""
        zone = None if budget.time_zone is None else ZoneInfo(budget.time_zone)
        return cls(limits=budget, available=budget.available, _zone=zone)

    def day_of(self, now_ms: int) -> int:
        """The day a moment belongs to."""
        if self._zone is None:
            return now_ms // _DAY_MS
        return from_milliseconds(now_ms).astimezone(self._zone).date().toordinal()

    def refusal(self, reserved: Decimal, *, asset: str, now_ms: int) -> Reason | None:
        """Why `reserved` can't be claimed for one more position, the most telling reason first."""
        limits = self.limits
        if self.available < reserved:
            return Reason.BUDGET_TOO_SMALL
        if limits.max_open_positions is not None and self.open_positions >= limits.max_open_positions:
            return Reason.LIMIT_OPEN_POSITIONS
        if self.day >= self.day_of(now_ms):
            if limits.max_trades_per_day is not None and self.trades_today >= limits.max_trades_per_day:
                return Reason.LIMIT_TRADES
            if limits.max_daily_loss is not None and self.loss_today >= limits.max_daily_loss:
                return Reason.LIMIT_LOSS
        if limits.realised_floor is not None and self.realised < limits.realised_floor:
            return Reason.LIMIT_DRAWDOWN
        most = limits.max_exposure_per_asset
        if most is not None and self.exposure[asset] > EXACT.subtract(most, reserved):
            return Reason.LIMIT_EXPOSURE
        return None

    def reserve(self, reserved: Decimal, *, asset: str, now_ms: int) -> None:
        """Claim an entry (`protocol.reservation.reserved`)."""
        self.available = EXACT.subtract(self.available, reserved)
        self.reserved = EXACT.add(self.reserved, reserved)
        self.open_positions += 1
        today = self.day_of(now_ms)
        if self.day < today:
            self.day, self.trades_today, self.loss_today = today, 0, ZERO
        self.trades_today += 1
        if self.limits.max_exposure_per_asset is not None:
            self.exposure[asset] = EXACT.add(self.exposure[asset], reserved)

    def spend(self, reserved: Decimal, *, cost: Decimal, asset: str) -> None:
        """Record what was bought for `cost`; the rest of the reservation is available again."""
        rest = EXACT.subtract(reserved, cost)
        if rest < ZERO:
            raise MoneyError(f"a buy must cost at most what is reserved ({reserved}), cost {cost}")
        self.reserved = EXACT.subtract(self.reserved, reserved)
        self.available = EXACT.add(self.available, rest)
        self.deployed = EXACT.add(self.deployed, cost)
        if self.limits.max_exposure_per_asset is not None:
            self.exposure[asset] = EXACT.subtract(self.exposure[asset], rest)

    def repay(self, *, basis: Decimal, proceeds: Decimal, asset: str, now_ms: int) -> Decimal:
        """Close a position that cost `basis`; what it realised. Raises MoneyError when the budget does not add up."""
        profit = EXACT.subtract(proceeds, basis)
        self.deployed = EXACT.subtract(self.deployed, basis)
        self.available = EXACT.add(self.available, proceeds)
        self.realised = EXACT.add(self.realised, profit)
        self.open_positions -= 1
        if profit < ZERO:
            today = self.day_of(now_ms)
            if self.day < today:
                self.day, self.trades_today, self.loss_today = today, 0, ZERO
            self.loss_today = EXACT.subtract(self.loss_today, profit)
        if self.limits.max_exposure_per_asset is not None:
            self.exposure[asset] = EXACT.subtract(self.exposure[asset], basis)
        self.require_sums()
        return profit

    def require_sums(self) -> None:
        """available + reserved + deployed is funded + realised, and none of the three is below 0. Raises MoneyError."""
        held = EXACT.add(EXACT.add(self.available, self.reserved), self.deployed)
        owed = EXACT.add(self.limits.funded, self.realised)
        if held != owed or self.available < ZERO or self.reserved < ZERO or self.deployed < ZERO:
            raise MoneyError(f"budget {self.limits.budget_id} must hold {owed}, holds {held}: {self}")
