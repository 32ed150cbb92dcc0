"""What was decided, and how it is remembered: told and journalled when it changed or started an order, else counted."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from surefill.domain.bots import EVALUATED
from surefill.domain.decisions import Decision, journal_entry
from surefill.domain.kinds import BotState
from surefill.domain.rows import Bot, Slot
from surefill.ports import Observer, Store
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Update, key_of
from surefill.usecases.several import each

# Fewer are written one after the other: threads would cost more than they save.
_FEW = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision, with the slot as it was and with the signal that stands now. `pauses`: the bot can't go on."""

    bot: Bot
    before: Slot
    after: Slot
    decision: Decision
    pauses: bool = False

    @property
    def changed(self) -> bool:
        """Whether the bot now does something else on this symbol than at its last evaluation."""
        return self.decision.reason is not self.before.last_reason

    @property
    def worth_telling(self) -> bool:
        """What changed, and every order that was started."""
        return self.changed or self.decision.intent_id is not None

    def changes(self) -> dict[str, Any]:
        """The fields of the slot that are to be written."""
        fields = {
            name: getattr(self.after, name)
            for name in ("signal_side", "signal_since")
            if getattr(self.after, name) != getattr(self.before, name)
        }
        return {**fields, "last_reason": self.decision.reason} if self.changed else fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Remembers decisions: one request for the journal of a whole batch, one write per slot that changed.

    A venue that goes away changes the decision of every bot on it: many slots are written a few at a time.
    """

    store: Store
    observer: Observer

    def remember(self, decided: Iterable[Decided]) -> None:
        """Write the journal first: what a slot says was decided can always be read there."""
        kept = list(decided)
        told = [item for item in kept if item.worth_telling]
        for item in told:
            self._tell(item)
        self.store.journal([journal_entry(item.decision, kind="decision") for item in told])
        changed = [item for item in kept if item.pauses or item.changes()]
        if len(changed) > _FEW:
            each(changed, self._write)
        else:
            for item in changed:
                self._write(item)

    def _tell(self, item: Decided) -> None:
        self.observer.event(
            item.decision.reason,
            bot=item.bot.bot_id,
            symbol=item.decision.symbol,
            tick=item.decision.tick,
            intent=item.decision.intent_id,
            account=item.bot.account_id,
            numbers=dict(item.decision.numbers),
        )

    def _write(self, item: Decided) -> None:
        changes = item.changes()
        bot = item.bot
        if changes:
            owner = {"bot_id": bot.bot_id, "account_id": bot.account_id, "budget_id": bot.budget_id}
            self.store.update(Update(key=key_of(item.before), set={**owner, **changes}))
        if item.pauses:
            evaluated = Guard(name="bot_evaluated", field="state", op=Op.ONE_OF, value=tuple(sorted(EVALUATED)))
            why = f"{item.decision.reason}: {item.decision.numbers.get('error', '')}"
            paused = {"state": BotState.PAUSED, "cadence_key": None, "state_reason": why[:300]}
            with suppress(GuardFailedError):  # stopped or deleted meanwhile
                self.store.update(Update(key=Key(Bot, (bot.bot_id,)), set=paused, guards=(evaluated,)))
