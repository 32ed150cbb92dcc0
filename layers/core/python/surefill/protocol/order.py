"""The order itself between claim and record: the send gate, what is known of it, and when to look again."""

from datetime import datetime

from surefill.domain.rows import Intent
from surefill.domain.states import POSTED, IntentState
from surefill.domain.times import sortable
from surefill.protocol.parts import intent_key
from surefill.protocol.transaction import Guard, Op, Update


def send_gate(intent: Intent, *, worker: str, now: datetime) -> Update:
    """RESERVED -> SENT, for exactly one worker, written before the order leaves. Whoever loses may only look.

    The terms in hand must be those that were claimed: a later start of the same exit has a later deadline of its own,
    and whoever waits for the claimed one to pass must be able to rely on it.
    """
    return Update(
        key=intent_key(intent.intent_id),
        set={"state": IntentState.SENT, "sent_at": now, "worker": worker},
        guards=(
            Guard(name="not_sent_yet", field="state", op=Op.EQUAL, value=IntentState.RESERVED),
            Guard(name="terms_as_claimed", field="deadline", op=Op.EQUAL, value=intent.deadline),
        ),
    )


def mark_unknown(intent: Intent, *, look_again_at: datetime) -> Update:
    """SENT -> UNKNOWN: the venue's answer proved nothing, so everything stays reserved until there is proof."""
    return Update(
        key=intent_key(intent.intent_id),
        set={"state": IntentState.UNKNOWN, "next_check_at": sortable(look_again_at)},
        guards=(Guard(name="outcome_open", field="state", op=Op.ONE_OF, value=(IntentState.SENT,)),),
    )


def mark_accepted(intent: Intent, *, venue_order_id: str, look_again_at: datetime) -> Update:
    """SENT or UNKNOWN -> ACCEPTED: the venue has the order; what it filled is booked once it is terminal."""
    return Update(
        key=intent_key(intent.intent_id),
        set={
            "state": IntentState.ACCEPTED,
            "venue_order_id": venue_order_id,
            "absent_since": None,
            "next_check_at": sortable(look_again_at),
        },
        guards=(
            Guard(name="outcome_open", field="state", op=Op.ONE_OF, value=(IntentState.SENT, IntentState.UNKNOWN)),
        ),
    )


def mark_absent(intent: Intent, *, now: datetime, look_again_at: datetime) -> Update:
    """Remember the first time the venue, behind the fence, knew nothing of the order."""
    return Update(
        key=intent_key(intent.intent_id),
        set={"absent_since": now, "next_check_at": sortable(look_again_at)},
        guards=(
            Guard(name="outcome_open", field="state", op=Op.ONE_OF, value=(IntentState.SENT, IntentState.UNKNOWN)),
            Guard(name="first_absence", field="absent_since", op=Op.MISSING),
        ),
    )


def look_again(intent: Intent, *, at: datetime) -> Update:
    """Move the next look of an unfinished, posted intent."""
    return Update(
        key=intent_key(intent.intent_id),
        set={"next_check_at": sortable(at)},
        guards=(Guard(name="outcome_open", field="state", op=Op.ONE_OF, value=tuple(sorted(POSTED))),),
    )


def rest_no_longer(intent: Intent, *, now: datetime) -> Update:
    """Let a resting order be cancelled at the next look, which is due now."""
    return Update(
        key=intent_key(intent.intent_id),
        set={"rests_until": now, "next_check_at": sortable(now)},
        guards=(Guard(name="outcome_open", field="state", op=Op.ONE_OF, value=tuple(sorted(POSTED))),),
    )
