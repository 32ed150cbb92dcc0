"""The cloud around the functions: invocations, the queue with its redeliveries, and the executions of the workflow."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from surefill.domain.times import format_time, from_milliseconds
from tests.simulation import asl
from tests.simulation.asl import Call, Entered, Sleep, TaskFailedError
from tests.simulation.boundary import Chaos, Fate, Process
from tests.simulation.functions import TIMEOUTS, Environment, Surroundings, already_exists
from tests.simulation.kernel import Kernel, ProcessDiedError

ORDER, CLOSE_ONE = asl.load(), asl.load_of_items()
# The queue gives a message that was not finished to the next one after this time, so often, and then gives up.
_VISIBILITY_SECONDS = 60
_MAX_RECEIVES = 2
_RESOURCES = {
    "${ClaimOrderArn}": "claim_order",
    "${PlaceOrderArn}": "place_order",
    "${SettleOrderArn}": "settle_order",
    "${ClosePositionArn}": "close_position",
}
Done = Callable[[Any, str | None], None]


class CloudChaos(Chaos, Protocol):
    """What else may go wrong: with deliveries, invocations and executions."""

    def interleaved(self, function: str) -> bool:
        """Whether this invocation may be stopped in the middle while others run."""
        ...

    def skew_ms(self) -> int:
        """The functions' clock minus the venue's."""
        ...

    def deliveries(self, what: str) -> list[float]:
        """After how many seconds each delivery of one message or tick arrives; empty: never."""
        ...

    def task(self, function: str) -> str:
        """One invocation by the workflow: "fine", "twice", "not_started" or "reply_lost"."""
        ...


@dataclass(slots=True)
class Run:
    """One execution."""

    name: str
    definition: asl.Definition
    script: asl.Execution
    started_ms: int
    ended: str | None = None


class Cloud:
    """Starts functions and executions on the kernel's agenda."""

    def __init__(self, kernel: Kernel, chaos: CloudChaos, around: Surroundings) -> None:
        self.kernel = kernel
        self.chaos = chaos
        self.around = around
        self.executions: dict[str, Run] = {}
        self.invocations = 0
        self._warm: dict[str, list[Environment]] = defaultdict(list)
        self._busy: set[Environment] = set()
        self._messages = 0
        around.send_message = self.send_message
        around.start_execution = self.start_execution
        around.start_closing = self.start_closing

    # functions

    def invoke(self, function: str, event: Mapping[str, Any], done: Done | None = None) -> None:
        """Run a handler; `done` gets its result or the name of its error."""

        def work(environment: Environment) -> Any:
            assert environment.handler is not None
            return environment.handler(event, None)

        self.run(function, work, done, timeout=TIMEOUTS[function])

    def run(
        self, function: str, work: Callable[[Environment], Any], done: Done | None = None, *, timeout: float = 25
    ) -> None:
        """Run any work as a process of that function."""
        self.invocations += 1
        process = Process(
            kernel=self.kernel,
            chaos=self.chaos,
            function=function,
            timeout_seconds=timeout,
            started_ms=self.kernel.now_ms,
            skew_ms=self.chaos.skew_ms(),
        )

        def body() -> None:
            result, error = self._serve(function, process, work)
            if done is not None:
                done(result, error)

        if self.chaos.interleaved(function):
            self.kernel.start(body)
        else:
            body()

    def _serve(self, function: str, process: Process, work: Callable[[Environment], Any]) -> tuple[Any, str | None]:
        warm = self._warm[function]
        environment = warm.pop() if warm else Environment(function, process, self.around)
        environment.serve(process)
        self._busy.add(environment)
        result, error = None, None
        try:
            result = work(environment)
        except ProcessDiedError:
            error = "Lambda.Unknown"
        except Exception as problem:
            error = type(problem).__name__
            self.kernel.say(f"{function} failed: {error}: {problem}")
            self.around.ears.failed(problem)
        self._busy.discard(environment)
        if error == "Lambda.Unknown":
            environment.end()
        else:
            warm.append(environment)
        return result, error

    def redeploy(self) -> None:
        """Every process dies where it stands, and every environment with it."""
        self.kernel.note("redeploy")
        self.kernel.kill_all()
        self.end()

    def end(self) -> None:
        """Drop all idle environments."""
        for environments in self._warm.values():
            for environment in environments:
                environment.end()
            environments.clear()

    # schedules and queue

    def tick(self, schedule: str, moment_ms: int) -> None:
        """The scheduler's event of one minute, delivered as often and as late as it happens to be."""
        event = {"schedule": schedule, "scheduled_time": format_time(from_milliseconds(moment_ms))}
        for seconds in self.chaos.deliveries(schedule):
            self.kernel.after(seconds, lambda: self.invoke(schedule, event))

    def send_message(self, body: str) -> None:
        """Put a message into the evaluations queue."""
        self._messages += 1
        number = f"m{self._messages}"
        for seconds in self.chaos.deliveries("queue"):
            self.kernel.after(seconds, lambda: self._receive(number, body, received=1))

    def _receive(self, number: str, body: str, *, received: int) -> None:
        def done(result: Any, error: str | None) -> None:
            if (error or result["batchItemFailures"]) and received < _MAX_RECEIVES:
                self.kernel.after(_VISIBILITY_SECONDS, lambda: self._receive(number, body, received=received + 1))

        record = {"messageId": number, "body": body, "attributes": {"ApproximateReceiveCount": str(received)}}
        self.invoke("evaluate", {"Records": [record]}, done)

    # workflow

    def start_execution(self, name: str, text: str) -> None:
        """Start an execution, unless there was one of this name."""
        self._begin(name, ORDER, json.loads(text))

    def start_closing(self, name: str, text: str) -> None:
        """Start the execution that closes positions: each of them goes its own way."""
        for number, item in enumerate(json.loads(text)["positions"]):
            self._begin(f"{name}/{number}", CLOSE_ONE, item)

    def _begin(self, name: str, definition: asl.Definition, document: Any) -> None:
        if name in self.executions:
            raise already_exists(name)
        script = asl.execute(definition, document, draw=self.kernel.random.random)
        run = self.executions[name] = Run(name, definition, script, self.kernel.now_ms)
        self.kernel.after(0, lambda: self._advance(run))

    def _advance(self, run: Run, result: Any = None, error: str | None = None) -> None:
        try:
            wish = run.script.throw(TaskFailedError(error)) if error else run.script.send(result)
        except StopIteration as last:
            run.ended = last.value
            return
        seconds = run.definition["TimeoutSeconds"]
        if self.kernel.now_ms - run.started_ms > seconds * 1_000:
            run.ended = "TimedOut"
            return
        match wish:
            case Entered(state=state):
                self._enter(run, state)
            case Sleep(seconds=seconds):
                self.kernel.after(seconds, lambda: self._advance(run))
            case Call():
                self._task(run, wish)

    def _enter(self, run: Run, state: str) -> None:
        """A transition: the execution may be aborted there, or held up."""
        name = f"workflow enter:{state}"
        fate = self.chaos.fate(name)
        self.kernel.note(f"{name} {run.name} {fate}")
        match fate:
            case Fate.BEFORE:
                run.ended = "Aborted"
            case Fate.AFTER:
                self.kernel.after(420, lambda: self._advance(run))
            case Fate.LOST:
                self.kernel.after(40, lambda: self._advance(run))
            case _:
                self._advance(run)

    def _task(self, run: Run, call: Call) -> None:
        function = _RESOURCES[call.resource]
        manner = self.chaos.task(function)
        open_until = self.kernel.now_ms + call.timeout_seconds * 1_000
        state = {"answered": False}

        def done(result: Any, error: str | None) -> None:
            if state["answered"]:
                return
            state["answered"] = True
            if self.kernel.now_ms > open_until:
                error = "States.Timeout"
            elif manner == "reply_lost":
                error = "Lambda.SdkClientException"
            self.kernel.after(0.02, lambda: self._advance(run, result, error))

        if manner == "not_started":
            self.kernel.after(1, lambda: self._advance(run, None, "Lambda.TooManyRequestsException"))
            return
        self.invoke(function, call.payload, done)
        if manner == "twice":
            self.kernel.after(0.5, lambda: self.invoke(function, call.payload))
