"""From the JSON files of the steps to the figures of the proof."""

import hashlib
import json
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build"
CORE = "layers/core/python/surefill"
# The money core: every line and branch of it is covered, and mutated.
MONEY = (
    *(f"{CORE}/{name}" for name in ("protocol/*.py",)),
    *(f"{CORE}/domain/{name}.py" for name in ("money", "fills", "states", "market", "exits", "identity")),
    *(f"{CORE}/usecases/{name}.py" for name in ("claim", "place", "settle", "book")),
)
MONEY_TESTS = ("tests/unit/usecases", "tests/unit/domain", "tests/unit/mutants")
Figures = dict[str, Any]


class MissingFigureError(Exception):
    """A step left no report, or a report without a figure that the proof needs."""


def read_report(name: str) -> Mapping[str, Any]:
    """A report of the build folder."""
    path = BUILD / name
    if not path.is_file():
        raise MissingFigureError(f"build/{name} must be written by its step, is missing")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise MissingFigureError(f"build/{name} must be JSON, was not: {error}") from None
    if not isinstance(found, dict):
        raise MissingFigureError(f"build/{name} must hold figures by name, was {type(found).__name__}")
    return found


def picking(report: str, names: Mapping[str, str]) -> Callable[[], Figures]:
    """A reader of figures under the proof's names (proof's name -> name in the report)."""

    def read() -> Figures:
        found = read_report(report)
        missing = sorted(set(names.values()) - found.keys())
        if missing:
            raise MissingFigureError(f"build/{report} must hold {', '.join(missing)}, holds {', '.join(sorted(found))}")
        return {ours: found[theirs] for ours, theirs in names.items()}

    return read


def same(report: str, *names: str, **renamed: str) -> Callable[[], Figures]:
    """`picking` for figures most of which keep their names."""
    return picking(report, {**{name: name for name in names}, **renamed})


def coverage_figures() -> Figures:
    """Lines and branches of the money core in per cent, and the lines that are missing."""
    files = {
        path: told
        for path, told in read_report("coverage.json")["files"].items()
        if any(fnmatch(path, pattern) for pattern in MONEY)
    }
    if not files:
        raise MissingFigureError("build/coverage.json must hold the files of the money core, holds none of them")
    sums = {
        name: sum(told["summary"][name] for told in files.values())
        for name in ("num_statements", "covered_lines", "num_branches", "covered_branches")
    }
    missing = [f"{path}:{line}" for path, told in sorted(files.items()) for line in told["missing_lines"]]
    missing += [f"{path}:{a}->{b}" for path, told in sorted(files.items()) for a, b in told["missing_branches"]]
    return {
        "coverage_line_pct": percent(sums["covered_lines"], sums["num_statements"]),
        "coverage_branch_pct": percent(sums["covered_branches"], sums["num_branches"]),
        "coverage_missing": missing,
    }


def percent(part: int, whole: int) -> float:
    """In per cent, rounded down to two places: 100 only when nothing is missing."""
    return 100.0 if part == whole else part * 10_000 // whole / 100


def fingerprint() -> str:
    """Changes with any byte of the money core and of the tests that kill its mutants."""
    digest = hashlib.sha256()
    patterns = (*MONEY, *(f"{folder}/**/*.py" for folder in MONEY_TESTS))
    for path in sorted(one for pattern in patterns for one in REPOSITORY.glob(pattern)):
        digest.update(path.relative_to(REPOSITORY).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def mutation_figures() -> Figures:
    """The mutation score of these very files: a score of others proves nothing about them."""
    found = read_report("mutation.json")
    for name in ("mutation_score", "mutants", "of"):
        if name not in found:
            raise MissingFigureError(f"build/mutation.json must hold {name}, holds {', '.join(sorted(found))}")
    if found["of"] != fingerprint():
        raise MissingFigureError(
            "build/mutation.json must be of the money core and its tests as they are, they have changed since:"
            " run `python -m tests.proof.mutation`"
        )
    return {"mutation_score": found["mutation_score"], "mutants": found["mutants"]}
