"""Races on the numbers of a budget: nothing lost, nothing counted twice, nothing seen half done."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from surefill.adapters.dynamodb import decode
from surefill.domain.money import add
from surefill.domain.reasons import Reason
from surefill.domain.rows import Budget, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.ports import Store, StoreUnavailableError
from surefill.protocol import funds
from surefill.protocol.entry import claim_entry
from surefill.protocol.parts import budget_key, slot_key_of
from surefill.protocol.transaction import GuardFailedError, Update
from surefill.usecases.book import Book
from tests.contract.world import at
from tests.fakes.ports import FakeClock, ListObserver
from tests.races.claims import PRICE, entry_of
from tests.races.workload import Figures, Plan, Seen, Turn, Workload, missed

_FUNDED, _TAKEN = Decimal("3.01"), Decimal("1.01")
_READS, _WRITES = 8, 2


class Funds(Workload):
    """Everybody funds or withdraws, twice with the same request id: counted once each, none lost."""

    name = "funds and withdrawals"
    shows = "lost_updates"

    def ready(self, turn: Turn) -> Callable[[], None]:
        """A change of the client's own, and a double click on it. The control reads, computes and writes back."""
        change = funds.withdraw if turn.client % 2 else funds.fund
        amount = _TAKEN if turn.client % 2 else _FUNDED
        budget_id = turn.world.budget_id

        def once() -> None:
            try:
                turn.store.commit(change(budget_id, amount=amount, request_id=f"c{turn.client}", now=at(turn.client)))
            except GuardFailedError as error:
                if error.names() != {"is_new"}:
                    raise

        def careless() -> None:
            budget = turn.store.get(Budget, budget_id)
            moved = amount if change is funds.fund else -amount
            sums = {"available": add(budget.available, moved), "funded": add(budget.funded, moved)}
            turn.store.update(Update(key=budget_key(budget_id), set=sums))

        def act() -> None:
            for _ in range(1 if turn.control else 2):
                if not turn.insist(careless if turn.control else once):
                    turn.answer.error = "the store never answered"
            turn.answer.done += 1

        return act

    def judge(self, seen: Seen, figures: Figures) -> None:
        """Every change counts once."""
        clients = len(seen.answers)
        taking = clients // 2
        expected = 1000 + _FUNDED * (clients - taking) - _TAKEN * taking
        missed(
            seen,
            figures,
            (
                ("funded", seen.budget.funded, expected),
                ("available", seen.budget.available, expected),
                ("ledger entries", len(seen.ledger), clients + 1),
            ),
        )


class TornReads(Workload):
    """Writers claim and release slots of one budget while a quarter of the clients read: every read adds up."""

    name = "reads among writes"
    piecewise = True
    shows = "torn_reads"

    def prepare(self, store: Store, plan: Plan) -> None:
        """Money for everybody."""
        plan.world.settle_in(store, available=Decimal(100_000), funded=Decimal(100_000))

    def ready(self, turn: Turn) -> Callable[[], None]:
        """Every fourth client reads."""
        return (lambda: self._read(turn)) if turn.client % 4 == 0 else (lambda: self._write(turn))

    def _write(self, turn: Turn) -> None:
        book = Book(store=turn.store, clock=FakeClock(at(0)), observer=ListObserver())
        for number in range(_WRITES):
            intent = entry_of(turn.world, number, symbol=_symbol(turn.client))
            book = replace(book, clock=FakeClock(intent.created_at))

            def claim_one(intent: Any = intent) -> None:
                try:
                    turn.store.commit(claim_entry(intent))
                except GuardFailedError as error:
                    if "intent_is_new" not in error.names():
                        raise

            def void_one(intent: Any = intent, book: Book = book) -> None:
                book.void(intent, outcome=Reason.NEVER_SENT, from_states=(IntentState.RESERVED,))

            if not (turn.insist(claim_one) and turn.insist(void_one)):
                turn.answer.error = "the store never answered"

    def _read(self, turn: Turn) -> None:
        slots = [slot_key_of(entry_of(turn.world, 0, symbol=_symbol(one))).values for one in range(turn.clients)]
        keys = [values for one, values in enumerate(slots) if one % 4]
        for _ in range(_READS):
            try:
                budget, opening = _look(turn, keys)
            except StoreUnavailableError:
                continue
            turn.answer.reads += 1
            held, owed = add(budget.available, budget.reserved, budget.deployed), add(budget.funded, budget.realised)
            if held != owed:
                turn.answer.torn.append(f"a budget of {owed} shows {held}")
            if opening is not None and budget.reserved != PRICE * opening:
                turn.answer.torn.append(f"{opening} slots are opening, {budget.reserved} is reserved")

    def judge(self, seen: Seen, figures: Figures) -> None:
        """Nothing torn, and in the end nothing left."""
        for answer in seen.answers:
            figures.torn_reads += len(answer.torn)
            for story in answer.torn[:1]:
                figures.wrong(f"{seen.plan.name}: {story}")
        writers = sum(number % 4 != 0 for number in range(len(seen.answers)))
        missed(
            seen,
            figures,
            (
                ("available", seen.budget.available, seen.budget.funded),
                ("releases", seen.booked("release"), writers * _WRITES),
            ),
        )


def _symbol(client: int) -> str:
    return f"S{client}/USDT"


def _look(turn: Turn, keys: list[tuple[str, ...]]) -> tuple[Budget, int | None]:
    """The budget alone as the product reads it, or (odd clients of four) with all slots in one transactional read."""
    if turn.client % 8 == 0:
        budget = turn.store.get(Budget, turn.world.budget_id)
        assert budget is not None
        return budget, None
    wanted = [{"Get": {"TableName": f"{turn.table_prefix}budgets", "Key": {"budget_id": {"S": turn.world.budget_id}}}}]
    wanted += [
        {"Get": {"TableName": f"{turn.table_prefix}slots", "Key": {"market_key": {"S": one}, "owner_key": {"S": two}}}}
        for one, two in keys
    ]
    try:
        found = turn.connection.client.transact_get_items(TransactItems=wanted)["Responses"]
    except (ClientError, BotoCoreError) as error:
        raise StoreUnavailableError(str(error)) from error
    slots = [decode(Slot, one["Item"]) for one in found[1:] if one.get("Item")]
    return decode(Budget, found[0]["Item"]), sum(slot.state is SlotState.OPENING for slot in slots)
