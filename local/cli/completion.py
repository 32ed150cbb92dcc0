"""Arguments that complete themselves: bots and their symbols."""

from typing import Annotated

import typer

from local.cli.command import Chosen, Session, where_of


def complete_bot(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of bots that begin so. Nothing when they can't be had: completion never complains."""
    return [name for name in names_of("bots", "bot_id", ctx) if name.startswith(incomplete)]


def complete_budget(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of budgets that begin so."""
    return [name for name in names_of("budgets", "budget_id", ctx) if name.startswith(incomplete)]


def complete_account(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of accounts that begin so."""
    return [name for name in names_of("accounts", "account_id", ctx) if name.startswith(incomplete)]


def names_of(kind: str, field: str, context: typer.Context) -> list[str]:
    """The names of a kind of thing on the stage the command line names so far."""
    from local.client.cache import cached_names

    given = context.params
    where = where_of(
        Chosen(stage=given.get("stage"), profile=given.get("profile"), region=given.get("region")), context
    )

    def fetch() -> list[str]:
        return [str(item[field]) for item in Session(where).api.each(kind)]

    try:
        return cached_names(kind, where, fetch=fetch)
    except Exception:
        return []


BotName = Annotated[str, typer.Argument(metavar="BOT", help="Name of the bot.", autocompletion=complete_bot)]
BotNames = Annotated[list[str], typer.Argument(metavar="BOT...", help="Names of bots.", autocompletion=complete_bot)]
OptionalBot = Annotated[str | None, typer.Argument(metavar="[BOT]", help="Only this bot.", autocompletion=complete_bot)]
BotOption = Annotated[
    str | None, typer.Option("--bot", help="Only this bot.", show_default=False, autocompletion=complete_bot)
]
BudgetId = Annotated[str, typer.Argument(metavar="BUDGET", help="Id of the budget.", autocompletion=complete_budget)]
AccountId = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="Id of the account.", autocompletion=complete_account)
]
AccountOption = Annotated[
    str | None,
    typer.Option("--account", help="Only this account.", show_default=False, autocompletion=complete_account),
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most, newest first.")]
