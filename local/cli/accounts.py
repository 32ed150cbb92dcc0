"""`surefill accounts`: accounts at an exchange."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from local.cli.command import Session, Yes, api_command
from local.cli.completion import AccountId, Limit
from local.cli.output import at, exact, facts, money, right, state, table, when, whole
from local.cli.times import since_of

app = typer.Typer(no_args_is_help=True, add_completion=False)
_SEE = "surefill accounts trades"


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


@api_command(app, changes=True)
def delete(session: Session, account: AccountId, yes: Yes = False) -> None:
    """Delete an account that never had a budget."""
    session.confirm(f"Delete account {account}?", yes=yes)
    answer = session.api.delete("accounts", account)
    session.show(answer, lambda: f"{account} is deleted")


@api_command(app, "import", changes=True)
def import_(
    session: Session,
    account: AccountId,
    symbol: Annotated[list[str], typer.Option(metavar="SYMBOL", help="A market; give it again for several.")],
    since: Annotated[str, typer.Option(help="From then on: 30d, 2026-01-31, 2026-01-31T09:00+01:00.")],
) -> None:
    """Read the past trades of a live account from its exchange, under their real ids."""
    start = since_of(since, now=session.now())
    body = {"symbols": symbol, "since": start.isoformat()}
    asked = session.api.post("accounts", account, "import", body=body)
    session.show(
        asked, lambda: Text(f"reading {', '.join(asked['symbols'])} since {asked['since']}; see: {_SEE} {account}")
    )


@api_command(app)
def trades(
    session: Session,
    account: AccountId,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.", show_default=False)] = None,
    limit: Limit = 30,
) -> None:
    """The imported trades of an account, newest first; those of bots name their order."""
    page = session.api.pages("accounts", account, "trades", limit=limit, symbol=symbol)
    session.show(page, lambda: _trades(page["items"], session=session))


def _trades(items: Sequence[Mapping[str, Any]], *, session: Session) -> RenderableType:
    columns = (
        whole("at"), whole("symbol"), whole("side"), right("quantity"), right("price"), right("cost"), right("fee"),
        "asset", whole("trade"), whole("order"),
    )  # fmt: skip
    rows = [
        (
            at(item["at"], now=session.now()),
            item["symbol"],
            item["side"],
            exact(item["quantity"]),
            exact(item["price"]),
            money(item["cost"]),
            exact(item["fee"]),
            item["fee_asset"],
            item["trade_id"],
            (item.get("ours") or "")[:8],
        )
        for item in items
    ]
    return table(columns, rows)


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
            (
                "importing trades",
                [f"{symbol} from {since}" for symbol, since in account.get("imports", {}).items()] or None,
            ),
        ]
    )
    parts: list[RenderableType] = [head]
    for title, values in (("balances", account.get("balances")), ("differences", account.get("differences"))):
        if values:
            rows = [(asset, exact(amount) or amount) for asset, amount in sorted(values.items())]
            parts += ["", table((whole("asset"), right("amount")), rows, title=title)]
    return Group(*parts)
