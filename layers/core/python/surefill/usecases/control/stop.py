"""The kill switch: NO_NEW, CLOSE_ALL and FREEZE, for a bot, an account or everything.

It is acknowledged only after everything is written that a reservation is guarded by: what commits did so before.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from surefill.domain import identity
from surefill.domain.bots import scheduled
from surefill.domain.decisions import JOURNAL_LIFETIME
from surefill.domain.kinds import BotState, Scope, StopKind
from surefill.domain.reasons import Reason
from surefill.domain.records import Closing, Stop
from surefill.domain.rows import Account, Bot, Intent, JournalEntry, Slot
from surefill.domain.states import IN_FLIGHT, UNFINISHED, IntentState, SlotState
from surefill.domain.times import format_time, sortable, to_milliseconds
from surefill.ports import Clock, CloseWorkflow, Observer, Store
from surefill.protocol.funds import switch_entries
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Update, key_of
from surefill.usecases.book import Book, Outcome
from surefill.usecases.control.directory import Directory
from surefill.usecases.control.errors import ConflictError, NotFoundError
from surefill.usecases.control.stops import covers_account, holds_state, standing_stops
from surefill.usecases.several import AT_ONCE, Item, Result, each

# Positions per execution: an execution's history ends at 25,000 events.
POSITIONS_PER_EXECUTION = 60
_HOLDING = tuple(sorted(state for state in SlotState if state is not SlotState.EMPTY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What a stop did beyond its row: orders taken back before they were sent, and those the venue already has."""

    stop: Stop
    taken_back: int = 0
    at_venue: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KillSwitch:
    """Presses and lifts stops."""

    store: Store
    directory: Directory
    workflow: CloseWorkflow
    clock: Clock
    observer: Observer
    name: Callable[[], str] = field(default=lambda: secrets.token_hex(4))
    at_once: int = AT_ONCE

    def press(self, kind: StopKind, *, scope: Scope, target: str, who: str, why: str) -> Pressed:
        """Stop. What is to be changed is recorded first, so that lifting restores it whatever happens in between."""
        bots, accounts = self._reach(scope, target)
        budgets = [budget for account in accounts for budget in self.directory.budgets_of(account)]
        now = self.clock.now()
        stop = Stop(
            scope=scope,
            stop_id=f"{scope}-{sortable(now).replace(':', '').replace('.', '')}-{self.name()}",
            kind=kind,
            target=target,
            who=who,
            why=why,
            at=now,
            bots={bot.bot_id: bot.state for bot in bots} if kind is StopKind.FREEZE or scope is Scope.BOT else {},
            budgets=tuple(budget.budget_id for budget in budgets if budget.entries_allowed),
        )
        self.store.replace(stop)  # its name is its own: a resend after a lost reply meets nobody else's row
        self._each(budgets, lambda budget: self.store.update(switch_entries(budget.budget_id, allowed=False)))
        if stop.bots:
            state = BotState.HALTED if kind is StopKind.FREEZE else BotState.DRAINING
            self._each(bots, lambda bot: self._put_into(bot, state))
        taken_back = at_venue = positions = 0
        if kind is StopKind.FREEZE:
            positions, taken_back, at_venue = self._freeze(bots)
        acknowledged = self._write(stop, positions=positions, acknowledged_at=self.clock.now())
        self._tell(acknowledged, bots, reason=Reason.STOPPED, who=who, why=why)
        if kind is StopKind.CLOSE_ALL:
            acknowledged = self._write(acknowledged, positions=self._close(acknowledged, bots))
        return Pressed(stop=acknowledged, taken_back=taken_back, at_venue=at_venue)

    def lift(self, stop_id: str, *, who: str, why: str) -> Stop:
        """Undo what the stop changed, as far as no other stop that stands covers it."""
        stop = self.stop(stop_id)
        if stop.lifted_at is not None:
            raise ConflictError("stop_id", f"{stop_id} was lifted at {format_time(stop.lifted_at)} by {stop.lifted_by}")
        others = [other for other in standing_stops(self.store) if other.stop_id != stop_id]
        bots = self.store.get_many(Bot, [(bot_id,) for bot_id in stop.bots])
        if stop.kind is StopKind.FREEZE:
            frozen = [other for other in others if other.kind is StopKind.FREEZE]
            self._thaw([bot for bot in bots if not any(holds_state(other, bot) for other in frozen)])
        put = BotState.HALTED if stop.kind is StopKind.FREEZE else BotState.DRAINING
        free = [bot for bot in bots if bot.state is put and not any(holds_state(other, bot) for other in others)]
        self._each(free, lambda bot: self._put_into(bot, BotState(stop.bots[bot.bot_id]), only_from=put))
        self._each(
            [budget for budget in stop.budgets if not any(_holds_budget(other, budget) for other in others)],
            lambda budget: self.store.update(switch_entries(budget, allowed=True)),
        )
        lifted = self._write(stop, lifted_at=self.clock.now(), lifted_by=who)
        self._tell(lifted, self._reach(stop.scope, stop.target)[0], reason=Reason.RESUMED, who=who, why=why)
        return lifted

    def stop(self, stop_id: str) -> Stop:
        """The stop, or NotFoundError."""
        scope = stop_id.partition("-")[0]
        stop = self.store.get(Stop, scope, stop_id) if scope else None
        if stop is None:
            raise NotFoundError("stop_id", f"stop {stop_id!r} does not exist")
        return stop

    def _reach(self, scope: Scope, target: str) -> tuple[list[Bot], list[str]]:
        """The bots in scope, and the accounts whose budgets are switched off."""
        if scope is Scope.BOT:
            bot = self.store.get(Bot, target)
            if bot is None:
                raise NotFoundError("bot_id", f"bot {target!r} does not exist")
            return [bot], []
        if scope is Scope.ACCOUNT:
            if self.store.get(Account, target) is None:
                raise NotFoundError("account_id", f"account {target!r} does not exist")
            accounts = [target]
        else:
            accounts = [account.account_id for account in self.directory.accounts()]
        return [bot for account in accounts for bot in self.directory.bots_of(account)], accounts

    def _put_into(self, bot: Bot, state: BotState, *, only_from: BotState | None = None) -> None:
        guards = [Guard(name="bot_exists", field="bot_id", op=Op.PRESENT)]
        if only_from is not None:
            guards.append(Guard(name="still_stopped", field="state", op=Op.EQUAL, value=only_from))
        changes = {"state": state, **scheduled(replace(bot, state=state), now=self.clock.now())}
        with suppress(GuardFailedError):  # deleted, or started by somebody meanwhile
            self.store.update(Update(key=Key(Bot, (bot.bot_id,)), set=changes, guards=tuple(guards)))

    def _freeze(self, bots: Sequence[Bot]) -> tuple[int, int, int]:
        """Freeze every place that holds something; no bot may enter any more, so an empty one stays empty."""
        results = self._each(self._slots(bots), self._freeze_slot)
        told = [result for result in results if result is not None]
        return len(told), told.count(Outcome.RELEASED), told.count(Outcome.PENDING)

    def _freeze_slot(self, slot: Slot) -> Outcome | None:
        holds = Guard(name="slot_holds", field="state", op=Op.ONE_OF, value=_HOLDING)
        try:
            row = self.store.update(Update(key=key_of(slot), set={"frozen": True}, guards=(holds,)))
        except GuardFailedError:
            return None
        assert isinstance(row, Slot)
        return self._take_back(row) if row.state in IN_FLIGHT else Outcome.NOTHING

    def _take_back(self, slot: Slot) -> Outcome:
        """An order on its way is taken back if it has not been sent; otherwise the venue has it."""
        intent = self.store.get(Intent, in_flight_intent(slot))
        if intent is None or intent.state is not IntentState.RESERVED:
            return Outcome.PENDING if intent is None or intent.state in UNFINISHED else Outcome.NOTHING
        book = Book(store=self.store, clock=self.clock, observer=self.observer)
        outcome = book.void_unsent(intent, outcome=Reason.FROZEN)
        empty = Guard(name="slot_empty", field="state", op=Op.EQUAL, value=SlotState.EMPTY)
        with suppress(GuardFailedError):  # a sale was taken back: the position stays, frozen
            self.store.update(Update(key=key_of(slot), set={"frozen": None}, guards=(empty,)))
        return outcome

    def _thaw(self, bots: Sequence[Bot]) -> None:
        frozen = Guard(name="frozen", field="frozen", op=Op.PRESENT)

        def thaw(slot: Slot) -> None:
            with suppress(GuardFailedError):
                self.store.update(Update(key=key_of(slot), set={"frozen": None}, guards=(frozen,)))

        self._each([slot for slot in self._slots(bots) if slot.frozen], thaw)

    def _close(self, stop: Stop, bots: Sequence[Bot]) -> int:
        closings = [_closing(stop, slot) for slot in self._slots(bots) if slot.state is not SlotState.EMPTY]
        self._each(closings, self.store.replace)
        for start in range(0, len(closings), POSITIONS_PER_EXECUTION):
            part = closings[start : start + POSITIONS_PER_EXECUTION]
            self.workflow.start_closing(f"{stop.stop_id}-{start // POSITIONS_PER_EXECUTION}", part)
        return len(closings)

    def _each(self, items: Sequence[Item], action: Callable[[Item], Result]) -> list[Result]:
        return each(items, action, at_once=self.at_once)

    def _slots(self, bots: Sequence[Bot]) -> list[Slot]:
        """Every place of the bots, market by market, strongly consistent."""
        owners = {identity.owner_key(account_id=bot.account_id, bot_id=bot.bot_id) for bot in bots}
        alone = next(iter(owners)) if len(owners) == 1 else None
        markets = sorted(
            {identity.market_key(venue=bot.venue, symbol=symbol) for bot in bots for symbol in bot.symbols}
        )
        found = (slot for key in markets for slot in self.store.slots_of_market(key, owner=alone, consistent=True))
        return [slot for slot in found if "|".join(slot.owner_key.split("|")[:2]) in owners]

    def _write(self, stop: Stop, **changes: object) -> Stop:
        there = Guard(name="stop_exists", field="stop_id", op=Op.PRESENT)
        row = self.store.update(Update(key=key_of(stop), set=changes, guards=(there,)))
        assert isinstance(row, Stop)
        return row

    def _tell(self, stop: Stop, bots: Iterable[Bot], *, reason: Reason, who: str, why: str) -> None:
        now = self.clock.now()
        numbers = {"kind": stop.kind, "scope": stop.scope, "target": stop.target, "who": who, "why": why}
        self.observer.event(reason, stop=stop.stop_id, **numbers)
        self.store.journal(
            [
                JournalEntry(
                    bot_id=bot.bot_id,
                    entry_key=f"{format_time(now)}#stop#{stop.stop_id}",
                    at=now,
                    kind="stop",
                    symbol="",
                    reason=reason,
                    numbers={**{name: str(value) for name, value in numbers.items()}, "stop": stop.stop_id},
                    expires_at=to_milliseconds(now + JOURNAL_LIFETIME) // 1_000,
                )
                for bot in bots
            ]
        )


def in_flight_intent(slot: Slot) -> str:
    """The id of the order that a slot in flight waits for."""
    of_state = {
        SlotState.OPENING: slot.entry_intent_id,
        SlotState.ADDING: slot.tranche_intent_id,
        SlotState.REDUCING: slot.exit_intent_id,
        SlotState.CLOSING: slot.exit_intent_id,
    }
    intent_id = of_state.get(slot.state)
    if intent_id is None:
        raise AssertionError(f"slot {slot.owner_key} must name the order it waits for, is {slot.state} without one")
    return intent_id


def _closing(stop: Stop, slot: Slot) -> Closing:
    return Closing(
        stop_id=stop.stop_id,
        position_key=f"{slot.market_key}|{slot.owner_key}",
        market_key=slot.market_key,
        owner_key=slot.owner_key,
        bot_id=slot.bot_id,
        entry_intent_id=slot.entry_intent_id,
    )


def _holds_budget(stop: Stop, budget_id: str) -> bool:
    return stop.scope is not Scope.BOT and covers_account(stop, budget_id.rpartition("-")[0])
