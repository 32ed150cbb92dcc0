"""Run the races against a local AWS of their own, and say what they showed."""

import argparse
import json
import tempfile
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from local.invariants import check_all
from local.rows import Rows, read_rows
from surefill.adapters.dynamodb import TABLES, DynamoStore, SharedConnection
from surefill.adapters.dynamodb.schema import table_request
from surefill.domain.kinds import Mode
from surefill.domain.rows import Account
from tests.contract.engines import REGION, ministack
from tests.fakes.venue import FakeVenue
from tests.races.crowd import Crowd, Task, as_client_of_nobody, crowd
from tests.races.orders import finish
from tests.races.workload import ACCOUNT, COUNTS, Answer, Figures, Plan, Seen, Workload
from tests.races.workloads import WORKLOADS

REPORT = Path(__file__).resolve().parents[2] / "build" / "races.json"
# Rounds per set of tables: the rows are read once per batch.
_BATCH = 50
CONTROL_ROUNDS = 4


@dataclass(slots=True)
class Result:
    """One workload: what it came to, and what its control showed."""

    name: str
    shows: str
    figures: Figures = field(default_factory=Figures)
    control: Figures | None = None
    seconds: float = 0.0

    def control_caught(self) -> bool:
        """Whether the race without its protection went wrong in the way it should."""
        return self.control is None or getattr(self.control, self.shows) > 0


class Races:
    """A crowd at an engine. `seed` names every round, and decides the faults of the stormy ones."""

    def __init__(self, crowd: Crowd, *, endpoint: str, seed: str) -> None:
        self._crowd = crowd
        self._connection = SharedConnection(endpoint_url=endpoint, region=REGION)
        self._seed = seed

    def run(self, name: str, *, rounds: int, control: bool = False) -> Figures:
        """Race one workload: calm and stormy rounds in turn (a control: calm ones only)."""
        workload, figures = WORKLOADS[name], Figures()
        for start in range(0, rounds, _BATCH):
            numbers = range(start, min(start + _BATCH, rounds))
            mark = f"{self._seed}{'control' if control else ''}".replace("|", "")
            plans = tuple(
                Plan(name=f"{mark}-{workload.name.replace(' ', '_')}-{number}", number=number, stormy=stormy)
                for number in numbers
                # Not every second round: workloads turn their own variants with the number.
                for stormy in [not control and number // 3 % 2 == 1]
            )
            self._batch(workload, plans, figures, control=control)
        return figures

    def _batch(self, workload: Workload, plans: tuple[Plan, ...], figures: Figures, *, control: bool) -> None:
        prefix = f"races-{uuid.uuid4().hex[:8]}-"
        client: Any = self._connection.client
        for schema in TABLES.values():
            client.create_table(**table_request(schema, table_prefix=prefix))
        store = DynamoStore(table_prefix=prefix, connection=self._connection)
        store.insert(
            Account(account_id=ACCOUNT, venue="binance", mode=Mode.LIVE, currency="USDT", secret_name="not read")
        )
        for plan in plans:
            workload.prepare(store, plan)
        task = Task(workload=workload.name, plans=plans, table_prefix=prefix, seed=self._seed, control=control)
        answers = self._crowd.play(task)
        if workload.settles and not control:
            _finish(store, answers)
        _judge(workload, plans, answers, read_rows(store), figures)
        for schema in TABLES.values():
            client.delete_table(TableName=table_request(schema, table_prefix=prefix)["TableName"])


def _finish(store: DynamoStore, answers: Sequence[Sequence[Answer]]) -> None:
    """Orders that a storm left unfinished are settled, as `reconcile` does every minute."""
    venue = FakeVenue()
    for answer in (one for by_client in answers for one in by_client):
        venue.orders.update(answer.orders)
    finish(list(read_rows(store).intents), store, venue=venue)


def _judge(
    workload: Workload, plans: Sequence[Plan], answers: Sequence[Sequence[Answer]], rows: Rows, figures: Figures
) -> None:
    posts: Counter[str] = Counter()
    for seen in _seen(plans, answers, rows):
        figures.rounds += 1
        figures.stormy += seen.plan.stormy
        figures.attempts += len(seen.answers)
        posts += seen.posts()
        for number, answer in enumerate(seen.answers):
            figures.reads += answer.reads
            figures.faults += answer.faults
            if answer.error:
                figures.wrong(f"{seen.plan.name}: client {number}: {answer.error}")
        workload.judge(seen, figures)
    for violation in check_all(_with_posts(rows, posts)):
        figures.wrong(str(violation))


def _with_posts(rows: Rows, posts: Counter[str]) -> Rows:
    return Rows(
        accounts=rows.accounts, budgets=rows.budgets, bots=rows.bots, slots=rows.slots, intents=rows.intents,
        ledger=rows.ledger, exchange={"order_posts": dict(posts)},
    )  # fmt: skip


def _seen(plans: Sequence[Plan], answers: Sequence[Sequence[Answer]], rows: Rows) -> Iterator[Seen]:
    budgets = {budget.budget_id: budget for budget in rows.budgets}
    intents, slots, ledger = defaultdict(list), defaultdict(list), defaultdict(list)
    for intent in rows.intents:
        intents[intent.bot_id].append(intent)
    for slot in rows.slots:
        slots[slot.bot_id].append(slot)
    for entry in rows.ledger:
        ledger[entry.budget_id].append(entry)
    for plan, by_client in zip(plans, answers, strict=True):
        bot_id, budget_id = plan.world.bot_id, plan.world.budget_id
        yield Seen(
            plan=plan,
            world=plan.world,
            answers=by_client,
            budget=budgets[budget_id],
            intents=intents[bot_id],
            slots=slots[bot_id],
            ledger=ledger[budget_id],
        )


@contextmanager
def races(*, clients: int, processes: int = 8, seed: str) -> Iterator[Races]:
    """An engine and a crowd, for as long as the races last."""
    as_client_of_nobody()
    with (
        tempfile.TemporaryDirectory(prefix="surefill-races-") as folder,
        ministack(Path(folder)) as endpoint,
        crowd(endpoint=endpoint, clients=clients, processes=processes) as people,
    ):
        yield Races(people, endpoint=endpoint, seed=seed)


def summary(results: Sequence[Result], *, clients: int, rounds: int, seed: str, seconds: float) -> dict[str, object]:
    """The figures of a run, as `build/races.json` keeps them."""
    return {
        "race_rounds": rounds,
        "race_rounds_total": sum(result.figures.rounds for result in results),
        "race_attempts": sum(result.figures.attempts for result in results),
        "clients": clients,
        **{name: sum(getattr(result.figures, name) for result in results) for name in COUNTS},
        "race_wrongs": sum(result.figures.wrongs for result in results),
        "race_faults": sum(result.figures.faults.total() for result in results),
        "controls_total": sum(result.control is not None for result in results),
        "controls_caught": sum(result.control is not None and result.control_caught() for result in results),
        "seed": seed,
        "seconds": round(seconds, 1),
        "workloads": [
            {
                "name": result.name,
                "seconds": round(result.seconds, 1),
                **_plain(result.figures),
                "control": _plain(result.control) if result.control else None,
            }
            for result in results
        ],
    }


def _plain(figures: Figures) -> dict[str, object]:
    return {**{part.name: getattr(figures, part.name) for part in fields(figures)}, "faults": dict(figures.faults)}


def table(results: Sequence[Result], *, seconds: float) -> Table:
    """The results for people."""
    made = Table(title=f"Races, {seconds:.0f} s")
    made.add_column("workload")
    for name in ("rounds", "attempts", "faults", *(name.replace("_", " ") for name in COUNTS), "wrong", "s"):
        made.add_column(name, justify="right")
    made.add_column("without its guard")
    for one in results:
        figures, control = one.figures, one.control
        numbers = (figures.rounds, figures.attempts, figures.faults.total(), *(getattr(figures, n) for n in COUNTS))
        shown = "" if control is None else f"{getattr(control, one.shows)} {one.shows.replace('_', ' ')}"
        made.add_row(one.name, *(f"{n:,}" for n in (*numbers, figures.wrongs)), f"{one.seconds:.0f}", shown)
    return made


def run_all(
    *, clients: int, rounds: int, processes: int, seed: str, only: Sequence[str], console: Console
) -> list[Result]:
    """All workloads with their controls."""
    results = []
    with races(clients=clients, processes=processes, seed=seed) as raced:
        for name in only or WORKLOADS:
            began = perf_counter()
            result = Result(name, WORKLOADS[name].shows)
            result.figures = raced.run(name, rounds=rounds)
            result.control = raced.run(name, rounds=CONTROL_ROUNDS, control=True)
            result.seconds = perf_counter() - began
            results.append(result)
            console.print(f"  {name}: {result.figures.rounds} rounds, {result.figures.wrongs} wrong, "
                          f"{result.seconds:.0f} s", highlight=False)  # fmt: skip
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; exit code 1 when anything was wrong, or a control was not caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.races", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="rounds per workload, half of them with faults")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seed", default="1", help="decides the faults; processes still race freely")
    parser.add_argument("--only", action="append", default=[], choices=sorted(WORKLOADS))
    asked = parser.parse_args(arguments)
    console, began = Console(width=170), perf_counter()
    results = run_all(
        clients=asked.clients, rounds=asked.rounds, processes=asked.processes, seed=asked.seed, only=asked.only,
        console=console,
    )  # fmt: skip
    seconds = perf_counter() - began
    console.print(table(results, seconds=seconds))
    for result in results:
        for story in result.figures.stories:
            console.print(f"{result.name}: {story}", markup=False, highlight=False)
        if not result.control_caught():
            console.print(f"{result.name}: without its protection it must show {result.shows}, it did not")
    REPORT.parent.mkdir(exist_ok=True)
    told = summary(results, clients=asked.clients, rounds=asked.rounds, seed=asked.seed, seconds=seconds)
    REPORT.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return int(any(not result.figures.clean() or not result.control_caught() for result in results))
