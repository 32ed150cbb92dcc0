"""`surefill decisions`: what a bot decided."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from local.cli.command import Session, api_command
from local.cli.completion import BotName, Limit
from local.cli.output import at, reason, table, whole
from local.cli.times import since_of
from local.errors import LocalError

app = typer.Typer(add_completion=False)


_ROUTES = {"decision": "decisions", "risk": "risk-events", "exit": "exit-events"}


@api_command(app)
def decisions(
    session: Session,
    bot: BotName,
    kind: Annotated[str, typer.Option(help="decision, risk (what a rule refused), or exit.")] = "decision",
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.", show_default=False)] = None,
    since: Annotated[str | None, typer.Option(help="From then on: 10m, 2h, 2026-11-20T09:00.")] = None,
    limit: Limit = 30,
) -> None:
    """Show what a bot decided, newest first. A decision that repeats itself is written once."""
    route = _ROUTES.get(kind)
    if route is None:
        raise LocalError(f"--kind must be one of {', '.join(_ROUTES)}, was {kind!r}")
    page = session.api.pages("bots", bot, route, limit=limit, symbol=symbol)
    if since is not None:
        start = since_of(since, now=session.now())
        page["items"] = [item for item in page["items"] if happened(item) >= start]
    session.show(page, lambda: decisions_table(page["items"], session=session))


def happened(entry: Mapping[str, Any]) -> datetime:
    """When an entry of the journal was written."""
    return datetime.fromisoformat(str(entry["at"]))


def decisions_table(entries: Sequence[Mapping[str, Any]], *, session: Session) -> RenderableType:
    """Decisions, one to a line."""
    columns = (whole("at"), "kind", whole("symbol"), "reason", "numbers", whole("order"))
    rows = [
        (
            at(item["at"], now=session.now()),
            item["kind"],
            item["symbol"],
            reason(item["reason"]),
            item.get("numbers") or None,
            (item.get("intent_id") or "")[:8],
        )
        for item in entries
    ]
    return table(columns, rows)
