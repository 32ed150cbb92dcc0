"""Mutate the money core and count the mutants its tests notice: `python -m tests.proof.mutation [--mutmut PATH]`.

mutmut wants the package at the root of a project, so the package and its tests are copied to build/mutation first.
Takes minutes; the score counts for the proof as long as no byte of the money core or of its tests changes.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from rich.console import Console

from tests.proof.figures import (
    BUILD,
    CORE,
    MONEY,
    MONEY_TESTS,
    REPOSITORY,
    MissingFigureError,
    fingerprint,
    mutation_figures,
)

REPORT = BUILD / "mutation.json"
FOLDER = BUILD / "mutation"
_CAUGHT = ("killed", "timeout", "segfault")
_PROJECT = """
[tool.mutmut]
source_paths = ["surefill"]
only_mutate = {only}
also_copy = ["local"]
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false

[tool.pytest.ini_options]
pythonpath = ["."]
addopts = "--import-mode=importlib -q -p no:cacheprovider"
markers = ["system: not run here", "slow: not run here"]
"""


def lay_out(folder: Path) -> None:
    """A project of the package, its tests and what they import."""
    shutil.rmtree(folder, ignore_errors=True)
    without = shutil.ignore_patterns("__pycache__")
    for source, target in ((CORE, "surefill"), ("local", "local"), ("tests", "tests")):
        shutil.copytree(REPOSITORY / source, folder / target, ignore=without)
    only = [pattern.removeprefix(CORE.removesuffix("surefill")) for pattern in MONEY]
    text = _PROJECT.format(only=json.dumps(only), tests=json.dumps(MONEY_TESTS))
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")


def score(stats: dict[str, int]) -> float:
    """Per cent of the mutants that some test noticed, rounded down to two places."""
    caught = sum(stats[name] for name in _CAUGHT)
    return caught * 10_000 // stats["total"] / 100 if stats["total"] else 0.0


def measure(mutmut: str, *, children: int) -> dict[str, int]:
    """Run mutmut; its own summary. SystemExit with what it said when it could not run."""
    environment = {**os.environ, "PYTHONPATH": str(FOLDER)}
    for arguments in (("run", "--max-children", str(children)), ("export-cicd-stats",)):
        log = FOLDER / f"{arguments[0]}.log"
        with log.open("w", encoding="utf-8") as told:
            subprocess.run([mutmut, *arguments], cwd=FOLDER, env=environment, stdout=told, stderr=told, check=False)
    found = FOLDER / "mutants" / "mutmut-cicd-stats.json"
    if not found.is_file():
        raise SystemExit(f"mutmut must leave its summary, did not; see {FOLDER / 'run.log'}")
    stats: dict[str, int] = json.loads(found.read_text(encoding="utf-8"))
    return stats


def _is_measured() -> bool:
    try:
        mutation_figures()
    except MissingFigureError:
        return False
    return True


def main(arguments: list[str] | None = None) -> int:
    """Command line; exit code 1 when the score is below 95."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.mutation", description=__doc__)
    parser.add_argument("--mutmut", default=shutil.which("mutmut"), help="the mutmut to run, 3.8 or newer")
    parser.add_argument("--children", type=int, default=2)
    parser.add_argument("--if-changed", action="store_true", help="keep a score that is of these very files")
    asked = parser.parse_args(arguments)
    if asked.if_changed and _is_measured():
        return 0
    if not asked.mutmut:
        parser.error("mutmut must be on PATH or be given by --mutmut, is neither: uv pip install mutmut==3.8.1")
    began, of = perf_counter(), fingerprint()
    lay_out(FOLDER)
    stats = measure(asked.mutmut, children=asked.children)
    figures = {
        "mutation_score": score(stats),
        "mutants": stats["total"],
        "of": of,
        **{name: count for name, count in stats.items() if name != "total"},
        "seconds": round(perf_counter() - began, 1),
    }
    REPORT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    Console(soft_wrap=True).print(f"{stats['total']:,} mutants, {figures['mutation_score']} % noticed", highlight=False)
    return int(score(stats) < 95)


if __name__ == "__main__":
    sys.exit(main())
