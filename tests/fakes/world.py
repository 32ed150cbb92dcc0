"""A small world to try use cases in: one account, one budget, one bot, one market, all ports faked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from surefill.adapters.memory import MemoryStore
from surefill.domain.kinds import Mode
from surefill.domain.rows import Account, Bot, Budget, Intent, Slot
from surefill.ports import Store
from surefill.usecases.batches import Batch
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.directory import AccountDirectory
from surefill.usecases.entries import EntryPlanner
from surefill.usecases.evaluate import Evaluator
from surefill.usecases.place import Placer
from surefill.usecases.settle import Settler
from surefill.usecases.watch_exits import ExitWatch
from tests.fakes.ports import FakeClock, ListObserver, ListQueue, ListWorkflow
from tests.fakes.rows import MARKET, OWNER, bot, budget, rules
from tests.fakes.venue import FakeVenue


class World:
    """Use cases on fakes. `trade()` carries one batch through evaluation, claim and place like the functions do."""

    def __init__(self, store: Store | None = None) -> None:
        self.clock = FakeClock()
        self.store: Any = store or MemoryStore()
        self.venue = FakeVenue()
        self.observer = ListObserver()
        self.queue = ListQueue()
        self.workflow = ListWorkflow()
        self.bot = bot()
        self.store.insert(
            Account(account_id="live-binance-main", venue="binance", mode=Mode.LIVE, currency="USDT", secret_name="s")
        )
        self.store.insert(budget())
        self.store.insert(rules())
        self.store.insert(self.bot)

    @property
    def placer(self) -> Placer:
        return Placer(
            store=self.store,
            accounts=AccountDirectory(self.store),
            venues=self.venue,
            clock=self.clock,
            observer=self.observer,
        )

    @property
    def settler(self) -> Settler:
        return Settler(
            store=self.store,
            accounts=AccountDirectory(self.store),
            venues=self.venue,
            clock=self.clock,
            observer=self.observer,
        )

    @property
    def watch(self) -> ExitWatch:
        return ExitWatch(
            store=self.store, venues=self.venue, workflow=self.workflow, clock=self.clock, observer=self.observer
        )

    def evaluator(self, strategies: Mapping[str, type]) -> Evaluator:
        return Evaluator(
            store=self.store,
            venues=self.venue,
            workflow=self.workflow,
            clock=self.clock,
            observer=self.observer,
            stage="test",
            strategies=strategies,
        )

    @property
    def planner(self) -> EntryPlanner:
        """Plans entries at this moment, on the venue's price."""
        return self.evaluator({}).planner(self.batch())

    def batch(self, *bots: Bot, tick: datetime | None = None) -> Batch:
        return Batch(
            tick=tick or self.clock.now(), venue="binance", symbol="BTC/USDT", timeframe="1m", bots=bots or (self.bot,)
        )

    def run_started(self) -> list[Outcome]:
        """Claim and place what the workflow was started with since the last call."""
        outcomes = []
        for intent in list(self.workflow.started.values()):
            if not claim(intent, store=self.store, observer=self.observer).claimed:
                outcomes.append(Outcome.NOTHING)
                continue
            outcomes.append(self.placer.place(intent, worker="w"))
        return outcomes

    def slot(self) -> Slot:
        return self.store.get(Slot, MARKET, OWNER) or Slot(market_key=MARKET, owner_key=OWNER)

    def money(self) -> Budget:
        found = self.store.get(Budget, "live-binance-main-b")
        assert found is not None
        return found

    def intent(self, intent_id: str) -> Intent:
        found = self.store.get(Intent, intent_id)
        assert found is not None
        return found
