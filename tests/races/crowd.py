"""Clients in processes of their own: every client is a thread with a botocore client, a store and a weather of its own.

The processes live as long as the crowd. A barrier lets all clients of all processes start a round together.
"""

import multiprocessing
import os
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import local
from typing import Any

from surefill.adapters.dynamodb import DynamoStore, SharedConnection
from tests.contract.engines import REGION
from tests.races.guards import Piecewise, Unguarded
from tests.races.storm import Storm, shorten_pauses
from tests.races.workload import Answer, Plan, Turn, Workload
from tests.races.workloads import WORKLOADS

# Longer than the slowest round: a client that meets only lost replies waits a few seconds.
_ROUND_SECONDS = 120
_LOOK_SECONDS = 1.0
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}
_UNSET = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_PROFILE", "AWS_SESSION_TOKEN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Rounds of one workload on the tables of a prefix; in a control its protection is out."""

    workload: str
    plans: tuple[Plan, ...]
    table_prefix: str
    seed: str
    control: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One process of the crowd: which clients it holds, where the engine is."""

    endpoint: str
    first: int
    threads: int
    clients: int


def as_client_of_nobody() -> None:
    """Credentials that no account knows, and no endpoint but the one that is given."""
    os.environ.update(_CREDENTIALS)
    for name in _UNSET:
        os.environ.pop(name, None)


class Client:
    """What a thread keeps between rounds."""

    def __init__(self, endpoint: str) -> None:
        self.connection = SharedConnection(endpoint_url=endpoint, region=REGION)
        self.storm = Storm(self.connection)
        self._stores: dict[str, DynamoStore] = {}

    def store(self, workload: Workload, task: Task) -> Any:
        """A store for the task, without its protection in a control."""
        if task.table_prefix not in self._stores:
            self._stores = {task.table_prefix: DynamoStore(table_prefix=task.table_prefix, connection=self.connection)}
        store = self._stores[task.table_prefix]
        if not task.control:
            return store
        return Piecewise(store) if workload.piecewise else Unguarded(store, dropped=workload.dropped)


def serve(pipe: Connection, barrier: Any, place: Place) -> None:
    """The life of one process: take tasks until None comes."""
    as_client_of_nobody()
    shorten_pauses()
    threads = local()

    def run(number: int, task: Task) -> list[Answer]:
        if not hasattr(threads, "client"):
            threads.client = Client(place.endpoint)
        return [_round(threads.client, number, task, plan, barrier=barrier, place=place) for plan in task.plans]

    with ThreadPoolExecutor(place.threads) as pool:
        while (task := pipe.recv()) is not None:
            numbers = range(place.first, place.first + place.threads)
            # A thread that is not done with its rounds waits at the barrier, so each client has a thread of its own.
            pipe.send(list(pool.map(run, numbers, [task] * place.threads)))


def _round(client: Client, number: int, task: Task, plan: Plan, *, barrier: Any, place: Place) -> Answer:
    workload = WORKLOADS[task.workload]
    turn = Turn(
        client=number,
        clients=place.clients,
        store=client.store(workload, task),
        connection=client.connection,
        table_prefix=task.table_prefix,
        plan=plan,
        world=plan.world,
        control=task.control,
    )
    act = None
    try:
        act = workload.ready(turn)
    except Exception:
        turn.answer.error = traceback.format_exc(limit=-4)
    barrier.wait(_ROUND_SECONDS)
    if plan.stormy:
        client.storm.fired = Counter()
        client.storm.begin(f"{task.seed} {task.workload} {plan.number} {number}")
    try:
        if act is not None:
            act()
    except Exception:
        turn.answer.error = traceback.format_exc(limit=-4)
    finally:
        client.storm.end()
    if plan.stormy:
        turn.answer.faults += client.storm.fired
    return turn.answer


class Crowd:
    """All processes; `play` lets them run the rounds of a task."""

    def __init__(self, processes: Sequence[BaseProcess], pipes: Sequence[Connection], clients: int) -> None:
        self._processes = processes
        self._pipes = pipes
        self.clients = clients

    def play(self, task: Task) -> list[list[Answer]]:
        """Run a task; the answers by round, then by client. RuntimeError when a process of the crowd has ended."""
        for pipe in self._pipes:
            pipe.send(task)
        answers: list[list[Answer]] = []
        for pipe in self._pipes:
            # A process that ends takes the barrier's lock with it at worst: the others would wait for ever.
            while not pipe.poll(_LOOK_SECONDS):
                self._require_all(task)
            answers += pipe.recv()
        return [list(by_client) for by_client in zip(*answers, strict=True)]

    def _require_all(self, task: Task) -> None:
        for process in self._processes:
            if process.exitcode is not None:
                raise RuntimeError(f"{process.name} ended in the middle of {task.workload!r} ({process.exitcode})")


@contextmanager
def crowd(*, endpoint: str, clients: int, processes: int) -> Iterator[Crowd]:
    """Start the processes and end them."""
    if clients % processes:
        raise ValueError(f"clients must divide evenly among processes, were {clients} among {processes}")
    context = multiprocessing.get_context("spawn")
    barrier, threads = context.Barrier(clients), clients // processes
    running: list[BaseProcess] = []
    pipes: list[Connection] = []
    for number in range(processes):
        ours, theirs = context.Pipe()
        place = Place(endpoint=endpoint, first=number * threads, threads=threads, clients=clients)
        process: BaseProcess = context.Process(target=serve, args=(theirs, barrier, place), daemon=True)
        process.start()
        theirs.close()
        running.append(process)
        pipes.append(ours)
    try:
        yield Crowd(running, pipes, clients)
        for pipe in pipes:
            pipe.send(None)
        for process in running:
            process.join(timeout=10)
    finally:
        for process in running:
            if process.is_alive():
                process.terminate()
