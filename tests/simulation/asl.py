"""Executes an Amazon States Language definition, the subset the workflows use; anything else is refused.

Nothing is copied from the product: the definition is read from its own file. An execution is a generator of what it
waits for, so the caller decides when time passes, which task answers what, and what else happens in between.

Source: Amazon States Language specification (https://states-language.net), "Task", "Choice", "Errors", "Retriers".
"""

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Definition = Mapping[str, Any]
_WORKFLOWS = Path(__file__).parents[2] / "infra" / "workflows"
ORDER_WORKFLOW, CLOSE_ALL_WORKFLOW = _WORKFLOWS / "order.asl.json", _WORKFLOWS / "close_all.asl.json"
_COMMON = {"Comment", "Type", "Next", "End"}
_FIELDS = {
    "Task": {"Resource", "TimeoutSeconds", "ResultPath", "Retry", "Catch", "Parameters"},
    "Pass": {"Parameters"},
    "Choice": {"Choices", "Default"},
    "Wait": {"SecondsPath", "Seconds"},
    "Succeed": set(),
    "Fail": {"Error", "Cause"},
}
_RETRIER = {"ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxAttempts", "MaxDelaySeconds", "JitterStrategy"}
_MAP = {"ItemsPath", "MaxConcurrency", "ItemProcessor"}


class UnsupportedDefinitionError(ValueError):
    """The definition uses something this interpreter does not know: it must be taught, never ignored."""


class TaskFailedError(Exception):
    """A task ended with an error of this name."""

    def __init__(self, name: str, cause: str = "") -> None:
        self.name = name
        self.cause = cause
        super().__init__(f"{name}: {cause}")


@dataclass(frozen=True, slots=True)
class Entered:
    """The execution made a transition into this state."""

    state: str


@dataclass(frozen=True, slots=True)
class Call:
    """The execution waits for a task; the caller sends its result or throws TaskFailedError."""

    state: str
    resource: str
    payload: Any
    timeout_seconds: int


@dataclass(frozen=True, slots=True)
class Sleep:
    """The execution waits that long."""

    seconds: float


Wish = Entered | Call | Sleep
Execution = Generator[Wish, Any, str]


def load(path: Path = ORDER_WORKFLOW) -> Definition:
    """Read and check a definition."""
    definition = _read(path)
    _check(definition["States"])
    return definition


def load_of_items(path: Path = CLOSE_ALL_WORKFLOW) -> Definition:
    """Read and check a definition that is one Map; what it does with each item, within the time of the whole."""
    definition = _read(path)
    state = definition["States"][definition["StartAt"]]
    if state["Type"] != "Map" or set(state) - _COMMON - _MAP or not state.get("End"):
        raise UnsupportedDefinitionError(f"definition must be one Map, begins with {sorted(state)}")
    inner = state["ItemProcessor"]
    _check(inner["States"])
    return {"StartAt": inner["StartAt"], "States": inner["States"], "TimeoutSeconds": definition["TimeoutSeconds"]}


def _read(path: Path) -> Definition:
    definition: Definition = json.loads(path.read_text())
    unknown = set(definition) - {"Comment", "QueryLanguage", "StartAt", "TimeoutSeconds", "States"}
    if unknown or definition.get("QueryLanguage") != "JSONPath":
        raise UnsupportedDefinitionError(f"definition must be JSONPath without {sorted(unknown)}")
    return definition


def _check(states: Mapping[str, Any]) -> None:
    for name, state in states.items():
        allowed = _FIELDS.get(state["Type"])
        if allowed is None or set(state) - _COMMON - allowed:
            raise UnsupportedDefinitionError(f"state {name} has {sorted(set(state) - _COMMON - (allowed or set()))}")
        for retrier in state.get("Retry", ()):
            if set(retrier) - _RETRIER or retrier.get("JitterStrategy", "FULL") != "FULL":
                raise UnsupportedDefinitionError(f"state {name} retries with {retrier}")


def execute(definition: Definition, document: Any, *, draw: Callable[[], float]) -> Execution:
    """Run from the start; `draw` gives the jitter of retries in [0, 1). Returns the name of the last state."""
    name = definition["StartAt"]
    while True:
        state = definition["States"][name]
        yield Entered(name)
        match state["Type"]:
            case "Succeed" | "Fail":
                return name
            case "Pass":
                document = _parameters(state.get("Parameters", document), document)
                if state.get("End"):
                    return name
            case "Wait":
                yield Sleep(_at(document, state["SecondsPath"]) if "SecondsPath" in state else state["Seconds"])
            case "Choice":
                name = _choose(state, document)
                continue
            case _:
                document, following = yield from _task(name, state, document, draw)
                if following is None:
                    return name
                name = following
                continue
        name = state["Next"]


def _task(
    name: str, state: Mapping[str, Any], document: Any, draw: Callable[[], float]
) -> Generator[Wish, Any, tuple[Any, str | None]]:
    """Run a task with its retriers and catchers; the new document and the next state (None: it was the last one)."""
    payload = _parameters(state["Parameters"], document) if "Parameters" in state else document
    retried = [0] * len(state.get("Retry", ()))
    while True:
        try:
            result = yield Call(name, state["Resource"], payload, state["TimeoutSeconds"])
        except TaskFailedError as error:
            pause = _retry(state, error, retried, draw)
            if pause is not None:
                yield Sleep(pause)
                continue
            for catcher in state.get("Catch", ()):
                if _matches(catcher, error):
                    told = {"Error": error.name, "Cause": error.cause}
                    return _put(document, catcher.get("ResultPath", "$"), told), catcher["Next"]
            return document, None
        result = json.loads(json.dumps(result))
        return _put(document, state.get("ResultPath", "$"), result), None if state.get("End") else state["Next"]


def _retry(
    state: Mapping[str, Any], error: TaskFailedError, retried: list[int], draw: Callable[[], float]
) -> float | None:
    for number, retrier in enumerate(state.get("Retry", ())):
        if _matches(retrier, error):
            if retried[number] >= retrier.get("MaxAttempts", 3):
                return None
            pause = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retried[number]
            pause = min(pause, retrier.get("MaxDelaySeconds", pause))
            retried[number] += 1
            return float(pause * draw() if "JitterStrategy" in retrier else pause)
    return None


def _matches(rule: Mapping[str, Any], error: TaskFailedError) -> bool:
    names = rule["ErrorEquals"]
    return (
        error.name in names or "States.ALL" in names or ("States.TaskFailed" in names and error.name[:7] != "States.")
    )


def _choose(state: Mapping[str, Any], document: Any) -> str:
    for rule in state["Choices"]:
        if _holds(rule, document):
            return str(rule["Next"])
    return str(state["Default"])


def _holds(rule: Mapping[str, Any], document: Any) -> bool:
    if "And" in rule:
        return all(_holds(part, document) for part in rule["And"])
    if "Or" in rule:
        return any(_holds(part, document) for part in rule["Or"])
    value = _at(document, rule["Variable"])
    if "StringEquals" in rule:
        return isinstance(value, str) and value == rule["StringEquals"]
    if "NumericLessThan" in rule:
        return isinstance(value, int | float) and value < rule["NumericLessThan"]
    raise UnsupportedDefinitionError(f"choice must be And, Or, StringEquals or NumericLessThan, was {sorted(rule)}")


def _parameters(template: Any, document: Any) -> Any:
    if isinstance(template, Mapping):
        return {
            key.removesuffix(".$"): _at(document, value) if key.endswith(".$") else _parameters(value, document)
            for key, value in template.items()
        }
    return template


def _at(document: Any, path: str) -> Any:
    for part in _parts(path):
        document = document[part]
    return document


def _put(document: Any, path: str, value: Any) -> Any:
    """The document with the value at a reference path; missing objects on the way are made."""
    if path == "$":
        return value
    *way, last = _parts(path)
    changed = dict(document)
    place = changed
    for part in way:
        place[part] = dict(place.get(part, {}))
        place = place[part]
    place[last] = value
    return changed


def _parts(path: str) -> list[str]:
    if path == "$":
        return []
    if not path.startswith("$.") or any(mark in path for mark in "[]*?@"):
        raise UnsupportedDefinitionError(f"path must be plain ($.a.b), was {path!r}")
    return path[2:].split(".")
