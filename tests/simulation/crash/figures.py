"""The coverage of the crash matrix: shown as a table, written for the proof's report."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.simulation.crash.listed import LISTED
from tests.simulation.crash.matrix import Coverage, cover
from tests.simulation.report import BUILD


def percent(done: int, listed: int) -> float:
    """Of what is listed; 0 when nothing is."""
    return round(100 * done / listed, 2) if listed else 0.0


def figures(covered: Sequence[Coverage]) -> Mapping[str, Any]:
    """As written to build/crash.json. `minutes_until_rest` counts runs by minutes from the first boundary to rest."""
    minutes: Counter[int] = sum((one.minutes for one in covered), Counter())
    return {
        "crash_single_pct": percent(sum(one.singles for one in covered), sum(one.singles_listed for one in covered)),
        "crash_pair_pct": percent(sum(one.pairs for one in covered), sum(one.pairs_listed for one in covered)),
        "crash_singles": sum(one.singles for one in covered),
        "crash_pairs": sum(one.pairs for one in covered),
        "crash_violations": sum(len(one.violations) for one in covered),
        "boundaries_listed": len(LISTED),
        "boundaries_met": len(set().union(*(one.seen for one in covered))),
        "minutes_until_rest": {str(key): minutes[key] for key in sorted(minutes)},
        "flows": {one.flow: {"boundaries": one.boundaries, "ends": dict(sorted(one.ends.items()))} for one in covered},
    }


def cover_and_write(*, pairs: bool, processes: int = 2) -> list[Coverage]:
    """Run the matrix and write build/crash.json."""
    covered = cover(pairs=pairs, processes=processes)
    BUILD.mkdir(exist_ok=True)
    (BUILD / "crash.json").write_text(json.dumps(figures(covered), indent=2) + "\n")
    return covered


def show(covered: Sequence[Coverage], console: Console) -> None:
    """One row per flow."""
    table = Table("flow", "boundaries", "singles", "pairs", "ends", "worst minutes", "violations", title="Crash matrix")
    for one in covered:
        ends = ", ".join(f"{state} {count}" for state, count in sorted(one.ends.items()))
        table.add_row(
            one.flow,
            str(one.boundaries),
            f"{one.singles} of {one.singles_listed}",
            f"{one.pairs} of {one.pairs_listed}",
            ends,
            str(max(one.minutes)),
            str(len(one.violations)),
        )
    console.print(table)
    for text in [text for one in covered for text in one.violations][:20]:
        console.print(text, markup=False)
