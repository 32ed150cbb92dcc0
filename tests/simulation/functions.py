"""The functions as Lambda runs them: the handlers' own code on simulated parts, in environments that are kept warm.

A handler is taken from its module as it is; only its composition root (`build`) and its sources of randomness and
logging are others. So the mapping between events, use cases and answers is the product's own.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ReadTimeoutError

from infra.catalogue import FUNCTIONS
from surefill.adapters.aws.queue import SqsQueue
from surefill.adapters.aws.workflow import CloseAllWorkflow, OrderWorkflow
from surefill.domain.reasons import Reason
from surefill.ports import StoreUnavailableError
from surefill.usecases.control.close import Closer
from surefill.usecases.control.directory import Directory
from surefill.usecases.control.stop import KillSwitch
from surefill.usecases.directory import AccountDirectory
from surefill.usecases.evaluate import Evaluator
from surefill.usecases.place import Placer
from surefill.usecases.reconcile import Reconciler
from surefill.usecases.settle import Settler
from surefill.usecases.sync_account import AccountSync
from surefill.usecases.watch_exits import ExitWatch
from tests.simulation.boundary import Process, ProcessClock
from tests.simulation.store import FaultyStore, Tables
from tests.simulation.venue import Kit, Wire, give_back, lend

if TYPE_CHECKING:
    from surefill.strategies.base import Strategy

# Seconds after which Lambda ends an invocation.
TIMEOUTS: Mapping[str, int] = {spec.name: spec.timeout for spec in FUNCTIONS}
STAGE = "sim"
_CLOSE_ALL = "close_all"
# No fault of the world around explains these; the rest (a store or a venue that is away) is weather.
_OWN = tuple(error.__name__ for error in (AssertionError, AttributeError, KeyError, NameError, TypeError, ValueError))
Handler = Callable[[Mapping[str, Any], object], Any]


@dataclass(slots=True)
class Ears:
    """The observer port: counts what is told. `defects` are errors that are the product's own, whatever was done."""

    heard: Counter[str] = field(default_factory=Counter)
    say: Callable[[str], None] | None = None
    defects: list[str] = field(default_factory=list)

    def event(self, reason: Reason, **fields: object) -> None:
        """Count it."""
        self.heard[reason] += 1
        if reason is Reason.INTERNAL_ERROR and str(fields.get("error", "")).startswith(_OWN):
            self.defects.append(str(fields["error"]))
        if self.say is not None:
            self.say(f"  {reason} {fields}")

    def failed(self, problem: Exception) -> None:
        """An invocation ended with an error."""
        if type(problem).__name__ in _OWN:
            self.defects.append(f"{type(problem).__name__}: {problem}")

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        """Count it."""
        self.heard[f"metric {name}"] += 1


@dataclass(slots=True)
class Surroundings:
    """What all environments of a run share."""

    tables: Tables
    wire: Wire
    ears: Ears
    strategies: Mapping[str, type[Strategy]]
    send_message: Callable[[str], None]
    start_execution: Callable[[str, str], None]
    start_closing: Callable[[str, str], None]
    draw_worker: Callable[[], str]


class Environment:
    """One warm execution environment of one function; serves one invocation at a time."""

    def __init__(self, function: str, process: Process, around: Surroundings) -> None:
        self.function = function
        self.process = process
        self._around = around
        self.store = FaultyStore(around.tables, process)
        self.clock = ProcessClock(process)
        self.kit: Kit = lend()
        self.queue = SqsQueue(sqs=_Sqs(self), url="queue")
        self.workflow = OrderWorkflow(step_functions=_StepFunctions(self), arn="order")
        self.closing = CloseAllWorkflow(step_functions=_StepFunctions(self), arn=_CLOSE_ALL)
        self.handler = self._handler() if function in _BUILDS else None

    def serve(self, process: Process) -> None:
        """Take over for the next invocation."""
        self.process = self.store.process = self.clock.process = process
        self.kit.process, self.kit.store, self.kit.wire = process, self.store, self._around.wire

    def end(self) -> None:
        """The environment is gone, with everything it remembered."""
        give_back(self.kit)

    @property
    def around(self) -> Surroundings:
        """What it shares with others."""
        return self._around

    def _handler(self) -> Handler:
        module = importlib.import_module(f"functions.{self.function}.handler")
        plain: Any = inspect.unwrap(module.handler)
        made = _BUILDS[self.function](self)
        names = {
            **plain.__globals__,
            "build": lambda: made,
            "logger": SimpleNamespace(exception=lambda text: None),
            "uuid4": lambda: SimpleNamespace(hex=self._around.draw_worker()),
        }
        return FunctionType(plain.__code__, names, plain.__name__)


class _Sqs:
    """The part of the SQS client the product uses."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, str]]) -> Any:  # noqa: N803
        """One boundary per call."""

        def send() -> None:
            for entry in Entries:
                self._environment.around.send_message(entry["MessageBody"])

        _call(self._environment.process, "queue.send", f"{len(Entries)}", send)
        return {"Failed": []}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Sequence[str]) -> Any:  # noqa: N803
        """Messages are handed out as soon as they may be: none ever waits."""
        return {"Attributes": dict.fromkeys(AttributeNames, "0")}


class _StepFunctions:
    """The part of the Step Functions client the product uses."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: N803
        """One boundary per call; the second one of a name is refused."""
        around = self._environment.around
        if stateMachineArn == _CLOSE_ALL:
            start, what = around.start_closing, "close_all"
        else:
            start, what = around.start_execution, json.loads(input)["intent"]["leg"].lower()
        _call(self._environment.process, f"workflow.start:{what}", name, lambda: start(name, input))


def _call(process: Process, what: str, detail: str, action: Callable[[], None]) -> None:
    """An AWS call: what the store calls unavailable, botocore calls by other names."""
    try:
        process.effect(what, detail, action, lost=lambda: ReadTimeoutError(endpoint_url="https://aws"))
    except StoreUnavailableError:
        throttled = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
        raise ClientError(throttled, what) from None  # type: ignore[arg-type]


def already_exists(name: str) -> ClientError:
    """What Step Functions answers to a name it knows."""
    answer: Any = {"Error": {"Code": "ExecutionAlreadyExists", "Message": name}}
    return ClientError(answer, "StartExecution")


def _base(one: Environment) -> Any:
    settings = SimpleNamespace(stage=STAGE, venues={"binance": None})
    return SimpleNamespace(store=one.store, clock=one.clock, observer=one.around.ears, settings=settings)


def settler(one: Environment) -> Settler:
    """Settles as this environment's process."""
    return Settler(
        store=one.store,
        accounts=AccountDirectory(one.store),
        venues=one.kit.venues,
        clock=one.clock,
        observer=one.around.ears,
    )


def kill_switch(one: Environment) -> KillSwitch:
    """Presses and lifts as this environment's process, one row after the other."""
    return KillSwitch(
        store=one.store,
        directory=Directory(store=one.store, venues=["binance"]),
        workflow=one.closing,
        clock=one.clock,
        observer=one.around.ears,
        name=one.around.draw_worker,
        at_once=1,
    )


def _closer(one: Environment) -> Closer:
    return Closer(store=one.store, workflow=one.workflow, clock=one.clock, observer=one.around.ears)


def _placer(one: Environment) -> Placer:
    return Placer(
        store=one.store,
        accounts=AccountDirectory(one.store),
        venues=one.kit.venues,
        clock=one.clock,
        observer=one.around.ears,
    )


def _evaluator(one: Environment) -> Evaluator:
    return Evaluator(
        store=one.store,
        venues=one.kit.venues,
        workflow=one.workflow,
        clock=one.clock,
        observer=one.around.ears,
        stage=STAGE,
        strategies=one.around.strategies,
    )


def _watch(one: Environment) -> ExitWatch:
    return ExitWatch(
        store=one.store, venues=one.kit.venues, workflow=one.workflow, clock=one.clock, observer=one.around.ears
    )


def _reconciler(one: Environment) -> Reconciler:
    return Reconciler(store=one.store, settler=settler(one), clock=one.clock, observer=one.around.ears)


def _sync(one: Environment) -> AccountSync:
    return AccountSync(store=one.store, venues=one.kit.venues, clock=one.clock, observer=one.around.ears)


# What each handler's own `build` returns, made of simulated parts.
_BUILDS: Mapping[str, Callable[[Environment], Any]] = {
    "dispatch": lambda one: SimpleNamespace(base=_base(one), queue=one.queue),
    "evaluate": lambda one: (_evaluator(one), one.clock),
    "claim_order": _base,
    "place_order": lambda one: (_placer(one), one.clock),
    "settle_order": lambda one: (settler(one), one.clock),
    "watch_exits": lambda one: (_watch(one), one.clock),
    "reconcile": lambda one: (_reconciler(one), one.clock),
    "sync_account": lambda one: (_sync(one), one.clock),
    "close_position": lambda one: (_closer(one), one.clock),
    "refresh_markets": lambda one: (_base(one), one.kit.venues),
}
