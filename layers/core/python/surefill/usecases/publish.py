"""Publish: tell the outside what became of orders. Telling never changes money, so telling twice does no harm."""

from collections.abc import Sequence

from surefill.domain.rows import Intent, Leg
from surefill.domain.states import IntentState
from surefill.ports import Notifier

_TELLING = frozenset({IntentState.FILLED, IntentState.ADOPTED, IntentState.VOID})


def publish(intents: Sequence[Intent], *, notifier: Notifier) -> int:
    """Publish the intents that are finished with a result worth telling; returns how many."""
    telling = [intent for intent in intents if intent.state in _TELLING]
    for intent in telling:
        notifier.publish(subject=_subject(intent), intent=intent)
    return len(telling)


def _subject(intent: Intent) -> str:
    verb = "entry" if intent.leg is Leg.ENTRY else "exit"
    if intent.state is IntentState.VOID:
        return f"{intent.bot_id} {intent.symbol}: {verb} not made ({intent.outcome})"
    return (
        f"{intent.bot_id} {intent.symbol}: {verb} {intent.filled_quantity} for {intent.filled_cost} ({intent.reason})"
    )
