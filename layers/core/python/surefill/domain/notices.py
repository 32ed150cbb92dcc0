"""What people are told: one notice per event worth a message, with its words. Text only; sending is an adapter's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from surefill.domain.kinds import AccountState, Leg
from surefill.domain.money import ZERO, divide_down, plain
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, Intent, JournalEntry
from surefill.domain.states import IntentState
from surefill.domain.times import format_time

# Prices and percentages are shown to a person: eight and two digits are enough.
_PRICE_STEP = Decimal("0.00000001")
_PERCENT_STEP = Decimal("0.01")
_TELLING = frozenset({IntentState.FILLED, IntentState.ADOPTED, IntentState.VOID})
_HELD_OUTCOMES = frozenset({Reason.OVERRUN, Reason.BALANCE_SHORT})


class NoticeKind(StrEnum):
    """What a notice is about: the value is what receivers filter on."""

    ENTRY = "entry"
    EXIT = "exit"
    NOT_MADE = "order_not_made"
    HELD = "position_held"
    UNPROTECTED = "position_unprotected"
    DAILY_LOSS = "daily_loss_reached"
    CREDENTIALS_REJECTED = "credentials_rejected"
    RECONCILE_DIFFERENCE = "reconcile_difference"
    ALARM = "alarm"


_JOURNAL_KINDS: Mapping[Reason, NoticeKind] = {
    Reason.UNPROTECTED: NoticeKind.UNPROTECTED,
    Reason.SLOT_HELD: NoticeKind.HELD,
    Reason.LIMIT_LOSS: NoticeKind.DAILY_LOSS,
}
_ACCOUNT_KINDS: Mapping[AccountState, NoticeKind] = {
    AccountState.AUTH_FAILED: NoticeKind.CREDENTIALS_REJECTED,
    AccountState.OUT_OF_SYNC: NoticeKind.RECONCILE_DIFFERENCE,
}
# Told by the row that says so; other reasons and states are told to nobody.
TOLD_REASONS = tuple(_JOURNAL_KINDS)
TOLD_STATES = tuple(_ACCOUNT_KINDS)

_WORDS: Mapping[NoticeKind, tuple[str, str]] = {
    NoticeKind.HELD: (
        "position HELD",
        "Nothing is sent for it until a person has looked: compare it with the account at the venue.",
    ),
    NoticeKind.UNPROTECTED: ("open position without an exit", "Set a take profit or a stop loss, or close it."),
    NoticeKind.DAILY_LOSS: ("loss limit of the day reached", "No new entries from this budget until tomorrow."),
    NoticeKind.CREDENTIALS_REJECTED: (
        "the venue rejects the credentials",
        "Entries have stopped; positions and money stay as they are. Put a valid key into the account's secret.",
    ),
    NoticeKind.RECONCILE_DIFFERENCE: (
        "the account holds less than the tables say",
        "Entries have stopped. Put the difference back, or shrink the budget.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message. `key` is the same whenever the same event is told again; `urgent` ones ask a person to act.

    `topic` names a condition that is reported as long as it lasts: a reminder of it may be left out, an event never.
    """

    kind: NoticeKind
    key: str
    title: str
    lines: tuple[str, ...]
    at: datetime | None
    facts: Mapping[str, str] = field(default_factory=dict)
    urgent: bool = False
    topic: str | None = None
    intent: Intent | None = None

    @property
    def text(self) -> str:
        """Title and lines, for people."""
        return "\n".join((self.title, *self.lines))


def notice_of(row: object) -> Notice | None:
    """The notice a changed row is worth, if any."""
    match row:
        case Intent():
            return _order(row) if row.state in _TELLING else None
        case Account():
            return _account(row) if row.state in _ACCOUNT_KINDS else None
        case JournalEntry():
            return _journal(row) if row.reason in _JOURNAL_KINDS else None
        case _:
            return None


def _order(intent: Intent) -> Notice:
    kind, words = _order_words(intent)
    facts = {
        "account": intent.account_id,
        "bot": intent.bot_id,
        "symbol": intent.symbol,
        "leg": str(intent.leg),
        "state": str(intent.state),
        "reason": str(intent.reason),
        "outcome": str(intent.outcome or ""),
        "quantity": plain(intent.filled_quantity),
        "cost": plain(intent.filled_cost),
        "intent": intent.intent_id,
    }
    if intent.realised is not None:
        facts["realised"] = plain(intent.realised)
    lines = [f"Why: {intent.reason}"]
    if intent.filled_quantity:
        price = divide_down(intent.filled_cost, intent.filled_quantity, step=_PRICE_STEP)
        lines.insert(0, f"Average price: {plain(price)} {_quote(intent)}")
    if intent.opened_at is not None and intent.finished_at is not None:
        lines.append(f"Open for: {_duration(intent.finished_at - intent.opened_at)}")
    if kind is NoticeKind.HELD:
        lines.append(_WORDS[kind][1])
    return Notice(
        kind=kind,
        key=f"order#{intent.intent_id}#{intent.state}",
        title=f"{intent.bot_id} {intent.symbol}: {words}",
        lines=(*lines, f"Account: {intent.account_id}", f"Order: {intent.intent_id}"),
        at=intent.finished_at or intent.created_at,
        facts=facts,
        urgent=kind is NoticeKind.HELD,
        intent=intent,
    )


def _order_words(intent: Intent) -> tuple[NoticeKind, str]:
    if intent.outcome in _HELD_OUTCOMES and (intent.leg is Leg.EXIT or intent.outcome is Reason.OVERRUN):
        return NoticeKind.HELD, f"position HELD ({intent.outcome})"
    leg = "exit" if intent.leg is Leg.EXIT else "entry"
    if intent.state is IntentState.VOID:
        return NoticeKind.NOT_MADE, f"{leg} not made ({intent.outcome})"
    done = f"{plain(intent.filled_quantity)} for {plain(intent.filled_cost)} {_quote(intent)}"
    if intent.leg is not Leg.EXIT:
        return NoticeKind.ENTRY, f"bought {done}"
    return NoticeKind.EXIT, f"sold {done}{_result(intent)}"


def _result(intent: Intent) -> str:
    """Profit or loss of a sale: ", +3.41 USDT (+1.71 %)"."""
    if intent.realised is None:
        return ""
    shown = f", {_signed(intent.realised)} {_quote(intent)}"
    if not intent.basis:
        return shown
    percent = divide_down(abs(intent.realised) * 100, intent.basis, step=_PERCENT_STEP)
    return f"{shown} ({_signed(percent if intent.realised >= ZERO else -percent)} %)"


def _journal(entry: JournalEntry) -> Notice:
    kind = _JOURNAL_KINDS[entry.reason]
    words, remedy = _WORDS[kind]
    numbers = ", ".join(f"{name} {value}" for name, value in sorted(entry.numbers.items()))
    return Notice(
        kind=kind,
        key=f"journal#{entry.bot_id}#{entry.entry_key}",
        title=f"{entry.bot_id} {entry.symbol}: {words}",
        lines=tuple(filter(None, (numbers, f"Seen: {format_time(entry.at)}", remedy))),
        at=entry.at,
        facts={"bot": entry.bot_id, "symbol": entry.symbol, "reason": str(entry.reason), **entry.numbers},
        urgent=True,
        topic=f"{kind}#{entry.bot_id}#{entry.symbol}",
    )


def _account(account: Account) -> Notice:
    kind = _ACCOUNT_KINDS[account.state]
    words, remedy = _WORDS[kind]
    differences = ", ".join(f"{asset} {amount}" for asset, amount in sorted(account.differences.items()))
    return Notice(
        kind=kind,
        key=f"account#{account.account_id}#{account.state}#{account.reconciled_at}#{account.state_reason}",
        title=f"account {account.account_id}: {words}",
        lines=tuple(filter(None, (account.state_reason, remedy))),
        at=account.reconciled_at,
        facts={"account": account.account_id, "state": str(account.state), "differences": differences},
        urgent=True,
        topic=f"{kind}#{account.account_id}",
    )


def _quote(intent: Intent) -> str:
    return intent.symbol.partition("/")[2]


def _signed(amount: Decimal) -> str:
    return f"+{plain(amount)}" if amount >= ZERO else plain(amount)


def _duration(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "less than a minute"
