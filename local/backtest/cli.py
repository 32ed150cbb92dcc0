"""`surefill backtest`, `surefill backtest sweep` and `surefill candles fetch`."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from local.backtest.options import Asked

_FAILED, _UNUSABLE, _INTERRUPTED = 1, 2, 130

backtest_app = typer.Typer(
    help="What a bot would have done on recorded candles, with the strategies, limits and money rules it trades with.",
    invoke_without_command=True,
    add_completion=False,
)
candles_app = typer.Typer(help="Recorded candles.", no_args_is_help=True, add_completion=False)

_Candles = Annotated[list[Path] | None, typer.Option(help="CSV or CSV.GZ file of candles; repeatable.")]
_Symbols = Annotated[list[str] | None, typer.Option(help="Symbol of the file at the same place, e.g. BTC/USDT.")]
_Bots = Annotated[list[Path] | None, typer.Option(help="Bot file (YAML, JSON or TOML); repeatable.")]
_Strategy = Annotated[str | None, typer.Option(help="Strategy of a bot without a file.")]
_Params = Annotated[list[str] | None, typer.Option(help="Parameter of the strategy, name=value; repeatable.")]
_Fields = Annotated[list[str] | None, typer.Option("--set", help="Field of the bot, e.g. stop_loss_percent=3.")]
_Budget = Annotated[str, typer.Option(help="Money of each budget, in quote.")]
_Fee = Annotated[str, typer.Option(help="Fee as a share of what is received: 0.001 is 0.1 %.")]
_Slippage = Annotated[str, typer.Option(help="Slippage in per cent of the price.")]
_Fill = Annotated[str, typer.Option(help="When orders fill: next_open, close, or ticks (as the replay).")]
_Engine = Annotated[str, typer.Option(help="What runs it: auto, direct (fast, plain positions), protocol (all).")]
_FeeInQuote = Annotated[bool, typer.Option(help="Book the fee of a buy in quote, not off the base bought.")]
_VolumeShare = Annotated[str | None, typer.Option(help="Share of a candle's volume one order may fill, 0 to 1.")]
_Rules = Annotated[Path | None, typer.Option(help="JSON file of trading rules by symbol (default: none).")]
_Since = Annotated[str | None, typer.Option(help="First day or moment, e.g. 2025-01-31.")]
_Until = Annotated[str | None, typer.Option(help="First day or moment that is left out.")]
_Processes = Annotated[int | None, typer.Option(min=1, help="Processes at most (default: where more than one pay).")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]


@backtest_app.callback()
def backtest(
    context: typer.Context,
    candles: _Candles = None,
    symbol: _Symbols = None,
    bot: _Bots = None,
    strategy: _Strategy = None,
    param: _Params = None,
    set_: _Fields = None,
    compare: Annotated[list[Path] | None, typer.Option(help="Another bot file to set beside; repeatable.")] = None,
    budget: _Budget = "10000",
    fee: _Fee = "0.001",
    slippage: _Slippage = "0",
    fill: _Fill = "next_open",
    engine: _Engine = "auto",
    fee_in_quote: _FeeInQuote = False,
    volume_share: _VolumeShare = None,
    rules: _Rules = None,
    since: _Since = None,
    until: _Until = None,
    processes: _Processes = None,
    json_: _Json = False,
    report: Annotated[Path | None, typer.Option(help="Write the report to this HTML file.")] = None,
) -> None:
    """Run bots over recorded candles and say what became of their money."""
    if context.invoked_subcommand is not None:
        return

    def run() -> int:
        from local.backtest.botfile import read_params
        from local.backtest.show import run_and_show

        asked = _asked(
            candles=candles, symbols=symbol, bots=[*(bot or ()), *(compare or ())], strategy=strategy,
            params=read_params(param or ()), fields=read_params(set_ or ()), budget=budget, fee=fee, slippage=slippage,
            fill=fill, engine=engine, fee_in_quote=fee_in_quote, volume_share=volume_share, rules=rules, since=since,
            until=until,
        )  # fmt: skip
        return run_and_show(asked, as_json=json_, report_file=report, processes=processes)

    _exit_with(run)


@backtest_app.command()
def sweep(
    param: Annotated[list[str], typer.Option(help="name=first:last:step, name=a,b,c or name=value; repeatable.")],
    candles: _Candles = None,
    symbol: _Symbols = None,
    bot: _Bots = None,
    strategy: _Strategy = None,
    set_: _Fields = None,
    budget: _Budget = "10000",
    fee: _Fee = "0.001",
    slippage: _Slippage = "0",
    fill: _Fill = "next_open",
    engine: _Engine = "auto",
    fee_in_quote: _FeeInQuote = False,
    volume_share: _VolumeShare = None,
    rules: _Rules = None,
    since: _Since = None,
    until: _Until = None,
    processes: _Processes = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Draw so many combinations instead of all of them.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of what is drawn.")] = 1,
    by: Annotated[str, typer.Option(help="What to rank by: total_return, sharpe, sortino, calmar, sqn.")] = "sharpe",
    top: Annotated[int, typer.Option(min=1, help="How many of the best to print.")] = 15,
    json_: _Json = False,
) -> None:
    """Run one bot with many parameters, on all cores, and rank them."""

    def run() -> int:
        from local.backtest.botfile import read_params
        from local.backtest.sweep import run_sweep

        asked = _asked(
            candles=candles, symbols=symbol, bots=bot or (), strategy=strategy, params={},
            fields=read_params(set_ or ()), budget=budget, fee=fee, slippage=slippage, fill=fill, engine=engine,
            fee_in_quote=fee_in_quote, volume_share=volume_share, rules=rules, since=since, until=until,
        )  # fmt: skip
        return run_sweep(
            asked, axes=param, trials=trials, seed=seed, by=by, top=top, processes=processes, as_json=json_
        )

    _exit_with(run)


@candles_app.command()
def fetch(
    symbol: Annotated[list[str], typer.Option(help="Symbol, e.g. BTC/USDT; repeatable.")],
    since: Annotated[str, typer.Option(help="First day or moment, e.g. 2025-01-31.")],
    until: Annotated[str | None, typer.Option(help="First day or moment that is left out (default: now).")] = None,
    timeframe: Annotated[str, typer.Option(help="Length of a candle: 1m, 5m, 1h, 1d.")] = "1m",
    venue: Annotated[str, typer.Option(help="Where from.")] = "binance",
    out: Annotated[Path, typer.Option(help="Folder the files are written to.")] = Path("candles"),
    url: Annotated[str | None, typer.Option(help="Another address of the venue's API (a local one).")] = None,
) -> None:
    """Download public candles into CSV files. A file that is there already is continued."""

    def run() -> int:
        from local.backtest.fetch import run_fetch

        return run_fetch(
            venue=venue, symbols=symbol, timeframe=timeframe, since=since, until=until, folder=out, url=url
        )

    _exit_with(run)


def _asked(**options: object) -> Asked:
    from local.backtest.options import Asked
    from local.backtest.spec import EngineKind, FillModel

    for name, kind in (("fill", FillModel), ("engine", EngineKind)):
        try:
            options[name] = kind(str(options[name]))
        except ValueError:
            raise LocalError(f"--{name} must be one of {', '.join(kind)}, was {options[name]!r}") from None
    options["candles"], options["symbols"] = options["candles"] or (), options["symbols"] or ()
    return Asked(**options)  # type: ignore[arg-type]


def _exit_with(run: Callable[[], int]) -> None:
    """Run a command. What is in the way is one sentence and exit code 2."""
    # numpy would start a thread per core for linear algebra, which nothing here does.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        code = run()
    except LocalError as problem:
        sys.stderr.write(f"surefill: {problem}\n")
        code = _UNUSABLE
    except KeyboardInterrupt:
        sys.stderr.write("surefill: stopped\n")
        code = _INTERRUPTED
    # What is left is not searched for cycles once more: the process ends.
    gc.freeze()
    raise typer.Exit(code)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
