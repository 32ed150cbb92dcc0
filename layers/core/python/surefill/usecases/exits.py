"""Plan an exit: the frozen terms of a sale of a position or a part of it."""

from datetime import datetime
from decimal import Decimal

from surefill.domain import identity
from surefill.domain.kinds import Leg, OrderKind, Side
from surefill.domain.market import Refusal, sellable_quantity
from surefill.domain.money import ZERO, floor_to_step, share_down, subtract
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Bot, Intent, Slot
from surefill.domain.times import sortable
from surefill.protocol.parts import WORK
from surefill.usecases.timing import FIRST_CHECK, ORDER_LIFETIME, RESTING

_WHOLE = Decimal(1)


def exit_intent(
    slot: Slot,
    *,
    reason: Reason,
    tick: datetime,
    now: datetime,
    rules: MarketRules,
    quantity: Decimal | None = None,
    limit_price: Decimal | None = None,
) -> Intent:
    """A sale of everything the position can sell, or of `quantity` (base) of it, at the market or resting at a price.

    Its name follows from the position and the attempt alone.
    """
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
        kind=OrderKind.MARKET if limit_price is None else OrderKind.LIMIT,
        quantity=floor_to_step(slot.quantity if quantity is None else quantity, rules.quantity_step),
        limit_price=limit_price,
        reserved=ZERO,
        reason=reason,
        tick=tick,
        created_at=now,
        deadline=now + ORDER_LIFETIME,
        entry_intent_id=slot.entry_intent_id,
        attempt=slot.exit_attempt,
        rung=slot.rung,
        part=quantity is not None,
        rests_until=None if limit_price is None else now + RESTING,
        time_zone=slot.time_zone,
        work_key=WORK,
        next_check_at=sortable(now + FIRST_CHECK),
    )


def part_of(slot: Slot, *, share: Decimal, whole: Decimal, rules: MarketRules, price: Decimal) -> Decimal | None:
    """`share` of `whole` (base) as a quantity to sell on its own; None when all of the position must go at once.

    Neither the part nor what it leaves may be too small to be sold at `price` (quote).
    """
    part = floor_to_step(share_down(whole, part=share, whole=_WHOLE, step=rules.quantity_step), rules.quantity_step)
    rest = subtract(slot.quantity, part)
    if share >= _WHOLE or rest <= ZERO or sellable_quantity(rest, rules=rules, price=price) == ZERO:
        return None
    return part


def strategy_exit(
    bot: Bot,
    *,
    slot: Slot,
    tick: datetime,
    now: datetime,
    rules: MarketRules | None,
    share: Decimal = _WHOLE,
    price: Decimal = ZERO,
) -> Intent | Refusal:
    """The sale a strategy's SELL asks for: `share` of the position; `price` (quote) tells what is too small."""
    if rules is None:
        return Refusal(reason=Reason.MARKET_UNKNOWN, numbers={"bot": bot.bot_id})
    part = part_of(slot, share=share, whole=slot.quantity, rules=rules, price=price) if share < _WHOLE else None
    if part is not None and sellable_quantity(part, rules=rules, price=price) == ZERO:
        return Refusal(reason=Reason.BELOW_MINIMUM, numbers={"part": str(part), "price": str(price)})
    return exit_intent(slot, reason=Reason.STRATEGY_EXIT, tick=tick, now=now, rules=rules, quantity=part)
