"""A dry run: what a bot would do now, or on a given signal, through the real evaluation. Nothing is written or sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, cast

from surefill.domain.identity import market_key, owner_key
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent, JournalEntry, Row
from surefill.protocol.transaction import Key, Transaction, Update
from surefill.strategies.base import Action, Position, Signal, Strategy
from surefill.strategies.market import MarketView
from surefill.usecases.batches import Batch
from surefill.usecases.evaluate import Evaluator


class ReadOnlyStore:
    """A store whose writes go nowhere; reads are the store's own."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, transaction: Transaction) -> None:
        """Nothing."""

    def update(self, update: Update) -> Row:
        """The row as it is, unchanged."""
        row = self._store.get(update.key.row, *update.key.values)
        made: Any = update.key.row
        return cast("Row", made(**update.key.as_fields()) if row is None else row)

    def insert(self, row: Row) -> None:
        """Nothing."""

    def replace(self, row: Row) -> None:
        """Nothing."""

    def journal(self, entries: Sequence[JournalEntry]) -> None:
        """Nothing."""

    def delete(self, key: Key) -> None:
        """Nothing."""


@dataclass
class RecordedWorkflow:
    """Remembers the orders that would have been started."""

    intents: list[Intent] = field(default_factory=list)

    def start(self, intent: Intent) -> bool:
        """Remember."""
        self.intents.append(intent)
        return True


class SilentObserver:
    """Tells nobody: a dry run is no event."""

    def event(self, reason: Reason, **fields: object) -> None:
        """Nothing."""

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What one symbol's evaluation would come to."""

    symbol: str
    tick: datetime
    reason: Reason
    numbers: Mapping[str, str]
    intents: tuple[Intent, ...]
    holds: bool


def simulate(batch: Batch, *, evaluator: Evaluator, signal: Action | None = None) -> list[Simulated]:
    """Evaluate a batch without a trace. A `signal` takes the place of what the strategy would say."""
    workflow = RecordedWorkflow()
    dry = replace(evaluator, store=ReadOnlyStore(evaluator.store), workflow=workflow, observer=SilentObserver())
    if signal is not None:
        names = {bot.strategy for bot in batch.bots if bot.strategy in evaluator.strategies}
        told = {name: _saying(signal, evaluator.strategies[name]) for name in names}
        dry = replace(dry, strategies=MappingProxyType(told))
    decisions = dry.evaluate(batch)
    holding = {
        slot.owner_key
        for slot in evaluator.store.slots_of_market(market_key(venue=batch.venue, symbol=batch.symbol))
        if slot.quantity
    }
    owners = {bot.bot_id: owner_key(account_id=bot.account_id, bot_id=bot.bot_id) for bot in batch.bots}
    return [
        Simulated(
            symbol=decision.symbol,
            tick=decision.tick,
            reason=decision.reason,
            numbers=decision.numbers,
            intents=tuple(intent for intent in workflow.intents if intent.bot_id == decision.bot_id),
            holds=owners[decision.bot_id] in holding,
        )
        for decision in decisions
    ]


def _saying(action: Action, strategy: type[Strategy]) -> type[Strategy]:
    """The strategy, but its answer is given; it needs no confirmation, because nothing stood before it."""

    def decide(self: Strategy, market: MarketView, position: Position | None) -> Signal:
        return Signal(action=action, numbers={"simulated": action})

    return type(f"Saying{action.title()}", (strategy,), {"decide": decide, "confirms": False})
