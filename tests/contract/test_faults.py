"""Conflicts, throttling, lost replies and refusals: tried again where that is right, told in our words where not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from surefill.adapters.dynamodb import DynamoStore, Patience
from surefill.adapters.dynamodb.codec import encode
from surefill.adapters.dynamodb.failures import StoreRefusedError
from surefill.domain.records import PaperEntry
from surefill.domain.rows import Budget, Intent
from surefill.domain.states import IntentState
from surefill.ports import StoreUnavailableError
from surefill.protocol.entry import claim_entry
from surefill.protocol.funds import switch_entries
from surefill.protocol.order import send_gate
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Update
from tests.contract.engines import Engine
from tests.contract.faults import Wire, answer, cancelled, error, lost_reply, never_sent, wire_of
from tests.contract.world import World, at, budget_of

pytestmark = pytest.mark.parametrize("engine", ["ministack"], indirect=True)
NONE = {"Code": "None"}
CONFLICT = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
CONFLICTED = cancelled(NONE, NONE, NONE, CONFLICT, NONE)


@dataclass
class Sleeper:
    """A clock that only pauses move; pauses are the longest that jitter can draw."""

    pauses: list[float] = field(default_factory=list)

    def patience(self, *, deadline: float = 1.0) -> Patience:
        """Patience on this clock."""
        return Patience(deadline=deadline, timer=lambda: sum(self.pauses), sleep=self.pauses.append, jitter=lambda: 1.0)


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
def store(engine: Engine, sleeper: Sleeper) -> DynamoStore:
    """An empty store whose patience costs no time."""
    return engine.store(patience=sleeper.patience())  # type: ignore[return-value]


@pytest.fixture
def wire(engine: Engine, world: World) -> Iterator[Wire]:
    """The wire, disturbed only after the world is settled in."""
    assert engine.connection is not None
    with wire_of(engine.connection) as wire:
        yield wire


def test_a_lost_reply_is_asked_for_again_with_the_same_token(store: DynamoStore, world: World, wire: Wire) -> None:
    wire.faults = [lost_reply]
    store.commit(claim_entry(world.entry()))
    assert len({request["ClientRequestToken"] for request in wire.requests}) == 1
    assert len(wire.requests) == 2
    assert budget_of(store, world).reserved == 100


def test_a_reply_that_stays_lost_leaves_unknown_and_a_resend_is_harmless(
    store: DynamoStore, world: World, wire: Wire
) -> None:
    claim = claim_entry(world.entry())
    wire.faults = [lost_reply, lost_reply]
    with pytest.raises(StoreUnavailableError):
        store.commit(claim)
    store.commit(claim)
    budget = budget_of(store, world)
    assert (budget.reserved, budget.open_positions) == (Decimal(100), 1)


def test_the_same_claim_told_differently_is_refused_by_its_guards_not_by_its_token(
    store: DynamoStore, world: World, wire: Wire
) -> None:
    claim, later = claim_entry(world.entry()), claim_entry(world.entry(created_at=at(9)))
    assert claim.token == later.token
    store.commit(claim)
    with pytest.raises(GuardFailedError) as caught:
        store.commit(later)
    assert {"slot_empty", "intent_is_new", "is_new"} <= caught.value.names()


def test_a_conflict_is_tried_again_with_growing_pauses_and_one_token(
    store: DynamoStore, world: World, wire: Wire, sleeper: Sleeper
) -> None:
    wire.faults = [CONFLICTED, CONFLICTED, cancelled(NONE, {"Code": "ThrottlingError"}, NONE, CONFLICT, NONE)]
    store.commit(claim_entry(world.entry()))
    assert sleeper.pauses == [0.025, 0.05, 0.1]
    assert len({request["ClientRequestToken"] for request in wire.requests}) == 1
    assert budget_of(store, world).reserved == 100


def test_a_conflict_that_does_not_end_is_given_up_in_time(
    store: DynamoStore, world: World, wire: Wire, sleeper: Sleeper
) -> None:
    wire.faults = [CONFLICTED] * 50
    with pytest.raises(StoreUnavailableError, match="TransactionConflict"):
        store.commit(claim_entry(world.entry()))
    assert sum(sleeper.pauses) <= 1.0
    wire.faults = []
    assert budget_of(store, world).reserved == 0


def test_a_conflict_beside_a_failed_guard_is_not_tried_again(
    store: DynamoStore, world: World, wire: Wire, sleeper: Sleeper
) -> None:
    poor = world.budget(available=Decimal(1), deployed=Decimal(999))
    met = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": encode(poor)}
    wire.faults = [cancelled(CONFLICT, NONE, NONE, met, NONE)]
    with pytest.raises(GuardFailedError) as caught:
        store.commit(claim_entry(world.entry()))
    assert [(guard.name, guard.row) for guard in caught.value.failed] == [("available_covers", poor)]
    assert (sleeper.pauses, len(wire.requests)) == ([], 1)


def test_a_refusal_whose_row_changed_meanwhile_names_every_guard_of_its_write(
    store: DynamoStore, world: World, wire: Wire
) -> None:
    rich = world.entry(intent_id="0f" * 16)
    gate = send_gate(rich, worker="w", now=at(1))
    wire.faults = [error("ConditionalCheckFailedException", Item=encode(rich))]
    with pytest.raises(GuardFailedError) as caught:
        store.update(gate)
    assert {guard.name: guard.row for guard in caught.value.failed} == {"not_sent_yet": rich, "terms_as_claimed": rich}


def test_an_update_in_the_way_of_a_transaction_is_tried_again(
    store: DynamoStore, world: World, wire: Wire, sleeper: Sleeper
) -> None:
    wire.faults = [error("TransactionConflictException")] * 2
    stopped = store.update(switch_entries(world.budget_id, allowed=False))
    assert isinstance(stopped, Budget)
    assert (stopped.entries_allowed, sleeper.pauses) == (False, [0.025, 0.05])


def test_throttled_reads_are_tried_again(store: DynamoStore, world: World, wire: Wire, sleeper: Sleeper) -> None:
    # Botocore tries once more by itself, so two in a row reach our own patience.
    wire.faults = [error("ProvisionedThroughputExceededException")] * 2
    assert budget_of(store, world).available == 1000
    wire.faults = [error("ThrottlingException")] * 2
    assert len(store.ledger_of(world.budget_id)) == 1
    assert sleeper.pauses == [0.025, 0.025]


def test_a_store_that_cannot_be_reached_is_unavailable(store: DynamoStore, world: World, wire: Wire) -> None:
    wire.faults = [never_sent] * 2
    with pytest.raises(StoreUnavailableError, match="claim_entry must be answered"):
        store.commit(claim_entry(world.entry()))
    wire.faults = [error("InternalServerError", status=500)] * 2
    with pytest.raises(StoreUnavailableError, match="GetItem must be answered"):
        store.get(Budget, world.budget_id)
    assert budget_of(store, world).reserved == 0


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"])
def test_a_request_refused_for_good_is_a_defect(store: DynamoStore, world: World, wire: Wire, code: str) -> None:
    wire.faults = [error(code)]
    with pytest.raises(StoreRefusedError, match=code):
        store.commit(claim_entry(world.entry()))
    assert len(wire.requests) == 1


def test_a_gate_whose_reply_was_lost_shows_its_own_worker(store: DynamoStore, world: World, wire: Wire) -> None:
    """Botocore's resend meets the first write: refused, with our own name in it, for the use case to recognise."""
    intent = world.entry()
    store.commit(claim_entry(intent))
    wire.faults = [lost_reply]
    with pytest.raises(GuardFailedError) as caught:
        store.update(send_gate(intent, worker="me", now=at(2)))
    seen = caught.value.row_of(Intent)
    assert isinstance(seen, Intent)
    assert (seen.state, seen.worker) == (IntentState.SENT, "me")


def test_an_addition_whose_reply_was_lost_counts_once(store: DynamoStore, world: World, wire: Wire) -> None:
    entry = PaperEntry(account_id="paper-binance-a", entry_key="balance#USDT", free=Decimal(10))
    store.insert(entry)
    wire.faults = [lost_reply]
    enough = Guard(name="free_covers", field="free", op=Op.AT_LEAST, value=Decimal(1))
    key = Key(PaperEntry, (entry.account_id, entry.entry_key))
    paid = store.update(Update(key=key, add={"free": Decimal(-1)}, guards=(enough,)))
    assert isinstance(paid, PaperEntry)
    assert paid.free == 9


def test_rows_not_processed_are_asked_for_again(store: DynamoStore, world: World, wire: Wire, sleeper: Sleeper) -> None:
    table = store._gateway.tables["budgets"].table_name
    keys = [{"budget_id": {"S": world.budget_id}}]
    nothing_yet = answer(200, {"Responses": {table: []}, "UnprocessedKeys": {table: {"Keys": keys}}})
    wire.faults = [nothing_yet] * 3
    assert [budget.budget_id for budget in store.get_many(Budget, [(world.budget_id,)])] == [world.budget_id]
    assert sleeper.pauses == [0.025, 0.05, 0.1]
    wire.faults = [nothing_yet] * 50
    with pytest.raises(StoreUnavailableError, match="1 are still missing"):
        store.get_many(Budget, [(world.budget_id,)])


def test_pages_are_followed_to_the_end(store: DynamoStore, world: World, wire: Wire) -> None:
    table = store._gateway.tables["ledger"].table_name
    start = {"budget_id": {"S": world.budget_id}, "entry_key": {"S": "a"}}
    wire.faults = [answer(200, {"Items": [], "Count": 0, "ScannedCount": 0, "LastEvaluatedKey": start})]
    assert [entry.entry_key for entry in store.ledger_of(world.budget_id)] == ["funds#first"]
    assert [request.get("ExclusiveStartKey") for request in wire.requests] == [None, start]
    assert {request["TableName"] for request in wire.requests} == {table}
