"""The one place a bot has on a symbol: empty, or holding its only position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from surefill.domain.money import ZERO
from surefill.domain.states import SlotState
from surefill.strategies.base import Position

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from local.backtest.outcome import Order
    from surefill.domain.kinds import Side
    from surefill.domain.reasons import Reason
    from surefill.domain.rows import Slot
    from surefill.domain.rules import ExitRules


@dataclass(slots=True, kw_only=True)
class DirectSlot:
    """The fields of `domain.rows.Slot` that gates and exits read, in place; names and meanings are the same.

    `entry` is the order that opened the position, `opened_by` its place among all orders, `entry_price` its price to 8
    decimals; `position` is what the strategy was shown.
    """

    state: SlotState = SlotState.EMPTY
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    opened_at: datetime | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit_percent: Decimal | None = None
    stop_loss_percent: Decimal | None = None
    exit_rules: ExitRules | None = None
    highest: Decimal | None = None
    ladder_done: int = 0
    exit_attempt: int = 0
    idle_since: datetime | None = None
    held_reason: Reason | None = None
    signal_side: Side | None = None
    signal_since: datetime | None = None
    entry: Order | None = None
    entry_price: Decimal | None = None
    entry_id: str = ""
    opened_ms: int = 0
    opened_by: int = 0
    position: Position | None = None

    @property
    def row(self) -> Slot:
        """Itself, for functions of the domain that read a slot."""
        return cast("Slot", self)

    def shown(self) -> Position | None:
        """The position as its strategy sees it."""
        if self.state is SlotState.OPEN and self.position is None:
            self.position = Position(
                quantity=self.quantity,
                cost=self.cost,
                opened_at=self.opened_at,
                last_price=self.entry_price,
                last_at=self.opened_at,
            )
        return self.position

    def remember(self, side: Side, *, tick: datetime) -> None:
        """Since when the present signal stands; a different one starts anew (`usecases.signals.with_signal`)."""
        if self.signal_side is not side or self.signal_since is None or self.signal_since > tick:
            self.signal_side, self.signal_since = side, tick

    def clear_signal(self) -> None:
        """No signal stands, or an order was claimed and it is used up."""
        self.signal_side = self.signal_since = None

    def clear(self, *, now: datetime) -> None:
        """It holds nothing any more (`protocol.parts.emptied`)."""
        self.state = SlotState.EMPTY
        self.quantity = self.cost = ZERO
        self.opened_at = self.take_profit = self.stop_loss = self.exit_rules = self.highest = None
        self.take_profit_percent = self.stop_loss_percent = self.entry = self.entry_price = self.position = None
        self.ladder_done = self.exit_attempt = 0
        self.entry_id = ""
        self.idle_since = now
