"""All single crashes and all pairs: each boundary of a flow in each mode, then each one that follows in each mode.

A run is deterministic up to its first planned crash, so the n-th boundary is the same one in every run of a prefix. The
second crash of a pair is taken from the boundaries the run with the first one met afterwards: recovery is crashed too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING

from tests.simulation.boundary import Fate
from tests.simulation.crash.flows import FLOWS, Ended, Flow, run_flow
from tests.simulation.crash.listed import LISTED
from tests.simulation.crash.plan import MODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Crash = tuple[int, Fate]
Task = tuple[str, Crash]


@dataclass(slots=True)
class Coverage:
    """What was run of one flow, and what went wrong."""

    flow: str
    boundaries: int = 0
    singles: int = 0
    singles_listed: int = 0
    pairs: int = 0
    pairs_listed: int = 0
    minutes: Counter[int] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)

    def add(self, crashes: Iterable[Crash], ended: Ended) -> None:
        """Take in one run."""
        self.seen.update(ended.met)
        self.minutes[ended.minutes] += 1
        self.ends[ended.state] += 1
        where = " and ".join(f"{mode} #{number} {ended.met[number]}" for number, mode in crashes) or "undisturbed"
        self.violations += [f"{self.flow}: {where}: {text}" for text in ended.violations]
        unknown = sorted(set(ended.met) - LISTED)
        self.violations += [f"{self.flow}: boundary {name!r} is not listed" for name in unknown]

    def join(self, other: Coverage) -> None:
        """Take in what another process ran."""
        self.singles += other.singles
        self.pairs += other.pairs
        self.pairs_listed += other.pairs_listed
        self.minutes += other.minutes
        self.ends += other.ends
        self.seen |= other.seen
        self.violations += other.violations


def cover(*, pairs: bool, processes: int = 2, flows: Iterable[Flow] = FLOWS) -> list[Coverage]:
    """Run the matrix of the flows."""
    found = []
    for flow in flows:
        undisturbed = run_flow(flow, {})
        coverage = Coverage(flow.name, boundaries=len(undisturbed.met))
        coverage.add((), undisturbed)
        singles = list(singles_of(undisturbed))
        coverage.singles_listed = len(singles)
        tasks = [(flow.name, crash, pairs) for crash in singles]
        if processes > 1:
            with get_context("fork").Pool(processes) as pool:
                for part in pool.imap_unordered(_one_single, tasks, chunksize=2):
                    coverage.join(part)
        else:
            for task in tasks:
                coverage.join(_one_single(task))
        found.append(coverage)
    return found


def singles_of(ended: Ended, *, after: int = -1) -> Iterator[Crash]:
    """Every boundary of a run after a given one, in every mode."""
    for number in range(after + 1, len(ended.met)):
        for mode in MODES:
            yield number, mode


def _one_single(task: tuple[str, Crash, bool]) -> Coverage:
    """One single crash and, if wanted, all pairs that begin with it."""
    name, first, pairs = task
    flow = _flow(name)
    coverage = Coverage(name)
    ended = run_flow(flow, dict([first]))
    coverage.add([first], ended)
    coverage.singles = 1
    if pairs:
        for second in singles_of(ended, after=first[0]):
            coverage.pairs_listed += 1
            coverage.add([first, second], run_flow(flow, dict([first, second])))
            coverage.pairs += 1
    return coverage


def _flow(name: str) -> Flow:
    return next(flow for flow in FLOWS if flow.name == name)
