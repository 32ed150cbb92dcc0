"""Run the drills, show the table and write build/drills.json."""

import argparse
import json
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.drills.drill import Drill
from tests.drills.table import DRILLS

BUILD = Path(__file__).resolve().parents[2] / "build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a drill ended: minutes to detection (None: it can't happen), and what `why` said or what went wrong."""

    drill: Drill
    passed: bool
    ticks: int | None
    said: str
    seconds: float

    @property
    def row(self) -> dict[str, Any]:
        """As written to build/drills.json."""
        return {
            "id": self.drill.code,
            "saw": self.drill.saw,
            "passed": self.passed,
            "ticks_to_detection": self.ticks,
            "said": self.said,
            "seconds": round(self.seconds, 2),
        }


def run_drill(drill: Drill) -> Result:
    """One drill; what it raises is its failure."""
    began = perf_counter()
    try:
        found = drill.run()
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[1]
        text = f"{type(error).__name__} in {where.name} line {where.lineno}: {error}"
        return Result(drill=drill, passed=False, ticks=None, said=text, seconds=perf_counter() - began)
    return Result(drill=drill, passed=True, ticks=found.ticks, said=found.said, seconds=perf_counter() - began)


def table_of(results: Sequence[Result]) -> Table:
    """The rows in the order of the incident table."""
    passed = sum(result.passed for result in results)
    made = Table(title=f"Drills: {passed}/{len(results)}")
    for name in ("id", "what the operator saw", "ticks", "what `why` says", ""):
        made.add_column(name, justify="right" if name == "ticks" else "left")
    for result in results:
        ticks = "-" if result.ticks is None else str(result.ticks)
        mark = "ok" if result.passed else "FAILED"
        made.add_row(result.drill.code, result.drill.saw, ticks, result.said[:300], mark)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; exit code 1 when a drill fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description=__doc__)
    parser.add_argument("--only", default="", help="some drills only, with commas: N01,N17")
    asked = parser.parse_args(arguments)
    wanted = {name.strip().upper() for name in asked.only.split(",") if name.strip()}
    unknown = sorted(wanted - {drill.code for drill in DRILLS})
    if unknown:
        parser.error(f"--only must name drills from N01 to N{len(DRILLS)}, was {', '.join(unknown)}")
    results = [run_drill(drill) for drill in DRILLS if not wanted or drill.code in wanted]
    passed = sum(result.passed for result in results)
    Console(width=160).print(table_of(results), markup=False)
    BUILD.mkdir(exist_ok=True)
    # Only a whole run is the result; a part of it must not look like one.
    target = BUILD / ("drills.json" if not wanted else "drills-part.json")
    told = {"total": len(results), "passed": passed, "rows": [result.row for result in results]}
    target.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return int(passed != len(results))
