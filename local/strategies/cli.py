"""`surefill strategy`: new, check, list, show."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(
    help="Strategies: list and show them, begin your own, check one before it trades.", no_args_is_help=True
)
_UNUSABLE = 2
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_Folder = Annotated[Path | None, typer.Option(help="Folder with strategies of your own.")]


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the strategy: small letters, digits and underscores.")],
    folder: Annotated[Path, typer.Option(help="Where the file goes.")] = Path(),
) -> None:
    """Begin a strategy of your own: one file that works and passes the check."""
    from local.strategies.template import write_new

    def run() -> int:
        path = write_new(name, folder=folder)
        typer.echo(f"{path} written; check it with: surefill strategy check {path}")
        return 0

    _exit_with(run)


@app.command()
def check(
    target: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A known strategy, or a Python file.")],
    params: Annotated[str, typer.Option(help="Parameters as a JSON object (default: their defaults).")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the generated market.")] = 1,
    folder: _Folder = None,
    json_: _Json = False,
) -> None:
    """Test a strategy: parameters, signals, look-ahead, warm-up, determinism, screen. Exit code 1 when one fails."""
    from dataclasses import asdict

    from local.strategies.checks import check as run_checks
    from local.strategies.targets import parsed_params, strategy_of

    def run() -> int:
        kind = strategy_of(target, folder=folder)
        results = run_checks(kind, parsed_params(params), target=target, seed=seed, folder=folder)
        passed = all(result.passed for result in results)
        if json_:
            _print_json({"strategy": kind.name, "seed": seed, "passed": passed, "tests": [asdict(r) for r in results]})
        else:
            for result in results:
                where = f" [candle {result.candle}, {result.at}]" if result.candle is not None else ""
                typer.echo(f"{result.test:12} {'ok' if result.passed else 'FAILED: ' + result.text + where}")
        return 0 if passed else 1

    _exit_with(run)


@app.command("list")
def list_(folder: _Folder = None, json_: _Json = False) -> None:
    """All strategies, and the files that could not be loaded."""
    from dataclasses import asdict

    from local.strategies.pages import summary_of
    from surefill.strategies.loading import Catalogue

    def run() -> int:
        catalogue = Catalogue(folder)
        rows = [
            {
                "name": name,
                "timeframe": kind.default_timeframe,
                "interval_seconds": kind.default_interval_seconds,
                "source": catalogue.source(name),
                "summary": summary_of(kind),
            }
            for name, kind in sorted(catalogue.items())
        ]
        if json_:
            _print_json({"strategies": rows, "problems": [asdict(problem) for problem in catalogue.problems]})
            return 0
        for row in rows:
            typer.echo(f"{row['name']:18} {row['timeframe']:>4} {row['interval_seconds']:>7} s  {row['summary']}")
        for problem in catalogue.problems:
            typer.echo(f"not loaded: {problem.source}: {problem.error}", err=True)
        return 0

    _exit_with(run)


@app.command()
def show(
    target: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A known strategy, or a Python file.")],
    folder: _Folder = None,
    json_: _Json = False,
) -> None:
    """What a strategy does, when it acts, and its parameters with limits and defaults."""
    from local.strategies.pages import described, page_of
    from local.strategies.targets import strategy_of

    def run() -> int:
        kind = strategy_of(target, folder=folder)
        if json_:
            _print_json(described(kind))
        else:
            typer.echo(page_of(kind), nl=False)
        return 0

    _exit_with(run)


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2))


def _exit_with(run: Callable[[], int]) -> None:
    try:
        code = run()
    except LocalError as problem:
        sys.stderr.write(f"surefill: {problem}\n")
        code = _UNUSABLE
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
