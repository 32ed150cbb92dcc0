"""`surefill reconcile`: the tables against the exchange."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from local.cli.command import DONE, NO, Session, api_command
from local.cli.output import at, state, table, whole

app = typer.Typer(add_completion=False)


@api_command(app, changes=True)
def reconcile(
    session: Session,
    now: Annotated[bool, typer.Option("--now", help="Settle unfinished orders and compare again, at once.")] = False,
) -> int:
    """Show where accounts and tables differ. Exit code 1 when that keeps an account from trading.

    A positive difference is money that no budget holds.
    """
    found = session.api.post("reconcile", body={"dry": not now})
    session.show(found, lambda: _picture(found, session=session))
    return DONE if all(account["state"] == "OK" for account in found["accounts"]) else NO


def _picture(found: Mapping[str, Any], *, session: Session) -> RenderableType:
    columns = (whole("account"), "state", "because", whole("compared"), "differences")
    rows = [
        (
            account["account_id"],
            state(account["state"]),
            account.get("state_reason"),
            at(account.get("reconciled_at"), now=session.now()),
            account.get("differences") or None,
        )
        for account in found["accounts"]
    ]
    parts: list[RenderableType] = [table(columns, rows)]
    if found["started"]:
        parts.append(Text(f"started: {', '.join(found['started'])}; look again in a moment", style="dim"))
    return Group(*parts)
