"""`surefill bots`: create, start, change and stop bots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from local.cli.command import DONE, NO, Session, Yes, api_command
from local.cli.completion import BotName, BotNames
from local.cli.output import age, at, duration, exact, facts, money, percent, reason, right, state, table, when, whole
from surefill.domain.rules import ExitRules, GateRules, SizingRules
from surefill.wire import to_wire

app = typer.Typer(no_args_is_help=True, add_completion=False)
_RULES: Mapping[str, Any] = {"sizing": SizingRules, "gates": GateRules, "exit_rules": ExitRules}
_WATCH, _DEFINE, _RUN = "Look", "Define", "Run"


@api_command(app, "list", rich_help_panel=_WATCH)
def list_(session: Session) -> None:
    """All bots: what they trade, how often, and whether they run."""
    page = session.api.pages("bots", limit=None)

    def picture() -> RenderableType:
        columns = (
            whole("bot"),
            whole("mode"),
            "strategy",
            "symbols",
            right("every"),
            whole("state"),
            whole("next run"),
            "because",
        )
        rows = [
            (
                item["bot_id"],
                mode_of(item),
                item["strategy"],
                item["symbols"],
                duration(item["interval_seconds"]),
                state(item["state"]),
                at(item.get("next_run_at"), now=session.now()),
                item.get("state_reason"),
            )
            for item in page["items"]
        ]
        return table(columns, rows)

    session.show(page, picture)


@api_command(app, rich_help_panel=_WATCH)
def show(session: Session, bot: BotName) -> None:
    """One bot: its definition, and what it holds on each symbol."""
    found = session.api.get("bots", bot)
    session.show(found, lambda: bot_picture(found, session=session))


@api_command(app, rich_help_panel=_WATCH)
def ready(
    session: Session,
    bot: BotName,
    symbol: Annotated[str | None, typer.Argument(help="One symbol of the bot (default: all).")] = None,
) -> int:
    """Say whether a bot could buy now, and if not, what stands in the way. Exit code 1 when it could not."""
    found = session.api.get("bots", bot, "readiness", symbol=symbol)
    session.show(found, lambda: _readiness(found))
    return DONE if found["ready"] else NO


@api_command(app, changes=True, rich_help_panel=_DEFINE)
def create(
    session: Session,
    file: Annotated[Path, typer.Argument(help="Bot file: YAML, JSON or TOML (`surefill schema bot`).")],
    start: Annotated[bool, typer.Option("--start", help="Start it at once; otherwise it is paused.")] = False,
) -> None:
    """Create a bot from a file."""
    from local.cli.definitions import read_definitions

    (definition,) = read_definitions([file])
    body = {**definition.given, **({"auto_start": True} if start else {})}
    made = session.api.post("bots", body=body)
    session.show(made, lambda: bot_picture(made, session=session))


@api_command(app, changes=True, rich_help_panel=_DEFINE)
def change(
    session: Session,
    bot: BotName,
    changes: Annotated[
        list[str],
        typer.Argument(metavar="FIELD=VALUE...", help="stop_loss_percent=2.5, params.rsi_period=9, sizing.mode=risk"),
    ],
) -> None:
    """Change fields of a bot. Open positions keep the levels they were opened with."""
    from local.cli.definitions import changed_definition
    from local.cli.files import picture_of

    found = session.api.get("bots", bot)
    plan = changed_definition(found, changes)
    if plan.body is None:
        session.say(f"{bot} is so already")
        session.show(found, lambda: bot_picture(found, session=session))
        return
    changed = session.api.patch("bots", bot, body=plan.body)
    session.show(changed, lambda: picture_of([plan]))


@api_command(app, changes=True, rich_help_panel=_DEFINE)
def delete(session: Session, bot: BotName, yes: Yes = False) -> None:
    """Delete a bot that holds nothing; its orders and decisions stay."""
    session.confirm(f"Delete bot {bot}?", yes=yes)
    answer = session.api.delete("bots", bot)
    session.show(answer, lambda: f"{bot} is deleted")


@api_command(app, changes=True, rich_help_panel=_RUN)
def start(session: Session, bots: BotNames) -> None:
    """Let bots trade; they are evaluated at once."""
    _switch(session, bots, "start")


@api_command(app, changes=True, rich_help_panel=_RUN)
def pause(session: Session, bots: BotNames) -> None:
    """Stop evaluating bots. Their exits still run."""
    _switch(session, bots, "pause")


@api_command(app, changes=True, rich_help_panel=_RUN)
def drain(session: Session, bots: BotNames) -> None:
    """Let bots sell what they hold and buy nothing more."""
    _switch(session, bots, "drain")


@api_command(app, changes=True, rich_help_panel=_RUN)
def halt(session: Session, bots: BotNames) -> None:
    """Stop bots altogether: nothing is sent for them, not even exits."""
    _switch(session, bots, "halt")


@api_command(app, changes=True, rich_help_panel=_RUN)
def evaluate(
    session: Session,
    bot: BotName,
    dry: Annotated[bool, typer.Option("--dry", help="Only say what it would do.")] = False,
) -> None:
    """Evaluate a bot now instead of at its next run."""
    answer = session.api.post("bots", bot, "evaluate", body={"dry": dry})
    session.show(answer, lambda: simulated_picture(answer) if dry else _queued(answer))


@api_command(app, changes=True, rich_help_panel=_RUN)
def simulate(
    session: Session,
    bot: BotName,
    symbol: Annotated[str | None, typer.Argument(help="One symbol of the bot (default: all).")] = None,
    signal: Annotated[
        str | None, typer.Option(help="BUY or SELL instead of what its strategy says.", show_default=False)
    ] = None,
) -> None:
    """Say what a bot would do now, on live data, without doing it."""
    asked = {"symbol": symbol, "signal": signal.upper() if signal else None}
    body = {name: value for name, value in asked.items() if value is not None}
    answer = session.api.post("bots", bot, "simulate", body=body)
    session.show(answer, lambda: simulated_picture(answer))


@api_command(app, changes=True, rich_help_panel=_DEFINE)
def hook(
    session: Session,
    bot: BotName,
    remove: Annotated[bool, typer.Option("--remove", help="Take no more alerts instead.")] = False,
) -> None:
    """Make a new token for alerts of a charting service; it is shown this once."""
    answer = session.api.delete("bots", bot, "hook") if remove else session.api.post("bots", bot, "hook")
    session.show(answer, lambda: facts([(name.replace("_", " "), value) for name, value in answer.items()]))


def mode_of(row: Mapping[str, Any]) -> str:
    """Live or paper: an account's id begins with it."""
    return str(row["account_id"]).partition("-")[0]


def bot_picture(bot: Mapping[str, Any], *, session: Session) -> RenderableType:
    """One bot, for the eye."""
    parts: list[RenderableType] = [
        facts(
            [
                ("bot", bot["bot_id"]),
                ("state", state(bot["state"])),
                ("because", bot.get("state_reason") or None),
                ("account", bot["account_id"]),
                ("budget", bot["budget_id"]),
                ("symbols", bot["symbols"]),
                ("strategy", bot["strategy"]),
                ("parameters", bot.get("params") or None),
                ("candles", bot["timeframe"]),
                ("evaluated every", duration(bot["interval_seconds"])),
                ("next run", when(bot.get("next_run_at"), now=session.now())),
                ("per entry", f"{percent(bot['budget_percent'])} of its budget"),
                ("take profit", percent(bot["take_profit_percent"])),
                ("stop loss", percent(bot["stop_loss_percent"])),
                ("slippage", f"at most {percent(bot['slippage_percent'])}"),
                ("confirmation", duration(bot["confirmation_seconds"])),
                ("cooldown", duration(bot["cooldown_seconds"])),
                *((name.replace("_", " "), _unusual(bot, name)) for name in _RULES),
                ("takes alerts", bot.get("takes_alerts") or None),
                ("created", when(bot.get("created_at"), now=session.now())),
            ]
        )
    ]
    if bot.get("slots"):
        parts += ["", slots_table(bot["slots"], session=session)]
    return Group(*parts)


def simulated_picture(answer: Mapping[str, Any]) -> RenderableType:
    """What each symbol's evaluation would come to."""
    rows = [
        (item["symbol"], reason(item["reason"]), item.get("numbers") or None, _orders(item.get("intents", ())))
        for item in answer["results"]
    ]
    return table((whole("symbol"), "it would", "numbers", "order"), rows)


def slots_table(slots: list[dict[str, Any]], *, session: Session) -> RenderableType:
    """The places of a bot."""
    columns = (
        whole("symbol"), whole("state"), right("quantity"), right("cost"), right("TP"), right("SL"), whole("open"),
        "last decision",
    )  # fmt: skip
    rows = [
        (
            place_of(slot),
            state(slot["state"]),
            exact(slot["quantity"]),
            money(slot["cost"]),
            exact(slot.get("take_profit")),
            exact(slot.get("stop_loss")),
            age(slot.get("opened_at"), now=session.now()),
            slot.get("last_reason"),
        )
        for slot in slots
    ]
    return table(columns, rows)


def place_of(slot: Mapping[str, Any]) -> str:
    """The symbol of a place, with the rung of a grid."""
    symbol = str(slot.get("symbol") or slot["market_key"].partition("|")[2])
    return f"{symbol} {slot['rung']}" if slot.get("rung") else symbol


def _unusual(bot: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Of a bot's rules, what is not as it always is."""
    usual = to_wire(_RULES[name]())
    return {field: value for field, value in bot.get(name, {}).items() if value != usual.get(field)} or None


def _switch(session: Session, bots: list[str], verb: str) -> None:
    for bot in bots:
        changed = session.api.post("bots", bot, verb)
        session.show(changed, lambda changed=changed: _line(changed))  # type: ignore[misc]


def _line(bot: Mapping[str, Any]) -> RenderableType:
    return facts([(str(bot["bot_id"]), state(bot["state"]))])


def _readiness(found: Mapping[str, Any]) -> RenderableType:
    rows = []
    for item in found["items"]:
        problem = item.get("problem") or {}
        rows.append(
            (item["symbol"], state("yes" if item["ready"] else "no"), problem.get("says"), problem.get("remedy"))
        )
    return table((whole("symbol"), "ready", "because", "do"), rows)


def _queued(answer: Mapping[str, Any]) -> RenderableType:
    return facts([(str(answer["bot_id"]), "is evaluated on " + ", ".join(answer["queued"]))])


def _orders(intents: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(
        f"{intent['side']} {exact(intent['quantity'])} {intent['kind']}"
        + (f" at {exact(intent['limit_price'])}" if intent.get("limit_price") else "")
        for intent in intents
    )
