"""The money of a buy: reserved when it is claimed, at work when it is recorded, given back when nothing was bought."""

from datetime import datetime
from decimal import Decimal

from surefill.domain.money import ZERO, subtract
from surefill.domain.rows import Intent, LedgerEntry
from surefill.domain.times import day_of
from surefill.protocol.parts import begins_day, budget_key, covers, exposed, new_day, same_day
from surefill.protocol.transaction import FieldOf, Guard, Op, Put, Update, Write


def reserved(intent: Intent, *, budget_day: str | None, new_position: bool) -> tuple[Write, ...]:
    """Take `intent.reserved` out of what is available, if every limit of the budget allows it.

    `budget_day` is given when the budget's daily counters are of an earlier day, as read; they start anew then.
    """
    today = day_of(intent.created_at, zone=intent.time_zone)
    always = (
        covers("available", intent.reserved),
        Guard(name="entries_allowed", field="entries_allowed", op=Op.EQUAL, value=True),
        Guard(
            name="drawdown_below_limit",
            field="realised",
            op=Op.AT_LEAST,
            value=FieldOf("realised_floor"),
            or_missing=True,
        ),
        *((_OPEN_POSITIONS,) if new_position else ()),
    )
    money: dict[str, Decimal | int] = {"available": -intent.reserved, "reserved": intent.reserved}
    if new_position:
        money["open_positions"] = 1
    if begins_day(budget_day, today=today):
        budget = Update(
            key=budget_key(intent.budget_id),
            set={"day": today, "trades_today": 1, "loss_today": ZERO},
            add=money,
            guards=(*always, new_day(budget_day)),
        )
    else:
        budget = Update(
            key=budget_key(intent.budget_id),
            add={**money, "trades_today": 1},
            guards=(*always, same_day(today=today, budget_day=budget_day), *_OF_THE_DAY),
        )
    return (
        budget,
        Put(
            row=bought_ledger(
                intent, event="claim", at=intent.created_at, available=-intent.reserved, reserved=intent.reserved
            )
        ),
        *exposed(
            intent.budget_id, asset=intent.exposure_asset, amount=intent.reserved, limit=intent.max_exposure or ZERO
        ),
    )


_OPEN_POSITIONS = Guard(
    name="open_positions_below_limit",
    field="open_positions",
    op=Op.LESS,
    value=FieldOf("max_open_positions"),
    or_missing=True,
)
_OF_THE_DAY = (
    Guard(
        name="trades_below_limit",
        field="trades_today",
        op=Op.LESS,
        value=FieldOf("max_trades_per_day"),
        or_missing=True,
    ),
    Guard(name="loss_below_limit", field="loss_today", op=Op.LESS, value=FieldOf("max_daily_loss"), or_missing=True),
)


def spent(intent: Intent, *, cost: Decimal, now: datetime) -> tuple[Write, ...]:
    """What was reserved is at work as far as it was spent, the rest is available again.

    A cost above the reservation is taken from `available` if that covers it, and switches the budget's entries off.
    """
    rest = subtract(intent.reserved, cost)
    overrun = max(-rest, ZERO)
    guards = (covers("reserved", intent.reserved), *((covers("available", overrun),) if overrun else ()))
    return (
        Update(
            key=budget_key(intent.budget_id),
            set={"entries_allowed": False} if overrun else {},
            add={"reserved": -intent.reserved, "available": rest, "deployed": cost},
            guards=guards,
        ),
        Put(
            row=bought_ledger(
                intent,
                event="record",
                at=now,
                reserved=-intent.reserved,
                available=rest,
                deployed=cost,
                overrun=overrun,
            )
        ),
        *exposed(intent.budget_id, asset=intent.exposure_asset, amount=-rest),
    )


def all_spent(intent: Intent, *, cost: Decimal, now: datetime) -> tuple[Write, ...]:
    """The cost is more than the budget has: everything reserved is at work, entries are off, the rest is told."""
    return (
        Update(
            key=budget_key(intent.budget_id),
            set={"entries_allowed": False},
            add={"reserved": -intent.reserved, "deployed": intent.reserved},
            guards=(covers("reserved", intent.reserved),),
        ),
        Put(
            row=bought_ledger(
                intent,
                event="record",
                at=now,
                reserved=-intent.reserved,
                deployed=intent.reserved,
                overrun=subtract(cost, intent.reserved),
            )
        ),
    )


def given_back(intent: Intent, *, now: datetime, new_position: bool) -> tuple[Write, ...]:
    """Nothing was bought: what was reserved is available again."""
    money: dict[str, Decimal | int] = {"reserved": -intent.reserved, "available": intent.reserved}
    if new_position:
        money["open_positions"] = -1
    return (
        Update(key=budget_key(intent.budget_id), add=money, guards=(covers("reserved", intent.reserved),)),
        Put(row=bought_ledger(intent, event="release", at=now, reserved=-intent.reserved, available=intent.reserved)),
        *exposed(intent.budget_id, asset=intent.exposure_asset, amount=-intent.reserved),
    )


def bought_ledger(
    intent: Intent,
    *,
    event: str,
    at: datetime,
    available: Decimal = ZERO,
    reserved: Decimal = ZERO,
    deployed: Decimal = ZERO,
    overrun: Decimal = ZERO,
) -> LedgerEntry:
    """The ledger row of one step of a buy, under its natural key."""
    return LedgerEntry(
        budget_id=intent.budget_id,
        entry_key=f"{intent.intent_id}#{event}",
        at=at,
        available=available,
        reserved=reserved,
        deployed=deployed,
        overrun=overrun,
        intent_id=intent.intent_id,
        bot_id=intent.bot_id,
        symbol=intent.symbol,
    )
