"""Side effects as named boundaries: at each of them a process may die, wait, be refused, or never hear the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from surefill.domain.times import from_milliseconds
from surefill.ports import StoreUnavailableError
from tests.simulation.kernel import Kernel, ProcessDiedError

Result = TypeVar("Result")


class Fate(StrEnum):
    """What becomes of one side effect and of who asked for it."""

    FINE = "fine"
    BEFORE = "before"  # the process dies, nothing is done
    AFTER = "after"  # done, then the process dies
    LOST = "lost_reply"  # done, the caller hears of a failure
    RESENT = "resent"  # done, the reply is lost, the client library sends it once more
    REFUSED = "refused"  # throttled or in conflict: nothing is done, the caller hears of a failure


class Chaos(Protocol):
    """Decides what goes wrong. `name` is the boundary: "<function> <what>:<of what>"."""

    def fate(self, name: str) -> Fate:
        """The fate of a side effect."""
        ...

    def pause(self, name: str) -> float | None:
        """How long (seconds) the process stands still at this point; None: not at all."""
        ...

    def read_fails(self, name: str) -> bool:
        """Whether a read is refused."""
        ...

    def stale(self, name: str) -> bool:
        """Whether a read of an index answers from an older state."""
        ...


@dataclass(slots=True)
class Process:
    """One invocation of a function: where its side effects and its time limit are accounted."""

    kernel: Kernel
    chaos: Chaos
    function: str
    timeout_seconds: float
    started_ms: int
    skew_ms: int = 0

    def now(self) -> datetime:
        """The function's own clock, which may differ from the venue's."""
        return from_milliseconds(self.kernel.now_ms + self.skew_ms)

    def effect(
        self, what: str, detail: str, action: Callable[[], Result], *, lost: Callable[[], Exception] | None = None
    ) -> Result:
        """Do one side effect and meet its fate. `lost` makes the error of a lost reply."""
        name = f"{self.function} {what}"
        self.breathe(name)
        fate = self.chaos.fate(name)
        self.kernel.note(f"{name} {detail} {fate}")
        if fate is Fate.BEFORE:
            raise ProcessDiedError
        if fate is Fate.REFUSED:
            raise StoreUnavailableError(f"{name} was throttled")
        result = action()
        if fate is Fate.AFTER:
            raise ProcessDiedError
        if fate is Fate.LOST:
            raise lost() if lost else StoreUnavailableError(f"the reply of {name} was lost")
        if fate is Fate.RESENT:
            result = action()
        self.breathe(name)
        return result

    def read(self, what: str) -> None:
        """A read is about to happen: it may wait or be refused."""
        name = f"{self.function} {what}"
        self.breathe(name)
        if self.chaos.read_fails(name):
            raise StoreUnavailableError(f"{name} was throttled")

    def breathe(self, name: str) -> None:
        """A point where others may run; past its time limit the process is gone."""
        seconds = self.chaos.pause(name)
        if seconds is not None:
            self.kernel.pause(seconds)
        self.require_time()

    def require_time(self) -> None:
        """Lambda ends an invocation at its time limit, wherever it stands."""
        if self.kernel.now_ms - self.started_ms > self.timeout_seconds * 1_000:
            self.kernel.say(f"{self.function} ran into its time limit")
            raise ProcessDiedError


@dataclass(slots=True)
class ProcessClock:
    """The clock port of whatever process holds the environment now."""

    process: Process

    def now(self) -> datetime:
        """The process's own time."""
        return self.process.now()

    def refresh(self) -> None:
        """It is always read."""
