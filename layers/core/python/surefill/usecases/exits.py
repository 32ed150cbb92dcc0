"""Plan an exit: the frozen terms of a sale of a whole position."""

from datetime import datetime

from surefill.domain import identity
from surefill.domain.market import Refusal
from surefill.domain.money import ZERO, floor_to_step
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Intent, Leg, MarketRules, OrderKind, Side, Slot
from surefill.domain.times import sortable
from surefill.protocol.parts import WORK
from surefill.usecases.entries import FIRST_CHECK, ORDER_LIFETIME


def exit_intent(slot: Slot, *, reason: Reason, tick: datetime, now: datetime, rules: MarketRules) -> Intent:
    """A market sale of everything the position can sell. Its name follows from the position and the attempt alone."""
    if slot.entry_intent_id is None:
        raise AssertionError(
            f"slot {slot.market_key} {slot.owner_key} must have an entry to be closed, is {slot.state}"
        )
    venue, _, symbol = slot.market_key.partition("|")
    return Intent(
        intent_id=identity.exit_intent_id(entry_intent_id=slot.entry_intent_id, attempt=slot.exit_attempt),
        account_id=slot.account_id,
        bot_id=slot.bot_id,
        budget_id=slot.budget_id,
        venue=venue,
        symbol=symbol,
        leg=Leg.EXIT,
        side=Side.SELL,
        kind=OrderKind.MARKET,
        quantity=floor_to_step(slot.quantity, rules.quantity_step),
        limit_price=None,
        reserved=ZERO,
        reason=reason,
        tick=tick,
        created_at=now,
        deadline=now + ORDER_LIFETIME,
        entry_intent_id=slot.entry_intent_id,
        attempt=slot.exit_attempt,
        work_key=WORK,
        next_check_at=sortable(now + FIRST_CHECK),
    )


def strategy_exit(
    bot: Bot, *, slot: Slot, tick: datetime, now: datetime, rules: MarketRules | None
) -> Intent | Refusal:
    """The sale a strategy's SELL asks for."""
    if rules is None:
        return Refusal(reason=Reason.MARKET_UNKNOWN, numbers={"bot": bot.bot_id})
    return exit_intent(slot, reason=Reason.STRATEGY_EXIT, tick=tick, now=now, rules=rules)
