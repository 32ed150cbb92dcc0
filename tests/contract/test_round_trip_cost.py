"""What one trade costs at DynamoDB: requests, write units, and the size of each row."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from surefill.adapters.dynamodb import ApiCall
from surefill.adapters.dynamodb.codec import encode
from surefill.adapters.memory import MemoryStore
from surefill.domain.reasons import Reason
from surefill.domain.rows import Fill, Intent
from surefill.domain.states import IntentState
from surefill.ports import Store
from surefill.protocol.entry import claim_entry, record_entry
from surefill.protocol.exit import claim_exit, record_exit
from surefill.protocol.order import send_gate
from tests.contract.engines import Engine
from tests.contract.sizes import bytes_of
from tests.contract.world import World, at, fill, result_of, slot_of

WRITES = frozenset({"TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"})
UNIT = 1_024  # bytes of an item that one write unit pays for


@pytest.mark.parametrize("engine", ["ministack"], indirect=True)
def test_a_round_trip_takes_eight_requests_and_forty_write_units(engine: Engine, store: Store, world: World) -> None:
    buy, steps = world.entry(), {}

    def step(name: str, act: Callable[[], object]) -> None:
        with engine.counting() as calls:
            act()
        steps[name] = calls

    def read(intent: Intent) -> None:
        assert store.get(Intent, intent.intent_id) is not None

    step("claim", lambda: store.commit(claim_entry(buy)))
    step("gate", lambda: store.update(send_gate(buy, worker=WORKER, now=at(2))))
    step("read", lambda: read(buy))
    bought = result_of(buy, fill(1, quantity="0.0016", price="60100.01", fee="0.0000016"))
    step(
        "record",
        lambda: store.commit(
            record_entry(buy, result=bought, take_profit=Decimal("61001.51"), stop_loss=Decimal("59499.01"), now=at(4))
        ),
    )
    slot = slot_of(store, buy)
    sale = world.exit(slot)
    step("claim exit", lambda: store.commit(claim_exit(sale)))
    step("gate exit", lambda: store.update(send_gate(sale, worker=WORKER, now=at(62))))
    step("read exit", lambda: read(sale))
    sold = result_of(sale, fill(2, quantity="0.0015984", price="61000", fee="0.0975024", fee_asset="USDT"))
    closing = record_exit(sale, slot=slot_of(store, sale), result=sold, sellable=True, now=at(64))
    step("record exit", lambda: store.commit(closing))

    units = {name: written(calls) for name, calls in steps.items()}
    print({**units, "calls": sum(map(len, steps.values())), "write units": sum(units.values())})
    assert sum(map(len, steps.values())) <= 8
    assert 0 < sum(units.values()) <= 40


def written(calls: list[ApiCall]) -> float:
    """Write units of some requests."""
    return sum(call.units for call in calls if call.operation in WRITES)


WORKER = "2026/11/20/[$LATEST]0123456789abcdef0123456789abcdef"


def grown(intent: Intent, *fills: Fill) -> Intent:
    """An intent with every field it can have."""
    return replace(
        intent,
        account_id="live-binance-mainaccount",
        bot_id="0f" * 16,
        budget_id="0f" * 16,
        state=IntentState.FILLED,
        entry_intent_id="0f" * 16,
        next_check_at=None,
        work_key=None,
        sent_at=at(2.345),
        worker=WORKER,
        venue_order_id="28457346512",
        absent_since=at(33.456),
        finished_at=at(64.567),
        outcome=Reason.PARTIALLY_FILLED,
        filled_quantity=Decimal("0.00159984"),
        filled_cost=Decimal("96.15040038"),
        fills=fills,
    )


def test_an_intent_of_several_fills_is_written_for_one_unit() -> None:
    one = Fill(
        trade_id="4072112345",
        quantity=Decimal("0.00159984"),
        price=Decimal("60100.01"),
        cost=Decimal("96.1504003984"),
        fee=Decimal("0.00000159"),
        fee_asset="USDT",
    )
    sizes = [bytes_of(encode(grown(World().entry(), *[one] * count))) for count in range(6)]
    print({"intent with 0.. fills": sizes})
    assert sizes[1] < UNIT


def test_the_other_rows_of_a_trade_are_written_for_one_unit() -> None:
    store, world, much = MemoryStore(), World(), Decimal("12345678.12345678")
    world.settle_in(store)
    intent = world.entry()
    store.commit(claim_entry(intent))
    budget = replace(
        world.budget(max_open_positions=5, max_trades_per_day=100, max_daily_loss=Decimal("100.5")),
        funded=much,
        available=much,
        reserved=much,
        deployed=much,
        realised=much,
    )
    ledger = max(store.ledger_of(world.budget_id), key=lambda entry: bytes_of(encode(entry)))
    sizes = {type(row).__name__: bytes_of(encode(row)) for row in (budget, ledger, slot_of(store, intent), world.bot())}
    print(sizes)
    assert max(sizes.values()) < UNIT
