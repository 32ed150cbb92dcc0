"""Positions by hand: sell one now, or change what it is sold at."""

from dataclasses import dataclass, replace
from decimal import Decimal

from surefill.domain import identity
from surefill.domain.decisions import Decision, journal_entry
from surefill.domain.market import levels
from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Bot, Intent, Slot
from surefill.domain.rules import ExitRules
from surefill.domain.states import SlotState
from surefill.domain.times import minute_of
from surefill.ports import Clock, Observer, Store, Workflow
from surefill.protocol.transaction import Guard, GuardFailedError, Op, Update, key_of
from surefill.strategies import STRATEGIES
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.errors import ConflictError, RequestRefusedError
from surefill.usecases.exits import exit_intent


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChange:
    """New levels of a position, in per cent of its average cost; None leaves one as it is, 0 takes it away."""

    take_profit_percent: Decimal | None = None
    stop_loss_percent: Decimal | None = None
    trailing_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionControl:
    """What an operator does to one position."""

    store: Store
    bots: BotControl
    workflow: Workflow
    clock: Clock
    observer: Observer

    def close(self, bot_id: str, *, symbol: str, rung: str | None = None) -> Intent:
        """Sell a position now. Asking twice is one sale: both compute the same exit."""
        slot = self._open(self.bots.bot(bot_id), symbol=symbol, rung=rung)
        if slot.frozen:
            raise ConflictError("symbol", f"the position of {bot_id!r} on {symbol} is frozen: lift the freeze first")
        rules = self.store.get(MarketRules, slot.market_key)
        if rules is None:
            raise ConflictError("symbol", f"the rules of {symbol} are not known: refresh the markets first")
        now = self.clock.now()
        intent = exit_intent(slot, reason=Reason.MANUAL_EXIT, tick=minute_of(now), now=now, rules=rules)
        self.workflow.start(intent)
        return intent

    def change(self, bot_id: str, *, symbol: str, change: LevelChange, who: str, rung: str | None = None) -> Slot:
        """Change take profit, stop loss or trailing of an open position; the bot's own definition stays as it is."""
        bot = self.bots.bot(bot_id)
        slot = self._open(bot, symbol=symbol, rung=rung)
        self._check(bot, change)
        take_profit_percent = _new(change.take_profit_percent, slot.take_profit_percent)
        stop_loss_percent = _new(change.stop_loss_percent, slot.stop_loss_percent)
        take_profit, stop_loss = levels(
            cost=slot.cost,
            quantity=slot.quantity,
            take_profit_percent=take_profit_percent,
            stop_loss_percent=stop_loss_percent,
        )
        changes: dict[str, object] = {"exit_reason": None}
        if change.take_profit_percent is not None:
            changes |= {"take_profit": take_profit, "take_profit_percent": take_profit_percent}
        if change.stop_loss_percent is not None:
            changes |= {"stop_loss": stop_loss, "stop_loss_percent": stop_loss_percent}
        if change.trailing_percent is not None:
            rules = slot.exit_rules or ExitRules()
            changes["exit_rules"] = replace(rules, trailing_percent=change.trailing_percent or None)
        row = self._write(slot, changes)
        self._tell(row, symbol=symbol, who=who, change=change)
        return row

    def _open(self, bot: Bot, *, symbol: str, rung: str | None) -> Slot:
        key = identity.market_key(venue=bot.venue, symbol=symbol)
        owner = identity.owner_key(account_id=bot.account_id, bot_id=bot.bot_id, rung=rung)
        slot = self.store.get(Slot, key, owner)
        if slot is None or slot.state is not SlotState.OPEN:
            state = slot.state if slot else SlotState.EMPTY
            raise ConflictError("symbol", f"bot {bot.bot_id!r} must have an open position on {symbol}, slot is {state}")
        return slot

    def _check(self, bot: Bot, change: LevelChange) -> None:
        strategy = STRATEGIES.get(bot.strategy)
        holds = strategy is not None and strategy.holds_without_stop
        for name, most in (("take_profit_percent", 1_000), ("stop_loss_percent", 99), ("trailing_percent", 99)):
            value = getattr(change, name)
            if value is None:
                continue
            if not ZERO <= value <= most:
                raise RequestRefusedError(name, f"{name} must be 0 (none) to {most}, was {value}")
            if value == ZERO and name != "trailing_percent" and not holds:
                raise RequestRefusedError(name, f"{name} must be above 0: {bot.strategy} may not hold without one")

    def _write(self, slot: Slot, changes: dict[str, object]) -> Slot:
        guards = (
            Guard(name="slot_open", field="state", op=Op.EQUAL, value=SlotState.OPEN),
            Guard(name="same_position", field="entry_intent_id", op=Op.EQUAL, value=slot.entry_intent_id),
            Guard(name="quantity_unchanged", field="quantity", op=Op.EQUAL, value=slot.quantity),
        )
        try:
            row = self.store.update(Update(key=key_of(slot), set=changes, guards=guards))
        except GuardFailedError:
            raise ConflictError("symbol", "the position changed meanwhile: look at it and try again") from None
        assert isinstance(row, Slot)
        return row

    def _tell(self, slot: Slot, *, symbol: str, who: str, change: LevelChange) -> None:
        asked = {"take_profit_percent", "stop_loss_percent", "trailing_percent"}
        numbers = {name: str(getattr(change, name)) for name in sorted(asked) if getattr(change, name) is not None}
        self.observer.event(Reason.EXIT_CHANGED, bot=slot.bot_id, symbol=symbol, who=who, numbers=numbers)
        decision = Decision(
            bot_id=slot.bot_id,
            symbol=symbol,
            tick=self.clock.now(),
            reason=Reason.EXIT_CHANGED,
            numbers={**numbers, "who": who},
        )
        self.store.journal([journal_entry(decision, kind="exit")])


def _new(asked: Decimal | None, before: Decimal | None) -> Decimal | None:
    return before if asked is None else (asked or None)
