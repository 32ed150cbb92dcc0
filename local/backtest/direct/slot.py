"""The one place a bot has on a symbol: empty, or holding its only position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from surefill.domain.money import ZERO
from surefill.domain.states import SlotState

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from local.backtest.outcome import Order
    from surefill.domain.reasons import Reason
    from surefill.domain.rows import Side, Slot
    from surefill.domain.rules import ExitRules
    from surefill.strategies.base import Position
    from surefill.usecases.signals import Wish


@dataclass(slots=True, kw_only=True)
class DirectSlot:
    """The fields of `domain.rows.Slot` that gates and exits read, in place; names and meanings are the same.

    `entry` is the order that opened the position, `position` what the strategy is shown of it.
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
    entry_id: str = ""
    position: Position | None = None

    @property
    def row(self) -> Slot:
        """Itself, for functions of the domain that read a slot."""
        return cast("Slot", self)

    def remember(self, wish: Wish, *, usable: bool, tick: datetime) -> None:
        """Since when the present signal stands; a different one starts anew (`usecases.signals.with_signal`)."""
        if not usable:
            self.signal_side = self.signal_since = None
        elif self.signal_side is not wish.side or self.signal_since is None or self.signal_since > tick:
            self.signal_side, self.signal_since = wish.side, tick

    def clear_signal(self) -> None:
        """An order was claimed: its signal is used up."""
        self.signal_side = self.signal_since = None

    def clear(self, *, now: datetime) -> None:
        """It holds nothing any more (`protocol.parts.emptied`)."""
        self.state = SlotState.EMPTY
        self.quantity = self.cost = ZERO
        self.opened_at = self.take_profit = self.stop_loss = self.exit_rules = self.highest = None
        self.take_profit_percent = self.stop_loss_percent = self.entry = self.position = None
        self.ladder_done = self.exit_attempt = 0
        self.entry_id = ""
        self.idle_since = now
