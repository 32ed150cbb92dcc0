"""`surefill budgets`: money of an account set aside for bots."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from local.cli.command import Session, Yes, api_command
from local.cli.completion import AccountId, BudgetId, Limit
from local.cli.output import at, decimal, exact, facts, gain, money, right, state, table, whole
from local.errors import LocalError

_COUNTS = frozenset({"max_open_positions", "max_trades_per_day"})
app = typer.Typer(no_args_is_help=True, add_completion=False)
Amount = Annotated[str, typer.Argument(help="Amount in the account's currency, e.g. 250.50.")]


@api_command(app, "list")
def list_(session: Session) -> None:
    """All budgets: what is free, held for orders, in positions, won or lost."""
    page = session.api.pages("budgets", limit=None)

    def picture() -> RenderableType:
        columns = (
            whole("budget"), right("funded"), right("available"), right("reserved"), right("deployed"),
            right("realised"), right("open"), right("today"), whole("entries"),
        )  # fmt: skip
        rows = [
            (
                item["budget_id"],
                money(item["funded"]),
                money(item["available"]),
                money(item["reserved"]),
                money(item["deployed"]),
                gain(item["realised"]),
                item["open_positions"],
                item["trades_today"],
                state("on" if item["entries_allowed"] else "off"),
            )
            for item in page["items"]
        ]
        return table(columns, rows)

    session.show(page, picture)


@api_command(app)
def show(session: Session, budget: BudgetId) -> None:
    """One budget with its limits."""
    found = session.api.get("budgets", budget)
    session.show(found, lambda: budget_picture(found))


@api_command(app, changes=True)
def create(
    session: Session,
    account: AccountId,
    name: Annotated[str, typer.Argument(help="Name: small letters, digits and underscores.")],
    amount: Amount,
    max_open_positions: Annotated[int | None, typer.Option(help="Positions open at once, at most.")] = None,
    max_trades_per_day: Annotated[int | None, typer.Option(help="Entries a day, at most.")] = None,
    max_daily_loss: Annotated[str | None, typer.Option(help="Entries stop for the day after this loss.")] = None,
    yes: Yes = False,
) -> None:
    """Set money of an account aside for bots."""
    _ask(session, f"Set {amount} of {account} aside?", of=account, yes=yes)
    body: dict[str, Any] = {
        "account_id": account, "name": name, "amount": amount, "max_open_positions": max_open_positions,
        "max_trades_per_day": max_trades_per_day, "max_daily_loss": max_daily_loss,
    }  # fmt: skip
    made = session.api.post("budgets", body={field: value for field, value in body.items() if value is not None})
    session.show(made, lambda: budget_picture(made))


@api_command(app, changes=True)
def fund(session: Session, budget: BudgetId, amount: Amount, yes: Yes = False) -> None:
    """Add money of the account to a budget. Asks first on a live account."""
    _move(session, "fund", budget=budget, amount=amount, question=f"Add {amount} to {budget}?", yes=yes)


@api_command(app, changes=True)
def withdraw(session: Session, budget: BudgetId, amount: Amount, yes: Yes = False) -> None:
    """Take free money out of a budget. Asks first on a live account."""
    _move(session, "withdraw", budget=budget, amount=amount, question=f"Take {amount} out of {budget}?", yes=yes)


@api_command(app, changes=True)
def shrink(session: Session, budget: BudgetId, to: Amount, yes: Yes = False) -> None:
    """Take free money out of a budget until so much of its funds is left. Asks first on a live account."""
    _ask(session, f"Shrink {budget} to {to}?", of=budget, yes=yes)
    changed = session.api.post("budgets", budget, "shrink", body={"to": to})
    session.show(changed, lambda: budget_picture(changed))


@api_command(app, changes=True)
def limit(
    session: Session,
    budget: BudgetId,
    limits: Annotated[
        list[str], typer.Argument(metavar="LIMIT=VALUE...", help="max_daily_loss=50, max_open_positions=none")
    ],
) -> None:
    """Change the limits of a budget; none takes one away. They hold inside every claim."""
    changed = session.api.patch("budgets", budget, body=dict(_limit(item) for item in limits))
    session.show(changed, lambda: budget_picture(changed))


@api_command(app)
def ledger(
    session: Session,
    budget: BudgetId,
    dust: Annotated[bool, typer.Option("--dust", help="Only what was too small to be sold.")] = False,
    limit: Limit = 50,
) -> None:
    """Every change of a budget: what moved between available, reserved and deployed."""
    page = session.api.pages("budgets", budget, "dust" if dust else "ledger", limit=limit)
    session.show(page, lambda: ledger_table(page["items"], session=session))


@api_command(app, changes=True)
def entries(
    session: Session, budget: BudgetId, switch: Annotated[str, typer.Argument(metavar="on|off", help="Allow or stop.")]
) -> None:
    """Allow or stop new positions paid from a budget; exits go on."""
    changed = session.api.post("budgets", budget, "entries", switch)
    session.show(changed, lambda: budget_picture(changed))


def budget_picture(budget: Mapping[str, Any]) -> RenderableType:
    """One budget, for the eye."""
    return facts(
        [
            ("budget", budget["budget_id"]),
            ("account", budget["account_id"]),
            ("currency", budget["currency"]),
            ("entries", state("on" if budget["entries_allowed"] else "off")),
            ("funded", money(budget["funded"])),
            ("available", money(budget["available"])),
            ("reserved for orders", money(budget["reserved"])),
            ("in positions", money(budget["deployed"])),
            ("realised", gain(budget["realised"])),
            ("open positions", _of(budget["open_positions"], budget.get("max_open_positions"))),
            ("entries today", _of(budget["trades_today"], budget.get("max_trades_per_day"))),
            ("loss today", _of(money(budget["loss_today"]), money(budget.get("max_daily_loss")))),
            ("most in one asset", money(budget.get("max_exposure_per_asset"))),
            ("most drawdown", money(budget.get("max_drawdown"))),
            ("its day is that of", budget.get("time_zone")),
        ]
    )


def ledger_table(entries: Sequence[Mapping[str, Any]], *, session: Session) -> RenderableType:
    """Changes of a budget, one to a line, the newest of the page first."""
    moved = ("available", "reserved", "deployed", "funded", "realised")
    amounts = [right(name) for name in (*moved, "dust")]
    columns: list[Any] = [whole("at"), *amounts, whole("symbol"), whole("order")]
    rows = [
        (
            at(entry["at"], now=session.now()),
            *(gain(entry[name]) if decimal(entry[name]) else None for name in moved),
            exact(entry["dust"]) if decimal(entry["dust"]) else None,
            entry.get("symbol"),
            (entry.get("intent_id") or "")[:8],
        )
        for entry in sorted(entries, key=lambda entry: str(entry["at"]), reverse=True)
    ]
    return table(columns, rows)


def _limit(item: str) -> tuple[str, Any]:
    name, sign, text = item.partition("=")
    if not sign or not name.strip():
        raise LocalError(f"a limit must look like max_daily_loss=50 or max_daily_loss=none, was {item!r}")
    value: Any = text.strip()
    if value in ("none", "null"):
        value = None
    elif name.strip() in _COUNTS and value.isdigit():
        value = int(value)
    return name.strip(), value


def _of(value: Any, limit: Any) -> str:
    return f"{value}" if limit is None else f"{value} of {limit}"


def _move(session: Session, verb: str, *, budget: str, amount: str, question: str, yes: bool) -> None:
    _ask(session, question, of=budget, yes=yes)
    changed = session.api.post("budgets", budget, verb, body={"amount": amount})
    session.show(changed, lambda: budget_picture(changed))


def _ask(session: Session, question: str, *, of: str, yes: bool) -> None:
    """Only real money is worth a question; an id begins with the mode of its account."""
    if of.startswith("live-"):
        session.confirm(question, yes=yes)
