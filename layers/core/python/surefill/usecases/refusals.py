"""From the guard that failed to the words a person understands, with the numbers it saw."""

from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.rows import Budget, Exposure, Intent, Slot
from surefill.protocol.transaction import Check, FailedGuard, GuardFailedError, Put, Transaction, holds

_REASONS = {
    "not_frozen": Reason.FROZEN,
    "available_covers": Reason.BUDGET_TOO_SMALL,
    "entries_allowed": Reason.ENTRIES_OFF,
    "open_positions_below_limit": Reason.LIMIT_OPEN_POSITIONS,
    "trades_below_limit": Reason.LIMIT_TRADES,
    "loss_below_limit": Reason.LIMIT_LOSS,
    "drawdown_below_limit": Reason.LIMIT_DRAWDOWN,
    "exposure_below_limit": Reason.LIMIT_EXPOSURE,
    "slot_empty": Reason.SLOT_TAKEN,
    "slot_open": Reason.SLOT_TAKEN,
    "same_position": Reason.SLOT_TAKEN,
    "same_attempt": Reason.SLOT_TAKEN,
    "same_tranche": Reason.SLOT_TAKEN,
    "quantity_covers": Reason.BALANCE_SHORT,
    "bot_active": Reason.BOT_NOT_ACTIVE,
}


def refusal_of(error: GuardFailedError, *, intent: Intent) -> Refusal:
    """The most telling reason why a claim was refused: what is wrong with the budget before what is taken."""
    known = sorted(
        (guard for guard in error.failed if guard.name in _REASONS), key=lambda guard: list(_REASONS).index(guard.name)
    )
    if not known:
        return Refusal(reason=Reason.CLAIM_BUSY, numbers={"guards": ", ".join(sorted(error.names()))})
    return Refusal(reason=_reason(known[0]), numbers=_numbers(known[0], intent=intent))


def _reason(guard: FailedGuard) -> Reason:
    if guard.name == "available_covers" and guard.row is None:
        return Reason.BUDGET_MISSING
    return _REASONS[guard.name]


def _numbers(guard: FailedGuard, *, intent: Intent) -> dict[str, str]:
    row = guard.row
    if isinstance(row, Budget):
        return {
            "need": str(intent.reserved),
            "have": str(row.available),
            "open_positions": f"{row.open_positions} of {_limit(row.max_open_positions)}",
            "trades_today": f"{row.trades_today} of {_limit(row.max_trades_per_day)}",
            "loss_today": f"{row.loss_today} of {_limit(row.max_daily_loss)}",
            "realised": f"{row.realised}, floor {_limit(row.realised_floor)}",
        }
    if isinstance(row, Exposure):
        return {
            "asset": row.asset,
            "need": str(intent.reserved),
            "at_work": str(row.amount),
            "limit": str(intent.max_exposure),
        }
    if isinstance(row, Slot):
        return {"slot": row.state, "entry": row.entry_intent_id or "", "exit": row.exit_intent_id or ""}
    return {}


def _limit(limit: object) -> str:
    return "no limit" if limit is None else str(limit)


def foreseen_refusal(
    transaction: Transaction, *, rows: tuple[Budget | Slot | Exposure | None, ...], intent: Intent
) -> Refusal | None:
    """What would refuse the claim as things stand: the same guards, held against rows already read.

    Saves a workflow that is bound to be refused; the transaction itself still decides.
    """
    by_key = {type(row): row for row in rows if row is not None}
    failed = [
        FailedGuard(guard.name, write.key, by_key.get(write.key.row))
        for write in transaction.writes
        if not isinstance(write, Put | Check) and write.key.row in (Budget, Slot, Exposure)
        for guard in write.guards
        if not holds(guard, by_key.get(write.key.row))
    ]
    telling = tuple(guard for guard in failed if guard.name in _REASONS)
    if not telling:
        return None
    return refusal_of(GuardFailedError(transaction=transaction.name, failed=telling), intent=intent)
