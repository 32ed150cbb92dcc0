"""`surefill statistics`: what came of it."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from local.cli.command import Session, api_command
from local.cli.completion import AccountOption, OptionalBot, complete_budget
from local.cli.output import at, decimal, exact, facts, gain, money, percent, right, table, when, whole
from local.errors import LocalError

app = typer.Typer(add_completion=False)
_DAYS_SHOWN = 14


@api_command(app)
def statistics(
    session: Session,
    bot: OptionalBot = None,
    budget: Annotated[
        str | None,
        typer.Option(help="Of a budget: all its bots.", show_default=False, autocompletion=complete_budget),
    ] = None,
    account: AccountOption = None,
) -> None:
    """Show profit, wins, fees and drawdown of a bot, a budget or an account. Paper and live are never put together."""
    if sum(given is not None for given in (bot, budget, account)) != 1:
        raise LocalError("say whose: a BOT, --budget ID or --account ID")
    kind, name = ("bots", bot) if bot else ("budgets", budget) if budget else ("accounts", account)
    found = session.api.get(kind, str(name), "statistics")
    session.show(found, lambda: picture(found, session=session))


def picture(found: Mapping[str, Any], *, session: Session) -> RenderableType:
    """Figures, and the last days."""
    record = found["record"]
    parts: list[RenderableType] = [
        facts(
            [
                ("of", f"{found['of']} ({found['mode']}, in {found['currency']})"),
                ("at", when(found["at"], now=session.now())),
                ("realised", gain(found["realised"])),
                ("unrealised", _unrealised(found, session=session)),
                ("open positions", found["open_positions"]),
                ("closed trades", found["trades"]),
                ("won and lost", f"{record['wins']} and {record['losses']} ({_share(record['win_rate'])} won)"),
                ("average win", percent(_rounded(record["average_win"]))),
                ("average loss", percent(_rounded(record["average_loss"]))),
                ("best trade", _trade(found.get("best"))),
                ("worst trade", _trade(found.get("worst"))),
                ("fees", {asset: exact(fee) for asset, fee in found["fees"].items()} or None),
                ("deepest fall", f"{money(found['max_drawdown'])} ({percent(found['max_drawdown_percent'])})"),
            ]
        )
    ]
    if found["days"]:
        rows = [(day["day"], day["trades"], day["wins"], gain(day["realised"])) for day in found["days"][-_DAYS_SHOWN:]]
        parts += ["", table((whole("day"), right("trades"), right("wins"), right("realised")), rows)]
    return Group(*parts)


def _unrealised(found: Mapping[str, Any], *, session: Session) -> str:
    told = gain(found.get("unrealised"))
    if told is None:
        return "a price is missing"
    return f"{told} (bids of {at(found['priced_at'], now=session.now())})" if found.get("priced_at") else str(told)


def _share(value: Any) -> str:
    return f"{decimal(value) or 0:.0%}"


def _rounded(value: Any) -> str:
    return f"{decimal(value) or 0:.2f}"


def _trade(trade: Mapping[str, Any] | None) -> str | None:
    return None if trade is None else f"{gain(trade['realised'])} on {trade['symbol']}"
