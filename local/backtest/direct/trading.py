"""Buy and close: an order from its claim to what it did to budget and slot, in one go."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.backtest.direct.grid import CENTS, ROUGH, Grid
from local.backtest.direct.orders import bought, sold, trade_of
from local.backtest.spec import STAGE
from surefill.domain import identity
from surefill.domain.gates import needs_trades
from surefill.domain.market import percent_less, percent_more, sellable_quantity
from surefill.domain.money import EXACT, ZERO
from surefill.domain.rules import ExitRules
from surefill.domain.states import SlotState
from surefill.domain.times import from_milliseconds
from surefill.domain.trades import ClosedTrade

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from local.backtest.costs import Costs
    from local.backtest.direct.budget import DirectBudget
    from local.backtest.direct.entering import Planned
    from local.backtest.direct.slot import DirectSlot
    from local.backtest.outcome import Order, Trade
    from surefill.domain.reasons import Reason
    from surefill.domain.records import MarketRules
    from surefill.domain.rows import Bot

# As many of a bot's newest orders are looked at for its closed trades as `usecases.readings` reads.
_NEWEST = 200
_NO_RULES = ExitRules()


@dataclass(slots=True, kw_only=True)
class Record:
    """All that was done: orders as they came, trades, what was lost as dust (base) by symbol.

    With each trade: when it was closed and opened (ms since 1970), and which of the orders opened it.
    `told` are a bot's orders by time and name, with what each sale closed; only of bots that look at their trades.
    """

    orders: list[Order] = field(default_factory=list)
    trades: list[tuple[int, int, int, Trade]] = field(default_factory=list)
    dust: dict[str, Decimal] = field(default_factory=dict)
    told: dict[str, list[tuple[datetime, str, ClosedTrade | None]]] = field(default_factory=dict)

    def closed_trades(self, bot: Bot) -> tuple[ClosedTrade, ...]:
        """The bot's closed trades among its newest orders, oldest first; none for a bot that does not look at them."""
        newest = self.told.get(bot.bot_id, ())[-_NEWEST:]
        closed = [trade for _, _, trade in reversed(newest) if trade is not None]
        return tuple(sorted(closed, key=lambda trade: trade.closed_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trading:
    """Trades for one bot on one symbol."""

    bot: Bot
    symbol: str
    rules: MarketRules
    costs: Costs
    budget: DirectBudget
    slot: DirectSlot
    record: Record
    quantities: Grid
    exit_rules: ExitRules | None
    reads_trades: bool

    @classmethod
    def of(
        cls,
        bot: Bot,
        *,
        symbol: str,
        rules: MarketRules,
        costs: Costs,
        budget: DirectBudget,
        slot: DirectSlot,
        record: Record,
    ) -> Trading:
        """Trades for a bot."""
        return cls(
            bot=bot,
            symbol=symbol,
            rules=rules,
            costs=costs,
            budget=budget,
            slot=slot,
            record=record,
            quantities=Grid.of(rules.quantity_step),
            exit_rules=None if bot.exit_rules == _NO_RULES else bot.exit_rules,
            reads_trades=needs_trades(bot),
        )

    def buy(self, planned: Planned, *, price: Decimal, tick: datetime, now_ms: int) -> None:
        """Reserve, buy, give the rest back, open the slot."""
        slot, bot, asset = self.slot, self.bot, self.rules.base
        self.budget.reserve(planned.reserved, asset=asset, now_ms=now_ms)
        slot.clear_signal()
        entry = bought(
            costs=self.costs,
            at=tick,
            bot=bot.bot_id,
            symbol=self.symbol,
            quantity=planned.quantity,
            price=price,
            limit=planned.limit,
            name=f"{bot.bot_id}#{len(self.record.orders)}",
        )
        cost = -entry.quote_change
        self.budget.spend(planned.reserved, cost=cost, asset=asset)
        slot.state, slot.quantity, slot.cost, slot.opened_at = SlotState.OPEN, entry.base_change, cost, tick
        slot.take_profit_percent, slot.stop_loss_percent = bot.take_profit_percent, planned.stop
        slot.exit_rules, slot.entry = self.exit_rules, entry
        slot.opened_ms, slot.opened_by = now_ms, len(self.record.orders)
        paid = slot.entry_price = CENTS.floor(ROUGH.divide(entry.cost, entry.quantity))
        slot.take_profit, slot.stop_loss = self._levels(paid, stop=planned.stop)
        self.record.orders.append(entry)
        if self.reads_trades:
            slot.entry_id = identity.entry_intent_id(
                stage=STAGE, account_id=bot.account_id, bot_id=bot.bot_id, symbol=self.symbol, tick=tick
            )
            self._tell(tick, slot.entry_id, None)

    def _levels(self, paid: Decimal, *, stop: Decimal) -> tuple[Decimal | None, Decimal | None]:
        """Take-profit and stop-loss prices of a buy at `paid` (`domain.market.levels`); 0 per cent is none."""
        profit = self.bot.take_profit_percent
        return (
            CENTS.floor(EXACT.multiply(paid, percent_more(profit))) if profit else None,
            CENTS.floor(EXACT.multiply(paid, percent_less(stop))) if stop else None,
        )

    def sell(self, *, price: Decimal, reason: Reason, now: datetime, now_ms: int) -> None:
        """Sell all of the position that can be sold; what is left of it is dust. A rest that is no order stays."""
        slot = self.slot
        entry = _entry_of(slot)
        quantity = self.quantities.floor(slot.quantity)
        name = self._exit_id() if self.reads_trades else ""
        slot.clear_signal()
        if not quantity:
            slot.exit_attempt += 1
            self._tell(now, name, None)
            return
        sale = sold(costs=self.costs, at=now, entry=entry, quantity=quantity, price=price, reason=reason)
        basis = slot.cost
        profit = self.budget.repay(basis=basis, proceeds=sale.quote_change, asset=self.rules.base, now_ms=now_ms)
        self._leave(EXACT.subtract(slot.quantity, quantity))
        self.record.orders.append(sale)
        self.record.trades.append((now_ms, slot.opened_ms, slot.opened_by, trade_of(entry, sale)))
        if self.reads_trades:
            closed = ClosedTrade(
                bot_id=self.bot.bot_id,
                symbol=self.symbol,
                opened_at=entry.at,
                closed_at=now,
                basis=basis,
                realised=profit,
                reason=reason,
            )
            self._tell(now, name, closed)
        slot.clear(now=now)

    def exit(self, *, price: Decimal, reason: Reason, now_ms: int) -> None:
        """An exit is due at `price`: sell, or close what is too small to be sold as dust."""
        slot, now = self.slot, from_milliseconds(now_ms)
        if sellable_quantity(slot.quantity, rules=self.rules, price=price) > ZERO:
            self.sell(price=price, reason=reason, now=now, now_ms=now_ms)
            return
        self.budget.repay(basis=slot.cost, proceeds=ZERO, asset=self.rules.base, now_ms=now_ms)
        self._leave(slot.quantity)
        slot.clear(now=now)

    def _exit_id(self) -> str:
        return identity.exit_intent_id(entry_intent_id=self.slot.entry_id, attempt=self.slot.exit_attempt)

    def _leave(self, dust: Decimal) -> None:
        if dust:
            self.record.dust[self.symbol] = EXACT.add(self.record.dust.get(self.symbol, ZERO), dust)

    def _tell(self, at: datetime, name: str, trade: ClosedTrade | None) -> None:
        if self.reads_trades:
            insort(self.record.told.setdefault(self.bot.bot_id, []), (at, name, trade), key=lambda item: item[:2])


def _entry_of(slot: DirectSlot) -> Order:
    if slot.entry is None:
        raise AssertionError(f"a slot must hold a position to be sold, is {slot.state}")
    return slot.entry
