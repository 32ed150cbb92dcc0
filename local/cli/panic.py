"""`surefill panic`, `stops` and `resume`: the kill switch."""

from collections.abc import Mapping
from time import monotonic, sleep
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from local.cli.command import DONE, NO, Session, Yes, api_command
from local.cli.completion import AccountOption, BotOption
from local.cli.output import at, facts, state, table, when, whole
from local.errors import LocalError

app = typer.Typer(add_completion=False)
_DOES = {
    "NO_NEW": "no new positions are opened; exits go on",
    "CLOSE_ALL": "no new positions are opened, and every open one is sold now at the market",
    "FREEZE": "nothing is sent any more, not even exits; you take over",
}
_WAIT_SECONDS = 120
_POLL_SECONDS = 1.0
Why = Annotated[str, typer.Option(help="Why, for whoever finds it later.")]


@api_command(app, changes=True)
def panic(
    session: Session,
    level: Annotated[str, typer.Argument(metavar="no-new|close-all|freeze", help="What shall stop.")],
    bot: BotOption = None,
    account: AccountOption = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
    why: Why = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="After close-all, wait for the result of each position.")
    ] = False,
    yes: Yes = False,
) -> int:
    """Stop. no-new: no entries. close-all: and sell everything. freeze: send nothing at all.

    When this returns, nothing new is reserved in what it covers. `surefill resume` takes it back.
    """
    kind = level.upper().replace("-", "_")
    if kind not in _DOES:
        raise LocalError(f"the level must be no-new, close-all or freeze, was {level!r}")
    if sum((bot is not None, account is not None, all_)) != 1:
        raise LocalError("say what to stop: one of --bot NAME, --account ID and --all")
    scope, target = ("bot", bot) if bot else ("account", account) if account else ("all", None)
    session.confirm(f"{kind} for {target or 'everything'} ({_DOES[kind]})?", yes=yes)
    body = {"kind": kind, "scope": scope, "why": why, **({"target": target} if target else {})}
    stop = session.api.post("panic", body=body)
    if wait and kind == "CLOSE_ALL":
        stop = _closed(session, stop)
        session.show(stop, lambda: stop_picture(stop["stop"], stop["items"], session=session))
        return DONE if all(item["outcome"] == "CLOSED" for item in stop["items"]) else NO
    session.show(stop, lambda: stop_picture(stop, [], session=session))
    return DONE


@api_command(app)
def stops(
    session: Session,
    stop: Annotated[str | None, typer.Argument(metavar="[STOP]", help="One stop, with its positions.")] = None,
) -> None:
    """Stops in force, or one of them with the result of each position."""
    if stop is not None:
        found = session.api.pages("panic", stop, limit=None)
        session.show(found, lambda: stop_picture(found["stop"], found["items"], session=session))
        return
    pages = [session.api.pages("panic", limit=50, scope=scope) for scope in ("all", "account", "bot")]
    standing = [item for page in pages for item in page["items"] if item["stop_id"] in page["standing"]]

    def picture() -> RenderableType:
        columns = (whole("stop"), "level", "covers", whole("since"), "by", "because")
        rows = [
            (
                item["stop_id"],
                state(item["kind"]),
                item["target"],
                at(item["at"], now=session.now()),
                item["who"],
                item.get("why"),
            )
            for item in standing
        ]
        return table(columns, rows) if rows else Text("no stop is in force", style="green")

    session.show({"items": standing}, picture)


@api_command(app, changes=True)
def resume(
    session: Session,
    stop: Annotated[str | None, typer.Argument(metavar="[STOP]", help="Its id; needed when several stand.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every stop that stands.")] = False,
    why: Why = "",
    yes: Yes = False,
) -> int:
    """Take a stop back: bots and budgets are as they were, unless another stop covers them."""
    standing: list[str] = session.api.get("panic", limit=1)["standing"]
    if stop is not None:
        chosen = [stop]
    elif all_ or len(standing) == 1:
        chosen = standing
    elif not standing:
        raise LocalError("no stop is in force")
    else:
        raise LocalError(f"STOP must be one of {', '.join(standing)}, or give --all")
    session.confirm(f"Lift {', '.join(chosen)}?", yes=yes)
    for stop_id in chosen:
        lifted = session.api.post("resume", body={"stop_id": stop_id, "why": why})
        session.show(lifted, lambda lifted=lifted: stop_picture(lifted, [], session=session))  # type: ignore[misc]
    return DONE


def stop_picture(stop: Mapping[str, Any], closings: list[dict[str, Any]], *, session: Session) -> RenderableType:
    """One stop, and what became of the positions it closes."""
    now = session.now()
    parts: list[RenderableType] = [
        facts(
            [
                ("stop", stop["stop_id"]),
                ("level", state(stop["kind"])),
                ("covers", stop["target"]),
                ("by", stop["who"]),
                ("because", stop.get("why") or None),
                ("pressed", when(stop["at"], now=now)),
                ("in force since", when(stop.get("acknowledged_at"), now=now)),
                ("lifted", when(stop.get("lifted_at"), now=now)),
                ("bots changed", len(stop["bots"]) or None),
                ("budgets switched off", len(stop["budgets"]) or None),
                ("positions", stop.get("positions") or None),
                ("orders taken back", stop.get("taken_back") or None),
                ("orders the venue has", stop.get("at_venue") or None),
            ]
        )
    ]
    if closings:
        rows = [
            (
                item["bot_id"],
                item["market_key"].partition("|")[2],
                state(item["outcome"]),
                item.get("why"),
                at(item.get("finished_at"), now=now),
            )
            for item in closings
        ]
        parts += ["", table(("bot", whole("symbol"), "outcome", "because", whole("finished")), rows)]
    return Group(*parts)


def _closed(session: Session, stop: Mapping[str, Any]) -> dict[str, Any]:
    """The stop once every position has its result, or as it is after a bounded time."""
    until = monotonic() + _WAIT_SECONDS
    while True:
        found = session.api.pages("panic", stop["stop_id"], limit=None)
        waiting = sum(item["outcome"] == "WAITING" for item in found["items"])
        if not waiting or monotonic() > until:
            return found
        session.say(f"{waiting} positions left")
        sleep(_POLL_SECONDS)
