"""Place: post the order of a claimed intent, at most once, and book it at once when the venue says it is finished."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from surefill.domain import identity
from surefill.domain.decisions import Decision, journal_entry
from surefill.domain.kinds import AccountState, Leg
from surefill.domain.orders import (
    Accepted,
    AlreadyExists,
    NotSent,
    OrderRequest,
    PostOutcome,
    Rejected,
    UnknownOutcome,
    VenueError,
)
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, Budget, Intent
from surefill.domain.states import IntentState
from surefill.ports import Clock, Observer, Store, StoreUnavailableError, Venue, Venues
from surefill.protocol.order import mark_accepted, mark_unknown, send_gate
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Update
from surefill.usecases.book import Book, Outcome
from surefill.usecases.directory import AccountDirectory
from surefill.usecases.timing import WINDOW

_LOOK_SOON = timedelta(seconds=15)
# So much of a venue's message is kept.
_SAID_LENGTH = 300
# An order that waits for its price is looked at once a minute.
REST_LOOK = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placer:
    """Posts orders."""

    store: Store
    accounts: AccountDirectory
    venues: Venues
    clock: Clock
    observer: Observer

    def place(self, intent: Intent, *, worker: str) -> Outcome:
        """Post `intent` as it was claimed. PENDING means: do not post again, settle it.

        `worker` names this one call: only who passed the send gate may post, or take the order back.
        """
        # Before the gate: a failure to build the adapter must not leave an order that looks sent.
        account = self.accounts.of(intent)
        try:
            venue = self.venues.of_account(account)
        except VenueError as error:
            self._tell(error.reason, intent, error=str(error))
            self._remember(error.reason, intent, error=str(error))
            if error.reason is Reason.CREDENTIALS_REJECTED:
                block_account(self.store, intent.account_id, message=str(error), now=self.clock.now())
            return self._never_sent(intent, why=error.reason)
        if intent.leg is not Leg.EXIT and not self._entries_allowed(intent):
            return self._never_sent(intent, why=Reason.ENTRIES_OFF)
        now = self.clock.now()
        if now > intent.deadline - WINDOW:
            return self._never_sent(intent, why=Reason.NEVER_SENT)
        sent = self._pass_gate(intent, worker=worker, now=now)
        if sent is None:
            return Outcome.PENDING  # not claimed, or somebody else's to send: look, never post
        self.observer.event(Reason.SENT, intent=sent.intent_id, bot=sent.bot_id, symbol=sent.symbol, leg=sent.leg)
        return self._apply(sent, outcome=self._post(sent, venue=venue))

    def _pass_gate(self, intent: Intent, *, worker: str, now: datetime) -> Intent | None:
        try:
            row = self.store.update(send_gate(intent, worker=worker, now=now))
        except GuardFailedError as error:
            # A resend of our own write whose reply was lost also fails: the row then carries our name.
            seen = error.row_of(Intent)
            ours = isinstance(seen, Intent) and seen.worker == worker and seen.state is IntentState.SENT
            return seen if ours and isinstance(seen, Intent) else None
        assert isinstance(row, Intent)
        return row

    def _entries_allowed(self, intent: Intent) -> bool:
        budget = self.store.get(Budget, intent.budget_id)
        return budget is not None and budget.entries_allowed

    def _never_sent(self, intent: Intent, *, why: Reason) -> Outcome:
        stored = self.store.get(Intent, intent.intent_id)
        if stored is None:
            return Outcome.NOTHING
        if stored.state is not IntentState.RESERVED:
            return Outcome.PENDING
        return self._book().void_unsent(stored, outcome=why)

    def _post(self, intent: Intent, *, venue: Venue) -> PostOutcome:
        assert intent.sent_at is not None
        request = OrderRequest(
            client_order_id=identity.client_order_id(intent.intent_id),
            symbol=intent.symbol,
            side=intent.side,
            kind=intent.kind,
            quantity=intent.quantity,
            limit_price=intent.limit_price,
            signed_at=intent.sent_at,
            window_ms=int(WINDOW.total_seconds() * 1_000),
        )
        return venue.post(request)

    def _apply(self, intent: Intent, *, outcome: PostOutcome) -> Outcome:
        match outcome:
            case Accepted(order=order) if order.finished and order.fills is not None:
                return self._book().record(intent, order=order)
            case Accepted(order=order):
                return self._accepted(intent, venue_order_id=order.venue_order_id)
            case Rejected():
                return self._rejected(intent, rejected=outcome)
            case NotSent(message=message):
                self._tell(Reason.NEVER_SENT, intent, error=message)
                self._remember(Reason.NEVER_SENT, intent, error=message)
                return self._take_back(intent, why=Reason.NEVER_SENT)
            case AlreadyExists() | UnknownOutcome():
                self._write(mark_unknown(intent, look_again_at=self._soon()))
                self._tell(Reason.UNKNOWN, intent, error=outcome.message)
                self._remember(Reason.UNKNOWN, intent, error=outcome.message)
                return Outcome.PENDING
        assert_never(outcome)

    def _accepted(self, intent: Intent, *, venue_order_id: str) -> Outcome:
        rests = intent.rests_until is not None
        look_again_at = self.clock.now() + (REST_LOOK if rests else _LOOK_SOON)
        self._write(mark_accepted(intent, venue_order_id=venue_order_id, look_again_at=look_again_at))
        self._tell(Reason.RESTING if rests else Reason.ACCEPTED, intent, order=venue_order_id)
        return Outcome.RESTING if rests else Outcome.PENDING

    def _write(self, update: Update) -> None:
        """A step on the way; when its guard fails, settling was faster and knows more."""
        with suppress(GuardFailedError):
            self.store.update(update)

    def _rejected(self, intent: Intent, *, rejected: Rejected) -> Outcome:
        self._tell(Reason.REJECTED, intent, code=rejected.code, error=rejected.message, why=rejected.reason)
        if rejected.reason is Reason.CREDENTIALS_REJECTED:
            message = f"{rejected.code} {rejected.message}"
            block_account(self.store, intent.account_id, message=message, now=self.clock.now())
        self._remember(Reason.REJECTED, intent, code=rejected.code, error=rejected.message, why=rejected.reason.value)
        short_sale = rejected.reason is Reason.BALANCE_SHORT and intent.leg is Leg.EXIT
        return self._take_back(intent, why=rejected.reason, held=Reason.BALANCE_SHORT if short_sale else None)

    def _take_back(self, intent: Intent, *, why: Reason, held: Reason | None = None) -> Outcome:
        """Only this worker, whose one post provably left nothing at the venue, may void a sent intent at once."""
        mine = Guard(name="sent_by_us", field="worker", op=Op.EQUAL, value=intent.worker)
        return self._book().void(intent, outcome=why, from_states=(IntentState.SENT,), guards=(mine,), held=held)

    def _remember(self, reason: Reason, intent: Intent, **numbers: str) -> None:
        """Journal what the venue said, for whoever asks why. Never worth failing an order for."""
        decision = Decision(
            bot_id=intent.bot_id,
            symbol=intent.symbol,
            tick=intent.tick,
            reason=reason,
            numbers={name: value[:_SAID_LENGTH] for name, value in numbers.items()},
            intent_id=intent.intent_id,
        )
        with suppress(GuardFailedError, StoreUnavailableError):
            self.store.insert(journal_entry(decision, kind=f"place-{intent.leg.lower()}"))

    def _book(self) -> Book:
        return Book(store=self.store, clock=self.clock, observer=self.observer)

    def _soon(self) -> datetime:
        return self.clock.now() + _LOOK_SOON

    def _tell(self, reason: Reason, intent: Intent, **numbers: object) -> None:
        self.observer.event(
            reason,
            intent=intent.intent_id,
            bot=intent.bot_id,
            symbol=intent.symbol,
            leg=intent.leg,
            account=intent.account_id,
            **numbers,
        )


def block_account(store: Store, account_id: str, *, message: str, now: datetime) -> None:
    """The venue refuses the credentials: entries stop until it takes them again; money and positions stay."""
    others = tuple(sorted(set(AccountState) - {AccountState.AUTH_FAILED}))
    not_yet = Guard(name="not_blocked_yet", field="state", op=Op.ONE_OF, value=others)
    changes = {
        "state": AccountState.AUTH_FAILED,
        "state_reason": message[:200],
        "trouble": Reason.CREDENTIALS_REJECTED,
        "trouble_since": now,
    }
    with suppress(GuardFailedError):
        store.update(Update(key=Key(Account, (account_id,)), set=changes, guards=(not_yet,)))
