"""The named protections of the money core, how each is taken out, and the model that must miss it.

The product carries no switches: a guard is left out by the model's tables, a step is replaced by a patched copy. Where
one protection is covered by others (`backed_by`), both are shown: alone nothing happens, together a law is broken.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.model.checker import ModelResult, Violation, check
from tests.model.scenario import Scenario
from tests.model.stages import Stages

LIMIT = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One attribute of the product (or of a scripted port) that is something else for the time of a check."""

    owner: Any
    name: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """One protection. `why` says what it prevents.

    `law` narrows the check to one law, where others break first. `without` is the model to use when it is taken out,
    for a protection that lies in what the processes are given.
    """

    name: str
    why: str
    scenario: Callable[[], Scenario]
    guards: tuple[str, ...] = ()
    patches: tuple[Patch, ...] = ()
    stages: Stages = field(default_factory=Stages)
    backed_by: "tuple[Protection, ...]" = ()
    law: str = ""
    without: Callable[[], Scenario] | None = None


@contextmanager
def patched(patches: tuple[Patch, ...]) -> Iterator[None]:
    """The product with some attributes replaced."""
    with ExitStack() as stack:
        for patch in patches:
            stack.callback(setattr, patch.owner, patch.name, getattr(patch.owner, patch.name))
            setattr(patch.owner, patch.name, patch.value)
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What taking a protection out showed. The last two only where others stand behind it."""

    protection: Protection
    whole: ModelResult
    alone: ModelResult
    backing: ModelResult | None = None
    together: ModelResult | None = None

    @property
    def caught(self) -> bool:
        """Nothing is found with it; without it a law is broken, at the latest when what covers it is gone too."""
        if self.whole.violation is not None:
            return False
        if self.together is None or self.backing is None:
            return self.alone.violation is not None
        return self.alone.violation is self.backing.violation is None and self.together.violation is not None

    @property
    def shortfall(self) -> str:
        """Why it is not caught, with the story that shows it."""
        if self.whole.violation is not None:
            return f"with everything in place: {self.whole.violation}"
        if self.backing is not None and self.backing.violation is not None:
            return f"with only what covers it taken out, it must hold alone: {self.backing.violation}"
        if self.together is not None and self.alone.violation is not None:
            return f"is missed although others are said to cover it: {self.alone.violation}"
        return "taken out, nothing is found"

    @property
    def violation(self) -> Violation | None:
        """The counterexample."""
        return (self.together or self.alone).violation


def find(protection: Protection) -> Finding:
    """Take a protection out."""
    whole = check(protection.scenario(), limit=LIMIT, only=protection.law)
    alone = _without(protection, protection)
    if not protection.backed_by:
        return Finding(protection=protection, whole=whole, alone=alone)
    return Finding(
        protection=protection,
        whole=whole,
        alone=alone,
        backing=_without(protection, *protection.backed_by),
        together=_without(protection, protection, *protection.backed_by),
    )


def _without(protection: Protection, *out: Protection) -> ModelResult:
    guards = frozenset(guard for one in out for guard in one.guards)
    replaced = {name: stage for one in out for name, stage in one.stages.replaced.items()}
    retries = any(one.stages.after_crash_of_place == "place" for one in out)
    stages = Stages(after_crash_of_place="place" if retries else "settle", replaced=replaced)
    scenario = (protection.without or protection.scenario)()
    with patched(tuple(patch for one in out for patch in one.patches)):
        return check(scenario, stages=stages, without=guards, limit=LIMIT, only=protection.law)
