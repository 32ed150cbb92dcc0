"""How long a store tries again: full jitter, inside a deadline, and never longer than the caller can wait."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Pauses between attempts are drawn between 0 and a ceiling that doubles (full jitter), all in seconds.

    No new attempt starts later than `deadline` after the first; an attempt itself is bounded by the connection's
    timeouts.
    """

    deadline: float = 4.0
    first_pause: float = 0.025
    longest_pause: float = 0.8
    timer: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def attempts(self) -> Iterator[int]:
        """Yield 1, 2, 3 and so on, pausing in between, until the next attempt would start after the deadline."""
        started, attempt, ceiling = self.timer(), 1, self.first_pause
        while True:
            yield attempt
            pause = self.jitter() * ceiling
            if self.timer() - started + pause > self.deadline:
                return
            self.sleep(pause)
            attempt, ceiling = attempt + 1, min(ceiling * 2, self.longest_pause)
