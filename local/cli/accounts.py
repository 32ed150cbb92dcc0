"""`surefill accounts`: accounts at an exchange."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from local.cli.command import Session, Yes, api_command
from local.cli.completion import AccountId
from local.cli.output import at, exact, facts, money, right, state, table, when, whole

app = typer.Typer(no_args_is_help=True, add_completion=False)


@api_command(app, "list")
def list_(session: Session) -> None:
    """All accounts, and whether their money agrees with the exchange."""
    page = session.api.pages("accounts", limit=None)

    def picture() -> RenderableType:
        columns = (
            whole("account"), whole("mode"), "venue", right("balance"), "currency", whole("state"), whole("read"),
            "differences",
        )  # fmt: skip
        rows = [
            (
                item["account_id"],
                item["mode"],
                item["venue"],
                money(item.get("balances", {}).get(item["currency"])),
                item["currency"],
                state(item["state"]),
                at(item.get("reconciled_at"), now=session.now()),
                item.get("differences"),
            )
            for item in page["items"]
        ]
        return table(columns, rows)

    session.show(page, picture)


@api_command(app)
def show(session: Session, account: AccountId) -> None:
    """One account: balances, differences, and what keeps it from trading."""
    found = session.api.get("accounts", account)
    session.show(found, lambda: account_picture(found, session=session))


@api_command(app, changes=True)
def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="Name: small letters, digits and underscores.")],
    mode: Annotated[str, typer.Option(help="paper fills against live prices without orders; live trades.")] = "paper",
    venue: Annotated[str, typer.Option(help="The exchange, in ccxt's name.")] = "binance",
    currency: Annotated[str, typer.Option(help="What its bots pay with.")] = "USDT",
    secret: Annotated[str | None, typer.Option(help="Secret with the API keys of a live account.")] = None,
    paper_balance: Annotated[str | None, typer.Option(help="What a paper account starts with.")] = None,
    yes: Yes = False,
) -> None:
    """Register an account. A live one needs --secret, a paper one --paper-balance."""
    if mode == "live":
        session.confirm(f"Register {name} at {venue} as a live account, whose bots trade real money?", yes=yes)
    body = {
        "name": name, "venue": venue, "mode": mode, "currency": currency,
        "secret_name": secret, "paper_balance": paper_balance,
    }  # fmt: skip
    made = session.api.post("accounts", body={field: value for field, value in body.items() if value is not None})
    session.show(made, lambda: account_picture(made, session=session))


def account_picture(account: Mapping[str, Any], *, session: Session) -> RenderableType:
    """One account, for the eye."""
    head = facts(
        [
            ("account", account["account_id"]),
            ("state", state(account["state"])),
            ("because", account.get("state_reason") or None),
            ("mode", account["mode"]),
            ("venue", account["venue"]),
            ("currency", account["currency"]),
            ("secret", account.get("secret_name")),
            ("paper balance", money(account.get("paper_balance"))),
            ("read from the venue", when(account.get("reconciled_at"), now=session.now())),
            ("next try", when(account.get("retry_at"), now=session.now())),
        ]
    )
    parts: list[RenderableType] = [head]
    for title, values in (("balances", account.get("balances")), ("differences", account.get("differences"))):
        if values:
            rows = [(asset, exact(amount) or amount) for asset, amount in sorted(values.items())]
            parts += ["", table((whole("asset"), right("amount")), rows, title=title)]
    return Group(*parts)
