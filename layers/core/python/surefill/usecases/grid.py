"""Grids: keep a resting order on every rung. An empty rung waits to buy, a bought one waits to sell what it bought."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from surefill.domain import identity
from surefill.domain.decisions import Decision
from surefill.domain.kinds import BotState
from surefill.domain.market import Refusal
from surefill.domain.money import floor_to_step
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Intent, Slot
from surefill.domain.states import SlotState
from surefill.ports import Workflow
from surefill.strategies.base import Rung, Signal
from surefill.usecases.entries import EntryPlanner
from surefill.usecases.exits import exit_intent

# So many orders are started by one evaluation; the next one, at a fill or at the next interval, goes on.
_AT_ONCE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One bot's grid on the market of a batch."""

    bot: Bot
    entries: EntryPlanner
    slots: Mapping[str, Slot]
    workflow: Workflow

    def arm(self, signal: Signal, *, blank: Decision) -> Decision:
        """Start the orders that are missing, sales first; the decision tells what the grid waits for."""
        started: list[Intent] = []
        refused: Refusal | None = None
        for rung in sorted(signal.rungs, key=self._order_of):
            if len(started) == _AT_ONCE:
                break
            planned = self._planned(rung)
            if isinstance(planned, Refusal):
                refused = refused or planned
            elif planned is not None:
                self.workflow.start(planned)
                started.append(planned)
        return self._told(signal, started=started, refused=refused, blank=blank)

    def _order_of(self, rung: Rung) -> tuple[bool, object]:
        """Sales first, then the buys nearest to the market."""
        return self._slot(rung).state is not SlotState.OPEN, -rung.buy_price

    def _slot(self, rung: Rung) -> Slot:
        owner = identity.owner_key(account_id=self.bot.account_id, bot_id=self.bot.bot_id, rung=rung.name)
        return self.slots.get(owner) or Slot(market_key=self.entries.market_key, owner_key=owner)

    def _planned(self, rung: Rung) -> Intent | Refusal | None:
        slot = self._slot(rung)
        if slot.state is SlotState.OPEN:
            return self._sale(slot, rung)
        if slot.state is not SlotState.EMPTY or not rung.buys or self.bot.state is not BotState.ACTIVE:
            return None
        return self.entries.plan_rung(self.bot, slot=slot, rung=rung)

    def _sale(self, slot: Slot, rung: Rung) -> Intent | Refusal:
        rules = self.entries.readings.rules()
        if rules is None:
            return Refusal(reason=Reason.MARKET_UNKNOWN, numbers={"bot": self.bot.bot_id})
        return exit_intent(
            slot,
            reason=Reason.GRID_SELL,
            tick=self.entries.tick,
            now=self.entries.now,
            rules=rules,
            limit_price=floor_to_step(rung.sell_price, rules.price_step),
        )

    def _told(self, signal: Signal, *, started: list[Intent], refused: Refusal | None, blank: Decision) -> Decision:
        numbers = {**blank.numbers, "orders": str(len(started)), **self._waits(signal)}
        if started:
            return replace(blank, reason=Reason.GRID_ARMED, numbers=numbers, intent_id=started[0].intent_id)
        if refused is not None:
            return replace(blank, reason=refused.reason, numbers={**numbers, **refused.numbers})
        return replace(blank, reason=Reason.GRID_WAITING, numbers=numbers)

    def _waits(self, signal: Signal) -> dict[str, str]:
        """The rungs whose fills would come next."""
        states = {rung.name: self._slot(rung).state for rung in signal.rungs}
        buys = [
            rung for rung in signal.rungs if rung.buys and states[rung.name] in (SlotState.EMPTY, SlotState.OPENING)
        ]
        sales = [rung for rung in signal.rungs if states[rung.name] in (SlotState.OPEN, SlotState.CLOSING)]
        told: dict[str, str] = {}
        if buys:
            nearest = max(buys, key=lambda rung: rung.buy_price)
            told["waits_to_buy"] = f"{nearest.name} at {nearest.buy_price}"
        if sales:
            nearest = min(sales, key=lambda rung: rung.sell_price)
            told["waits_to_sell"] = f"{nearest.name} at {nearest.sell_price}"
        return told
