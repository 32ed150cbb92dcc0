"""`surefill why`: the first link that stopped."""

from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from local.cli.command import Session, api_command
from local.cli.completion import BotName
from surefill.usecases.explain.model import Explanation
from surefill.usecases.explain.telling import told
from surefill.wire import from_wire

app = typer.Typer(add_completion=False)
_STATES = {"STOPPED": "bold red", "WAITING": "bold yellow", "OK": "bold green", "UNKNOWN": "dim"}


@api_command(app)
def why(
    session: Session,
    bot: BotName,
    symbol: Annotated[str | None, typer.Argument(help="One symbol of the bot (default: all).")] = None,
) -> None:
    """Say why a bot trades or doesn't: the first link that stopped, since when, on what evidence, and what to do."""
    explanation = session.api.get("bots", bot, "why", symbol=symbol)
    session.show(explanation, lambda: picture(explanation))


def picture(explanation: dict[str, Any]) -> RenderableType:
    """The lines of an explanation, its states in colour."""
    known = {name: value for name, value in explanation.items() if name in Explanation.__dataclass_fields__}
    return Text("\n").join(_coloured(line) for line in told(from_wire(Explanation, known)))


def _coloured(line: str) -> Text:
    text = Text(line)
    word = line.split(maxsplit=1)[0] if line.strip() else ""
    style = _STATES.get(word.upper())
    if style:
        start = line.index(word)
        text.stylize(style, start, start + len(word))
    return text
