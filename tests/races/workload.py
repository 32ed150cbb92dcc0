"""What is raced: how a round is set up, what every client does in it, and what must be true afterwards."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from surefill.domain.orders import VenueOrder
from surefill.domain.rows import Budget, Intent, LedgerEntry, Slot
from surefill.ports import Store, StoreUnavailableError
from tests.contract.world import World

ACCOUNT = "live-binance-main"
# Times a client calls again when the store did not answer, as workflow and schedules do.
PATIENCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One round: its name is that of its bot and budget, so no two rounds share a row."""

    name: str
    number: int
    stormy: bool

    @property
    def world(self) -> World:
        """The bot, budget and orders of the round."""
        return World(name=self.name)


@dataclass(slots=True)
class Answer:
    """What one client saw in one round."""

    claimed: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    posts: list[str] = field(default_factory=list)
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    done: int = 0
    reads: int = 0
    torn: list[str] = field(default_factory=list)
    committed: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    error: str | None = None


@dataclass(slots=True, kw_only=True)
class Turn:
    """One client in one round. `control`: the protection is out, and the client knows."""

    client: int
    clients: int
    store: Any
    connection: Any
    table_prefix: str
    plan: Plan
    world: World
    control: bool
    answer: Answer = field(default_factory=Answer)

    def insist(self, action: Callable[[], None]) -> bool:
        """Do something until the store answers; False when it never did."""
        for _ in range(PATIENCE):
            try:
                action()
                return True
            except StoreUnavailableError:
                continue
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A round when all is over: what the clients saw, and the rows."""

    plan: Plan
    world: World
    answers: Sequence[Answer]
    budget: Budget
    intents: Sequence[Intent]
    slots: Sequence[Slot]
    ledger: Sequence[LedgerEntry]

    def claimed(self) -> set[str]:
        """Intents that some client was told it holds."""
        return {name for answer in self.answers for name in answer.claimed}

    def posts(self) -> Counter[str]:
        """How often each order left."""
        return Counter(name for answer in self.answers for name in answer.posts)

    def booked(self, event: str) -> int:
        """Ledger entries of one kind ("claim", "record", "release")."""
        return sum(entry.entry_key.endswith(f"#{event}") for entry in self.ledger)


@dataclass(slots=True)
class Figures:
    """What all rounds of a workload came to. The first few wrongs are told in words."""

    rounds: int = 0
    stormy: int = 0
    attempts: int = 0
    double_claims: int = 0
    over_reservations: int = 0
    lost_updates: int = 0
    torn_reads: int = 0
    double_posts: int = 0
    wrongs: int = 0
    reads: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    stories: list[str] = field(default_factory=list)

    def wrong(self, story: str) -> None:
        """Something is not as it must be."""
        self.wrongs += 1
        if len(self.stories) < 5:
            self.stories.append(story)

    def clean(self) -> bool:
        """Whether nothing was wrong."""
        return not (self.wrongs or any(getattr(self, name) for name in COUNTS))


COUNTS = ("double_claims", "over_reservations", "lost_updates", "torn_reads", "double_posts")


class Workload:
    """One race. `dropped` are the guards its control leaves out."""

    name: ClassVar[str]
    dropped: ClassVar[frozenset[str]] = frozenset()
    piecewise: ClassVar[bool] = False
    # Whether what a storm left unfinished is settled before the judgement.
    settles: ClassVar[bool] = False
    # Which of the counts the control must show.
    shows: ClassVar[str] = "wrongs"

    def prepare(self, store: Store, plan: Plan) -> None:
        """Set the round up, before any client is told of it."""
        plan.world.settle_in(store)

    def ready(self, turn: Turn) -> Callable[[], None]:
        """Everything a client does before the start; what it returns is done by all at once."""
        raise NotImplementedError

    def judge(self, seen: Seen, figures: Figures) -> None:
        """Hold a finished round against what must be true of it."""
        raise NotImplementedError


def count_claims(seen: Seen, figures: Figures, *, most: int, exactly: bool = True) -> None:
    """Count claims beyond the allowed number, and updates of the budget's counters that got lost."""
    claimed, stored = seen.claimed(), {intent.intent_id for intent in seen.intents}
    excess = max(len(claimed), len(stored)) - most
    if excess > 0:
        figures.double_claims += excess
        figures.wrong(f"{seen.plan.name}: {len(claimed)} told, {len(stored)} stored, {most} allowed")
    if exactly and excess < 0:
        refused = sum((answer.refused for answer in seen.answers), Counter[str]())
        figures.wrong(f"{seen.plan.name}: {len(claimed)} of {most} claims passed; refused: {dict(refused)}")
    if claimed != stored:
        figures.wrong(f"{seen.plan.name}: told {sorted(claimed)}, stored {sorted(stored)}")


def missed(seen: Seen, figures: Figures, pairs: Iterable[tuple[str, object, object]]) -> None:
    """Compare numbers that many clients changed: (name, stored, expected)."""
    for name, stored, expected in pairs:
        if stored != expected:
            figures.lost_updates += 1
            figures.wrong(f"{seen.plan.name}: {name} is {stored}, must be {expected}")
