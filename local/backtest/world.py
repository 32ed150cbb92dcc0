"""One money world of a backtest: tables in memory, and the product's own use cases working on them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.backtest.setting_up import Silent
from local.backtest.spec import STAGE
from surefill.adapters.memory import MemoryStore
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.directory import AccountDirectory
from surefill.usecases.evaluate import Evaluator
from surefill.usecases.place import Placer
from surefill.usecases.settle import Settler
from surefill.usecases.watch_exits import ExitWatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from surefill.domain.rows import Intent
    from surefill.ports import Clock, Store, Venues
    from surefill.strategies.base import Strategy

_WORKER = "backtest"


@dataclass(slots=True, kw_only=True)
class InlineWorkflow:
    """Implements `ports.Workflow`: claim and place at once, one after the other, in this process."""

    store: Store
    placer: Placer
    observer: Silent
    refusals: Counter[str] = field(default_factory=Counter)
    started: int = 0

    def start(self, intent: Intent) -> bool:
        """The order workflow from claim to record; what rests is settled when it fills."""
        self.started += 1
        claimed = claim(intent, store=self.store, observer=self.observer)
        if not claimed.claimed:
            assert claimed.refusal is not None
            self.refusals[claimed.refusal.reason] += 1
            return True
        outcome = self.placer.place(intent, worker=_WORKER)
        if outcome is Outcome.PENDING:
            raise AssertionError(f"order {intent.intent_id} must end at once in a backtest, is {outcome}")
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The use cases, wired to memory."""

    store: MemoryStore
    clock: Clock
    observer: Silent
    workflow: InlineWorkflow
    evaluator: Evaluator
    exits: ExitWatch
    settler: Settler


def make_world(*, clock: Clock, venues: Venues, strategies: Mapping[str, type[Strategy]]) -> World:
    """Empty tables and everything that works on them."""
    store = MemoryStore()
    observer = Silent()
    accounts = AccountDirectory(store)
    placer = Placer(store=store, accounts=accounts, venues=venues, clock=clock, observer=observer)
    workflow = InlineWorkflow(store=store, placer=placer, observer=observer)
    return World(
        store=store,
        clock=clock,
        observer=observer,
        workflow=workflow,
        evaluator=Evaluator(
            store=store,
            venues=venues,
            workflow=workflow,
            clock=clock,
            observer=observer,
            stage=STAGE,
            strategies=strategies,
        ),
        exits=ExitWatch(store=store, venues=venues, workflow=workflow, clock=clock, observer=observer),
        settler=Settler(store=store, accounts=accounts, venues=venues, clock=clock, observer=observer),
    )
