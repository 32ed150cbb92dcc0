"""`surefill up` and `surefill replay`: the product on this machine."""

from __future__ import annotations

import signal
import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

app = typer.Typer(add_completion=False)
_UNUSABLE = 2
_INTERRUPTED = 130


@app.command()
def up(
    pace: Annotated[str, typer.Option(help="Real time of one virtual minute: 2s, 500ms, 60s (real time).")] = "2s",
    for_: Annotated[
        str, typer.Option("--for", help="Stop after this time of ticking (4m), then check everything.")
    ] = "",
    summary: Annotated[Path | None, typer.Option(help="Write the figures of a bounded run to this file.")] = None,
    aws_port: Annotated[int, typer.Option(help="Port of the local AWS, 0 for any free one.")] = 4566,
    exchange_port: Annotated[int, typer.Option(help="Port of the simulated exchange, 0 for any free one.")] = 9100,
    seed: Annotated[int, typer.Option(help="Seed of the generated market.")] = 1,
    live: Annotated[
        list[str] | None, typer.Option(help="Live public candles of a symbol instead of a generated market.")
    ] = None,
    plain: Annotated[bool, typer.Option(help="Plain lines instead of the live view.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where the stage keeps its files.")] = None,
) -> None:
    """Run everything on this machine: a local AWS, the real deployment, a simulated exchange and three demo bots."""
    from local.driver import seconds_of
    from local.up import UpOptions, run_up
    from local.view import view_for

    def run() -> int:
        options = UpOptions(
            pace_seconds=seconds_of(pace, option="--pace"),
            for_seconds=seconds_of(for_, option="--for") if for_ else None,
            summary=summary,
            aws_port=aws_port,
            exchange_port=exchange_port,
            seed=seed,
            live=tuple(live or ()),
            **({"folder": folder.resolve()} if folder else {}),
        )
        return run_up(options, view=view_for(plain=plain))

    _exit_with(run)


@app.command()
def replay(
    candles: Annotated[list[Path], typer.Option(help="CSV or CSV.GZ file with one-minute candles; repeatable.")],
    symbol: Annotated[list[str], typer.Option(help="Symbol of the file at the same place, e.g. BTC/USDT.")],
    ticks: Annotated[int, typer.Option(min=1, help="How many minutes to replay after the strategy's warm-up.")] = 600,
    bots: Annotated[int | None, typer.Option(min=1, help="Number of bots (default: one per symbol).")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Drive the deployed functions tick by tick over recorded candles; the same input gives the same fingerprint."""
    from local.replay import ReplayOptions, run_replay

    def run() -> int:
        return run_replay(
            ReplayOptions(candles=tuple(candles), symbols=tuple(symbol), ticks=ticks, bots=bots, as_json=json_)
        )

    _exit_with(run)


def _exit_with(run: Callable[[], int]) -> None:
    """Run a command. What is in the way is one sentence and exit code 2; an interrupt stops everything first."""
    from local.exchange.market.recording import CandleFileError

    # Explicitly also Ctrl-C: a shell starts background jobs with it ignored, and a stage must always be stoppable.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        code = run()
    except (LocalError, CandleFileError) as problem:
        sys.stderr.write(f"surefill: {problem}\n")
        code = _UNUSABLE
    except KeyboardInterrupt:
        sys.stderr.write("surefill: stopped\n")
        code = _INTERRUPTED
    raise typer.Exit(code)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
