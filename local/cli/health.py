"""`surefill health`: is everything running."""

from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from local.cli.command import DONE, NO, Session, api_command
from local.cli.output import at, duration, state, table, whole

app = typer.Typer(add_completion=False)
_READ: Mapping[bool | None, str] = {None: "not read yet", True: "read", False: "can't be read"}


@api_command(app)
def health(session: Session) -> int:
    """Look at tables, queue, schedules, accounts, venues, keys and stops. Exit code 1 when something is wrong."""
    found = session.api.get("health", "detailed")
    session.show(found, lambda: picture(found, session=session))
    return DONE if found["ok"] else NO


def picture(found: Mapping[str, Any], *, session: Session) -> RenderableType:
    """What is wrong first, then everything that was looked at."""
    head = [state("healthy")] if found["ok"] else [state("unhealthy"), *_problems(found["problems"])]
    parts: list[RenderableType] = [part for part in head if part is not None]
    for stop in found.get("stops", ()):
        parts.append(Text(f"stop in force: {stop['kind']} on {stop['target'] or 'everything'} ({stop['stop_id']})"))
    tables = found["tables"]
    answering = sum(said == "ok" for said in tables.values())
    waiting, dead = found.get("evaluations_waiting"), found.get("dead_letters")
    parts += [
        "",
        Text(f"tables       {answering} of {len(tables)} answer"),
        Text(f"evaluations  {'?' if waiting is None else waiting} waiting"),
        Text(f"dead letters {'?' if dead is None else sum(dead.values())}"),
        *(Text(f"clock        {venue['venue']}: {_skew(venue.get('clock_skew_ms'))}") for venue in found["venues"]),
        *(Text(f"keys         {secret['account_id']}: {_READ[secret.get('readable')]}") for secret in found["secrets"]),
        "",
        schedules_table(found["schedules"], session=session),
    ]
    if found["accounts"]:
        parts += ["", _accounts(found["accounts"], session=session)]
    return Group(*parts)


def schedules_table(schedules: list[dict[str, Any]], *, session: Session) -> RenderableType:
    """Whether the schedules run."""
    columns = (whole("schedule"), "state", "every", whole("last tick"), "behind", whole("next tick"))
    rows = [
        (
            item["name"],
            state("running" if item["running"] else "late"),
            duration(item["interval_seconds"]),
            at(item.get("last_tick"), now=session.now()),
            duration(item["lag_seconds"]) if item.get("lag_seconds") is not None else "never ran",
            at(item["next_tick"], now=session.now()),
        )
        for item in schedules
    ]
    return table(columns, rows)


def _accounts(accounts: list[dict[str, Any]], *, session: Session) -> RenderableType:
    columns = (whole("account"), "state", "because", whole("read"), whole("next try"))
    rows = [
        (
            item["account_id"],
            state(item["state"]),
            item.get("state_reason"),
            at(item.get("reconciled_at"), now=session.now()),
            at(item.get("retry_at"), now=session.now()),
        )
        for item in accounts
    ]
    return table(columns, rows)


def _skew(milliseconds: int | None) -> str:
    return "not compared yet" if milliseconds is None else f"{milliseconds:+} ms from ours"


def _problems(problems: list[str]) -> list[RenderableType]:
    return [Text(f"  {problem}", style="red") for problem in problems]
