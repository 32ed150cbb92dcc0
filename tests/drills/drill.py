"""What a drill is: a row of the incident table, what its operator saw, and the function that makes it happen again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of a drill: minutes from the cause to its name in `why` (None: it can't happen), and what it said."""

    ticks: int | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One row. `run` raises AssertionError when money, event or `why` are not as they must be."""

    code: str
    saw: str
    run: Callable[[], Found]


class Attempts:
    """Ways to make the impossible happen: each is tried, and what it made is looked for."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def attempt(self, how: str, *, happened: bool) -> None:
        """One way that was tried; raises when it worked."""
        assert not happened, f"it happened: {how}"
        self.made.append(how)

    def refused(self, how: str, attempt: Callable[[], object], *errors: type[Exception]) -> str:
        """One way that must be refused; returns what was said."""
        try:
            attempt()
        except errors as error:
            self.made.append(how)
            return str(error)
        raise AssertionError(f"it must be refused: {how}")

    def found(self) -> Found:
        """The end of the drill."""
        return impossible(self.made)


def impossible(ways: Sequence[str]) -> Found:
    """It did not happen, in at least three ways."""
    assert len(ways) >= 3, f"at least three ways must be tried, were {len(ways)}"
    return Found(ticks=None, said=f"can't happen: {', '.join(ways)}")
