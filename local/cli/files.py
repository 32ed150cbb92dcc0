"""`surefill apply`, `export` and `schema`: bots as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from local.cli.command import DONE, Session, Yes, api_command
from local.cli.completion import complete_bot
from local.cli.definitions import FieldChange, Plan, as_yaml, plan_changes, read_definitions
from local.cli.output import print_json
from local.client.errors import RefusedError
from local.errors import LocalError

app = typer.Typer(add_completion=False)
_SCHEMA_FILE = "bot.schema.json"
_SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "delete": ("-", "red"), "keep": (" ", "dim")}
_WORDS = {"create": "created", "change": "changed", "delete": "deleted"}


@api_command(app, changes=True)
def apply(
    session: Session,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Bot files: YAML, JSON or TOML.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference and change nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete bots that no file describes.")] = False,
    yes: Yes = False,
) -> int:
    """Create and change bots so that they are as these files say. The difference is shown before anything is done.

    New bots are paused until they are started. Bots without a file stay as they are, unless --prune is given.
    """
    definitions = read_definitions(files)
    plans = plan_changes(definitions, session.api.each("bots"), prune=prune)
    due = [plan for plan in plans if plan.action != "keep"]
    if not session.as_json:
        session.console.print(picture_of(plans))
    done: list[dict[str, Any]] = []
    if due and not dry_run:
        session.confirm(f"{_summary(due)}?", yes=yes)
        done = [_carry_out(session, plan) for plan in due]
        session.say(f"{len(done)} {'bot' if len(done) == 1 else 'bots'} done")
    if session.as_json:
        print_json({"plan": [plan.told() for plan in plans], "done": done})
    return DONE


@api_command(app)
def export(
    session: Session,
    bots: Annotated[
        list[str] | None,
        typer.Argument(metavar="[BOT]...", help="Names of bots (default: all).", autocompletion=complete_bot),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write one file per bot to (default: print).")] = None,
) -> int:
    """Write bots as files that `surefill apply` takes."""
    found = [session.api.get("bots", name) for name in bots] if bots else list(session.api.each("bots"))
    if out is None:
        if session.as_json:
            print_json(found)
        else:
            typer.echo("---\n".join(as_yaml(bot, schema=_SCHEMA_FILE) for bot in found), nl=False)
        return DONE
    from local.cli.schema import bot_schema

    try:
        out.mkdir(parents=True, exist_ok=True)
        for bot in found:
            (out / f"{bot['bot_id']}.yaml").write_text(as_yaml(bot, schema=_SCHEMA_FILE), encoding="utf-8")
        (out / _SCHEMA_FILE).write_text(schema_text(bot_schema()), encoding="utf-8")
    except OSError as error:
        raise LocalError(f"--out {out} can't be written: {error.strerror or error}") from None
    session.say(f"{len(found)} files and their schema written to {out}")
    if session.as_json:
        print_json(found)
    return DONE


@app.command()
def schema(what: Annotated[str, typer.Argument(help="Of what: bot.")] = "bot") -> None:
    """Print the JSON Schema of a bot file, for editors that complete and check YAML."""
    if what != "bot":
        typer.echo(f"surefill: the schema of {what!r} is not known, expected bot", err=True)
        raise typer.Exit(2)
    from local.cli.schema import bot_schema

    typer.echo(schema_text(bot_schema()), nl=False)


def schema_text(document: dict[str, Any]) -> str:
    """The schema as it is printed and kept."""
    import json

    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _carry_out(session: Session, plan: Plan) -> dict[str, Any]:
    """Do one of them. Raises RefusedError naming the bot and its file."""
    api = session.api
    try:
        if plan.action == "create":
            answer = api.post("bots", body=plan.body)
        elif plan.action == "change":
            answer = api.patch("bots", plan.name, body=plan.body or {})
        else:
            answer = api.delete("bots", plan.name)
    except RefusedError as error:
        where = f" ({plan.source})" if plan.source else ""
        raise RefusedError(
            f"bot {plan.name}{where} was not {_WORDS[plan.action]}: {error}; those before it were done",
            status=error.status, field=error.field, body=error.body,
        ) from None  # fmt: skip
    session.say(f"{plan.name} {_WORDS[plan.action]}")
    return dict(answer)


def _summary(plans: Sequence[Plan]) -> str:
    counts = {action: sum(plan.action == action for plan in plans) for action in _WORDS}
    text = ", ".join(f"{action} {count}" for action, count in counts.items() if count)
    return text[0].upper() + text[1:]


def picture_of(plans: Sequence[Plan]) -> Group:
    """What would be done, field by field."""
    lines: list[Text] = []
    for plan in plans:
        sign, style = _SIGNS[plan.action]
        told = {"keep": "unchanged"}.get(plan.action, plan.action)
        lines.append(Text(f"{sign} {plan.name}: {told}" + (f" ({plan.source})" if plan.source else ""), style=style))
        lines += [_line(change, created=plan.action == "create") for change in plan.changes]
    return Group(*(lines or [Text("no bots", style="dim")]))


def _line(change: FieldChange, *, created: bool) -> Text:
    if created:
        return Text.assemble("    ", (f"{change.field}: {_told(change.after)}", "green"))
    return Text.assemble(f"    {change.field}: ", (_told(change.before), "red"), " -> ", (_told(change.after), "green"))


def _told(value: Any) -> str:
    if value is None:
        return "none"
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
