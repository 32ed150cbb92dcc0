"""One virtual clock, one queue of what happens next, and fibers: functions that can be stopped at any side effect.

Exactly one thing runs at a time. A fiber is a greenlet, because Python can't suspend a plain function; control is
handed over explicitly, so a run is the same every time. Equal times are ordered by a seeded draw.
"""

import heapq
from collections.abc import Callable
from decimal import Context, setcontext
from hashlib import blake2b
from random import Random

from greenlet import getcurrent, greenlet

from local.exchange.clock import ExchangeClock


class ProcessDiedError(BaseException):
    """The process is gone at this very point: crash, time limit or redeployment. Nothing may catch it."""


def fresh_arithmetic() -> None:
    """A default decimal context for this fiber: ccxt changes the rounding of the one that imports it, for good."""
    setcontext(Context())


class Fiber:
    """One invocation that can be paused. `doomed` makes it die where it stands when it is next resumed."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._stack = greenlet(self._run)
        self._resumed_by: greenlet | None = None
        self.finished = False
        self.doomed = False

    def resume(self) -> None:
        """Run until the next pause or the end; what the work raises is raised here."""
        self._resumed_by = getcurrent()
        self._stack.parent = self._resumed_by
        self._stack.switch()

    def pause(self) -> None:
        """Called by the work itself: hand control back until resumed."""
        assert self._resumed_by is not None
        self._resumed_by.switch()

    def _run(self) -> None:
        fresh_arithmetic()
        try:
            self._work()
        finally:
            self.finished = True


class Kernel:
    """The clock, the agenda and the trace of one run."""

    def __init__(self, *, seed: int | str, start_ms: int, tell: Callable[[str], None] | None = None) -> None:
        fresh_arithmetic()
        self.random = Random(seed)
        self.clock = ExchangeClock.manual(start_ms)
        self.began_ms = start_ms
        self.steps = 0
        self._agenda: list[tuple[int, float, int, Callable[[], None]]] = []
        self._made = 0
        self._trace = blake2b(digest_size=16)
        self._tell = tell
        self.current: Fiber | None = None
        self.fibers: dict[Fiber, None] = {}

    @property
    def now_ms(self) -> int:
        """Virtual time of the exchange, milliseconds since 1970."""
        return self.clock.now_ms()

    def at(self, moment_ms: int, action: Callable[[], None]) -> None:
        """Do something at a moment; what is due at the same moment comes in a random order."""
        self._made += 1
        heapq.heappush(self._agenda, (moment_ms, self.random.random(), self._made, action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something later."""
        self.at(self.now_ms + round(seconds * 1_000), action)

    def run_until(self, moment_ms: int) -> None:
        """Do everything due until then, and stand at that moment."""
        while self._agenda and self._agenda[0][0] <= moment_ms:
            due_ms, _, _, action = heapq.heappop(self._agenda)
            if due_ms > self.now_ms:
                self.clock.set(due_ms)
            action()
        if moment_ms > self.now_ms:
            self.clock.set(moment_ms)

    def forget(self) -> None:
        """Drop the agenda."""
        self._agenda.clear()

    def start(self, work: Callable[[], None]) -> None:
        """Run work that may pause."""
        fiber = Fiber(work)
        self.fibers[fiber] = None
        self._resume(fiber)

    def pause(self, seconds: float) -> None:
        """Let everything else happen for that long, when the one who asks can wait; dies there when doomed."""
        fiber = self.current
        if fiber is None:
            return
        self.after(seconds, lambda: self._resume(fiber))
        fiber.pause()
        if fiber.doomed:
            raise ProcessDiedError

    def kill_all(self) -> None:
        """All paused work dies where it stands, now."""
        for fiber in list(self.fibers):
            fiber.doomed = True
            self._resume(fiber)

    def note(self, text: str) -> None:
        """Count a step and make it part of the trace."""
        self.steps += 1
        self.say(text)

    def say(self, text: str) -> None:
        """Make it part of the trace."""
        line = f"{self.now_ms} {text}"
        self._trace.update(line.encode())
        if self._tell is not None:
            self._tell(line)

    def trace_hash(self) -> str:
        """Hash of everything that happened; equal for equal runs."""
        return self._trace.hexdigest()

    def _resume(self, fiber: Fiber) -> None:
        if fiber.finished:
            return
        outer, self.current = self.current, fiber
        try:
            fiber.resume()
        finally:
            self.current = outer
            if fiber.finished:
                self.fibers.pop(fiber, None)
