"""Claim: take the money and the slot for an intent in one transaction, or say exactly what stood in the way."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from surefill.domain.decisions import Decision, journal_entry
from surefill.domain.kinds import Leg
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.rows import Budget, Intent
from surefill.ports import Observer, Store
from surefill.protocol.entry import claim_entry
from surefill.protocol.exit import claim_exit
from surefill.protocol.tranche import claim_tranche
from surefill.protocol.transaction import GuardFailedError, Transaction
from surefill.usecases.refusals import refusal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Whether the intent holds its money and its slot now; if not, why."""

    intent_id: str
    claimed: bool
    refusal: Refusal | None = None


def claim(intent: Intent, *, store: Store, observer: Observer) -> Claimed:
    """Claim an intent. Calling it again with the same intent is harmless and answers the same."""
    try:
        _CLAIMS[intent.leg](intent, store)
    except GuardFailedError as error:
        if "intent_is_new" in error.names() and store.get(Intent, intent.intent_id) is not None:
            # Our own earlier claim, its reply lost, or a duplicate of the signal: either way it is claimed once.
            return Claimed(intent_id=intent.intent_id, claimed=True)
        return _refused(intent, refusal=refusal_of(error, intent=intent), store=store, observer=observer)
    observer.event(
        Reason.CLAIMED,
        intent=intent.intent_id,
        bot=intent.bot_id,
        symbol=intent.symbol,
        leg=intent.leg,
        reserved=str(intent.reserved),
        quantity=str(intent.quantity),
    )
    return Claimed(intent_id=intent.intent_id, claimed=True)


def _claim_entry(intent: Intent, store: Store) -> None:
    commit_for_day(lambda day: claim_entry(intent, budget_day=day), store=store, budget_id=intent.budget_id)


def _claim_tranche(intent: Intent, store: Store) -> None:
    commit_for_day(lambda day: claim_tranche(intent, budget_day=day), store=store, budget_id=intent.budget_id)


def _claim_exit(intent: Intent, store: Store) -> None:
    store.commit(claim_exit(intent))


_CLAIMS: Mapping[Leg, Callable[[Intent, Store], None]] = {
    Leg.ENTRY: _claim_entry,
    Leg.TRANCHE: _claim_tranche,
    Leg.EXIT: _claim_exit,
}

# The day's first counters are written by one of many: a loser sees that (1), finds the old day still there (2), or the
# new one (3), which is then the last time.
_DAY_TRIES = 3
_OF_THE_DAY = frozenset({"same_day", "day_unchanged"})


def commit_for_day(build: Callable[[str | None], Transaction], *, store: Store, budget_id: str) -> None:
    """Commit a transaction that counts per day; on the first one of a new day the counters start anew.

    Yesterday's counters may also have reached a limit: that is no reason against today.
    """
    day: str | None = None
    tries = _DAY_TRIES
    while True:
        tries -= 1
        try:
            store.commit(build(day))
            return
        except GuardFailedError as error:
            if tries == 0 or not error.names() & _OF_THE_DAY:
                raise
        budget = store.get(Budget, budget_id)
        day = budget.day if budget else ""


def _refused(intent: Intent, *, refusal: Refusal, store: Store, observer: Observer) -> Claimed:
    observer.event(
        refusal.reason,
        intent=intent.intent_id,
        bot=intent.bot_id,
        symbol=intent.symbol,
        leg=intent.leg,
        numbers=refusal.numbers,
    )
    decision = Decision(
        bot_id=intent.bot_id,
        symbol=intent.symbol,
        tick=intent.tick,
        reason=refusal.reason,
        numbers=refusal.numbers,
        intent_id=intent.intent_id,
    )
    with suppress(GuardFailedError):
        store.insert(journal_entry(decision, kind=f"claim-{intent.leg.lower()}"))
    return Claimed(intent_id=intent.intent_id, claimed=False, refusal=refusal)
