"""A worker as a state of the model: the product's own code, run again from its start with the answers it had so far.

A stage is one invocation (a Lambda call). It is run with scripted ports: every call into the world takes the next
answer of its history; when the history is used up, the stage is suspended on that call. So the control flow that is
checked *is* the use case, and each call into the world is one atomic step between which everything else may happen.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from surefill.domain.candles import Quote
from surefill.domain.orders import OrderRequest, PostOutcome, VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Account, Intent, JournalEntry, Row
from surefill.protocol.transaction import Key, Put, Transaction, Update


@dataclass(frozen=True, slots=True)
class Call:
    """What a suspended stage wants of the world. `world` is "store", "clock" or "venue": what the answer depends on."""

    world: str
    name: str
    argument: Any = None

    @property
    def is_effect(self) -> bool:
        """Whether it changes anything: a process that dies before a read dies just as well before its next effect."""
        return self.name in ("commit", "update", "insert", "post", "cancel")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the world. `key` stands for it in histories; `make` gives the value or raises."""

    key: Hashable
    make: Callable[[], Any]
    text: str = "ok"


class Suspended(BaseException):
    """The history is used up: the stage waits for the answer to this call."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.call = call


class Crashed(BaseException):
    """The process was killed at this point. No handler of the product can catch it."""


def _crash() -> Any:
    raise Crashed


CRASH = Answer(("crash",), _crash, "the process dies")


@dataclass(slots=True)
class Script:
    """The answers a stage gets, in order."""

    answers: tuple[Answer, ...]
    position: int = 0

    def ask(self, call: Call) -> Any:
        """The next answer, or the end of what is known."""
        if self.position == len(self.answers):
            raise Suspended(call)
        self.position += 1
        return self.answers[self.position - 1].make()


@dataclass(slots=True)
class ScriptedStore:
    """The Store port. What never changes in a model (account, market rules) and what nobody reads back is no step."""

    script: Script
    constants: Mapping[Key, Row]

    def commit(self, transaction: Transaction) -> None:
        self.script.ask(Call("store", "commit", transaction))

    def update(self, update: Update) -> Any:
        if update.key.row is Account:
            return self.constants[update.key]
        return self.script.ask(Call("store", "update", update))

    def insert(self, row: Row) -> None:
        if not isinstance(row, JournalEntry):
            self.script.ask(Call("store", "insert", Put(row=row)))

    def replace(self, row: Row) -> None:
        """Heartbeat rows only."""

    def get(self, row: Any, *values: str) -> Any:
        key = Key(row, values)
        if row in (Account, MarketRules):
            return self.constants.get(key)
        return self.script.ask(Call("store", "get", key))

    def get_many(self, row: Any, keys: Iterable[tuple[str, ...]]) -> list[Any]:
        return [found for key in keys if (found := self.get(row, *key)) is not None]

    def unfinished_intents(self, *, due_until: datetime | None, limit: int = 100) -> Any:
        return self.script.ask(Call("store", "due", due_until)) if due_until is not None else []

    def open_slot_keys(self) -> Any:
        return self.script.ask(Call("store", "open_slots"))

    def slots_of_market(self, market_key: str) -> Any:
        return self.script.ask(Call("store", "slots_of_market", market_key))


@dataclass(slots=True)
class ScriptedVenue:
    """The Venues and Venue ports."""

    script: Script
    quote: Quote | None = None

    def of_account(self, account: Account) -> "ScriptedVenue":
        return self

    def market_data(self, venue: str) -> "ScriptedVenue":
        return self

    def quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        return {symbol: self.quote for symbol in symbols if self.quote is not None}

    def post(self, request: OrderRequest) -> PostOutcome:
        outcome: PostOutcome = self.script.ask(Call("venue", "post", request))
        return outcome

    def find(self, *, symbol: str, client_order_id: str) -> VenueOrder | None:
        found: VenueOrder | None = self.script.ask(Call("venue", "find", client_order_id))
        return found

    def find_trace(self, *, symbol: str, client_order_id: str, since: datetime) -> VenueOrder | None:
        found: VenueOrder | None = self.script.ask(Call("venue", "find_trace", client_order_id))
        return found

    def cancel(self, *, symbol: str, client_order_id: str) -> None:
        self.script.ask(Call("venue", "cancel", client_order_id))


@dataclass(slots=True)
class ScriptedClock:
    """The Clock port: reading the clock is a step of its own, so that a process may pause before and after it."""

    script: Script

    def now(self) -> datetime:
        moment: datetime = self.script.ask(Call("clock", "now"))
        return moment


class Silent:
    """The Observer port."""

    def event(self, reason: Reason, **fields: object) -> None: ...

    def metric(self, name: str, value: float, **dimensions: str) -> None: ...


@dataclass(slots=True)
class Started:
    """The Workflow port: remembers what is to be carried out next by the same process."""

    intents: list[Intent] = field(default_factory=list)

    def start(self, intent: Intent) -> bool:
        self.intents.append(intent)
        return True


@dataclass(slots=True)
class Ports:
    """Everything a stage gets of the world."""

    store: ScriptedStore
    venue: ScriptedVenue
    clock: ScriptedClock
    observer: Silent = field(default_factory=Silent)
    workflow: Started = field(default_factory=Started)


StageKey = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A process at one point. `call` is what it waits for; `stage` None means that it is finished."""

    stage: StageKey | None
    history: tuple[Hashable, ...]
    answers: tuple[Answer, ...]
    call: Call | None
    note: str = ""
