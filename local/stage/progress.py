"""What a long start is doing, step by step, with the time each step took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Progress(Protocol):
    """Told about each step; a terminal shows a spinner, everything else plain lines."""

    def begin(self, step: str) -> None:
        """A step starts."""
        ...

    def detail(self, text: str) -> None:
        """News from within the step."""
        ...

    def end(self, step: str, *, seconds: float) -> None:
        """The step is done."""
        ...

    def say(self, sentence: str) -> None:
        """Something worth reading later too."""
        ...


class Silent:
    """Says nothing."""

    def begin(self, step: str) -> None:
        """Nothing."""

    def detail(self, text: str) -> None:
        """Nothing."""

    def end(self, step: str, *, seconds: float) -> None:
        """Nothing."""

    def say(self, sentence: str) -> None:
        """Nothing."""


@contextmanager
def step(progress: Progress, name: str) -> Iterator[None]:
    """One step; its end is told only when it succeeded."""
    started = time.monotonic()
    progress.begin(name)
    yield
    progress.end(name, seconds=time.monotonic() - started)
