"""The one answer every evaluation ends in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from surefill.domain.reasons import Reason
from surefill.domain.rows import JournalEntry
from surefill.domain.times import format_time, to_milliseconds

JOURNAL_LIFETIME = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a bot did about a symbol at a tick, why, and the numbers behind it."""

    bot_id: str
    symbol: str
    tick: datetime
    reason: Reason
    numbers: Mapping[str, str] = field(default_factory=dict)
    intent_id: str | None = None


def journal_entry(decision: Decision, *, kind: str) -> JournalEntry:
    """The decision as a journal row; its key is natural, so a repeated tick writes the same row."""
    return JournalEntry(
        bot_id=decision.bot_id,
        entry_key=f"{format_time(decision.tick)}#{kind}#{decision.symbol}",
        at=decision.tick,
        kind=kind,
        symbol=decision.symbol,
        reason=decision.reason,
        numbers=dict(decision.numbers),
        intent_id=decision.intent_id,
        expires_at=to_milliseconds(decision.tick + JOURNAL_LIFETIME) // 1_000,
    )
