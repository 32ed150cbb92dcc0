"""Count what the product asks of AWS: the use cases on a real DynamoDB engine, every request seen."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from surefill.adapters.dynamodb import ApiCall, SharedConnection
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Slot
from surefill.usecases.claim import claim
from surefill.usecases.dispatch import dispatch
from surefill.usecases.evaluate import Evaluator
from surefill.usecases.exits import exit_intent
from tests.contract.engines import REGION, Engine, ministack
from tests.contract.sizes import bytes_of
from tests.fakes.rows import TICK, bot, candle_rows, rules
from tests.fakes.world import World

_WRITES = frozenset({"TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"})


@dataclass
class Counts:
    """Requests, write units and read units of some steps."""

    calls: Counter[str] = field(default_factory=Counter)
    write_units: float = 0.0
    read_units: float = 0.0

    def add(self, call: ApiCall) -> None:
        """Count one request."""
        self.calls[call.operation] += 1
        if call.operation in _WRITES:
            self.write_units += call.units
        else:
            self.read_units += call.units

    @property
    def requests(self) -> int:
        """How many requests in all."""
        return self.calls.total()


@contextmanager
def counted_world() -> Iterator[tuple[World, Engine]]:
    """A world on a local DynamoDB of its own."""
    with TemporaryDirectory() as folder, ministack(Path(folder)) as endpoint:
        engine = Engine("ministack", SharedConnection(endpoint_url=endpoint, region=REGION))
        yield World(engine.store()), engine


def round_trip(world: World, engine: Engine) -> dict[str, Counts]:
    """Buy and sell once, as the functions do it in a warm environment; counts per step."""
    _warm(world)
    steps: dict[str, Counts] = {}
    intent = _entry(world)
    placer = world.placer
    placer.accounts.of(intent)

    @contextmanager
    def step(name: str) -> Iterator[None]:
        with engine.counting() as calls:
            yield
        counts = Counts()
        for call in calls:
            counts.add(call)
        steps[name] = counts

    with step("reserve"):
        assert claim(intent, store=world.store, observer=world.observer).claimed
    with step("buy and record"):
        placer.place(intent, worker="2026/01/05/[$LATEST]0123456789abcdef0123456789abcdef")
    sale = exit_intent(world.slot(), reason=Reason.TAKE_PROFIT, tick=TICK, now=world.clock.now(), rules=rules())
    with step("claim the exit"):
        assert claim(sale, store=world.store, observer=world.observer).claimed
    with step("sell and close"):
        placer.place(sale, worker="2026/01/05/[$LATEST]0123456789abcdef0123456789abcdef")
    assert world.slot().entry_intent_id is None
    return steps


def read_units(engine: Engine, table: str) -> float:
    """Units per row of one eventually consistent query that reads all of a table: half a unit per 4 KiB in all.

    By DynamoDB's published rule, from the items as they are stored; the local engine counts a query as one item.
    """
    assert engine.connection is not None
    items = _items(engine.connection, table)
    return sum(bytes_of(item) for item in items) / 4_096 / 2 / len(items)


def _items(connection: SharedConnection, table: str) -> list[dict[str, Any]]:
    tables = connection.client.list_tables()["TableNames"]  # type: ignore[attr-defined]
    (name,) = (name for name in tables if name.endswith(f"-{table}"))
    items: list[dict[str, Any]] = []
    request: dict[str, Any] = {"TableName": name}
    while True:
        answer = connection.client.scan(**request)  # type: ignore[attr-defined]
        items += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return items
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def quiet_minute(world: World, engine: Engine, *, bots: int) -> tuple[Counts, Counts, int, int]:
    """One minute of `bots` silent bots: counts of dispatch and evaluate, messages, and market-data requests."""
    crowd = [
        bot(bot_id=f"bot{index:05d}", definition_hash=f"{index * 7919:032x}", params={"rsi_period": 14})
        for index in range(bots)
    ]
    for member in crowd:
        world.store.replace(member)
    evaluator = _evaluator(world)
    world.venue.rows = candle_rows([100.0] * 300)
    _remember_silence(world, evaluator, crowd)
    world.queue.bodies.clear()
    world.venue.requests = 0
    with engine.counting() as calls:
        dispatch(tick=TICK, store=world.store, queue=world.queue, clock=world.clock, observer=world.observer)
    dispatched = _sum(calls)
    with engine.counting() as calls:
        from surefill.usecases.batches import decode

        for body in world.queue.bodies:
            evaluator.evaluate(decode(body))
    return dispatched, _sum(calls), len(world.queue.bodies), world.venue.requests


def _remember_silence(world: World, evaluator: Evaluator, crowd: list[Bot]) -> None:
    """The first decision of each bot is a change and is written; from then on silence writes nothing."""
    evaluator.evaluate(world.batch(*crowd, *([world.bot] if world.bot not in crowd else [])))


def _evaluator(world: World) -> Evaluator:
    from surefill.strategies import STRATEGIES

    return world.evaluator(STRATEGIES)


def _sum(calls: list[ApiCall]) -> Counts:
    counts = Counts()
    for call in calls:
        counts.add(call)
    return counts


def _warm(world: World) -> None:
    """The day's counters exist and the slot row is there, as for any trade but a bot's first."""
    world.store.replace(replace(world.money(), day="2026-01-05"))
    world.store.replace(
        Slot(
            market_key="binance|BTC/USDT", owner_key="live-binance-main|trend", bot_id="trend", last_reason=Reason.HOLD
        )
    )


def _entry(world: World):  # type: ignore[no-untyped-def]
    from tests.fakes.orders import entry_of

    world.venue.ask = world.venue.bid = Decimal("60100.01")
    world.store.replace(rules(quantity_step=Decimal("0.00001"), min_quantity=Decimal("0.00001")))
    return entry_of(world)
