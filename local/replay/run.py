"""`surefill replay`: boot an isolated stage, drive it over the recording, report."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from local.demo import create_account
from local.evaluation_log import read_evaluations
from local.exchange.settings import LOCAL_KEY
from local.replay.drive import ReplayDriver, minutes
from local.replay.plan import BUDGET, ReplayOptions, ReplayPlan, plan_replay
from local.replay.result import replay_result
from local.rows import read_rows
from local.stage.isolated import isolated_plan
from local.stage.progress import step
from local.stage.stage import LocalStage
from local.view import PlainView

if TYPE_CHECKING:
    from local.view import View

_REPOSITORY = Path(__file__).resolve().parent.parent.parent
_ACCOUNT = "replay"
_PROGRESS_SECONDS = 5.0
_FAILED = 1


def run_replay(options: ReplayOptions) -> int:
    """Run; the exit code. Raises LocalError or CandleFileError before anything is started when it can't be run."""
    plan = plan_replay(options)
    stage_plan = isolated_plan(_REPOSITORY, kind="replay", exchange_arguments=plan.exchange_arguments)
    with PlainView() as view, LocalStage(stage_plan, progress=view) as stage:
        result = _replay(plan, stage=stage, view=view)
    if options.as_json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
    else:
        _print(result)
    return _FAILED if result["violations"] or result["unexplained"] else 0


def _replay(plan: ReplayPlan, *, stage: LocalStage, view: View) -> dict[str, Any]:
    driver = ReplayDriver(stage)
    with step(view, f"account, budgets and {len(plan.bots)} bots"):
        _set_up(plan, stage=stage, driver=driver)
    started = time.monotonic()
    told_at = started
    for number, tick in enumerate(minutes(plan.first_tick, count=plan.ticks), start=1):
        driver.tick(tick)
        if time.monotonic() - told_at > _PROGRESS_SECONDS:
            told_at = time.monotonic()
            view.say(f"tick {number} of {plan.ticks} ({tick:%Y-%m-%d %H:%M}), {number / (told_at - started):.1f} per s")
    seconds = time.monotonic() - started
    rows = read_rows(stage.store, exchange=stage.exchange.state())
    evaluations = read_evaluations(stage.aws, function=stage.function("evaluate"))
    return replay_result(
        rows, ticks=plan.ticks, seconds=seconds, decisions=evaluations.decisions, symbols=list(plan.files)
    )


def _set_up(plan: ReplayPlan, *, stage: LocalStage, driver: ReplayDriver) -> None:
    before = plan.before_first_tick
    stage.exchange.set_clock(before, rate=0)
    driver.fire("refresh_markets", tick=before)
    secret = stage.put_exchange_secret(_ACCOUNT, key=LOCAL_KEY.key, secret=LOCAL_KEY.secret)
    account = create_account(stage, mode="live", name=_ACCOUNT, currency=plan.quote, secret_name=secret)
    driver.fire("sync_account", tick=before)
    for bot in plan.bots:
        budget = stage.api.post("budgets", body={"account_id": account, "name": bot["name"], "amount": str(BUDGET)})
        stage.api.post("bots", body={**bot, "budget_id": budget["budget_id"]})
        stage.api.post("bots", bot["name"], "start")
    # A started bot is evaluated at once; here that is at the minute before the first tick, for every bot.
    driver.evaluate_waiting()


def _print(result: dict[str, Any]) -> None:
    console = Console()
    table = Table(title=f"{result['closed_positions']} closed positions in {result['ticks']} ticks", box=None)
    for column in ("tick", "bot", "symbol", "side", "filled", "cost", "why", "outcome"):
        table.add_column(column)
    for trade in result["trades"]:
        table.add_row(
            trade["tick"],
            trade["bot"],
            trade["symbol"],
            trade["side"],
            trade["filled_quantity"],
            trade["filled_cost"],
            trade["reason"],
            trade["outcome"] or "",
        )
    console.print(table)
    for name, content in (("decisions", result["decisions"]), ("budgets", result["balances"]["budgets"])):
        console.print(f"[bold]{name}[/bold]")
        for key, value in content.items():
            console.print(f"  {key}: {value}", highlight=False)
    for asset, amount in result["unexplained"].items():
        console.print(f"[red]{amount} {asset}[/red] at the exchange are not explained by the tables")
    for violation in result["violation_details"]:
        console.print(f"[red]{violation['invariant']}[/red] {violation['subject']}: {violation['text']}")
    console.print(f"fingerprint {result['fingerprint']}  ({result['ticks_per_second']} ticks/s)", highlight=False)
