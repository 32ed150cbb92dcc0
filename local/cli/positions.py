"""`surefill positions`: what is held, and its levels."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from local.cli.bots import mode_of, place_of
from local.cli.command import Session, Yes, api_command
from local.cli.completion import AccountOption, BotName, BotOption
from local.cli.orders import order_picture
from local.cli.output import decimal, exact, facts, money, percent, right, state, table, when, whole

app = typer.Typer(no_args_is_help=True, add_completion=False)
Symbol = Annotated[str, typer.Argument(help="Symbol, e.g. BTC/USDT.")]
Rung = Annotated[str | None, typer.Option(help="Rung of a grid, e.g. level3.", show_default=False)]


@api_command(app, "list")
def list_(session: Session, bot: BotOption = None, account: AccountOption = None) -> None:
    """Everything held now, and orders that are changing it."""
    page = session.api.pages("positions", limit=None, bot_id=bot, account_id=account)

    def picture() -> RenderableType:
        columns = (
            whole("bot"), "mode", whole("symbol"), "state", right("quantity"), right("cost"), right("entry"),
            right("TP"), right("SL"), whole("open"),
        )  # fmt: skip
        rows = [
            (
                item["bot_id"],
                mode_of(item),
                place_of(item),
                state("FREEZE" if item.get("frozen") else item["state"]),
                exact(item["quantity"]),
                money(item["cost"]),
                entry_price(item),
                exact(item.get("take_profit")),
                exact(item.get("stop_loss")),
                when(item.get("opened_at"), now=session.now()),
            )
            for item in page["items"]
        ]
        return table(columns, rows)

    session.show(page, picture)


@api_command(app)
def show(session: Session, bot: BotName, symbol: Symbol, rung: Rung = None) -> None:
    """One position with everything that may sell it."""
    found = session.api.get("bots", bot, "positions", symbol, rung=rung)
    session.show(found, lambda: position_picture(found, session=session))


@api_command(app, changes=True)
def close(session: Session, bot: BotName, symbol: Symbol, rung: Rung = None, yes: Yes = False) -> None:
    """Sell a position now at the market. Asking twice is one sale."""
    session.confirm(f"Sell what {bot} holds of {symbol} now?", yes=yes)
    body = {"bot_id": bot, "symbol": symbol, **({"rung": rung} if rung else {})}
    order = session.api.post("positions", "close", body=body)
    session.show(order, lambda: order_picture(order, session=session))


@api_command(app, changes=True)
def levels(
    session: Session,
    bot: BotName,
    symbol: Symbol,
    take_profit: Annotated[str | None, typer.Option(help="Take profit in % of the average cost, 0 for none.")] = None,
    stop_loss: Annotated[str | None, typer.Option(help="Stop loss in % of the average cost, 0 for none.")] = None,
    trailing: Annotated[str | None, typer.Option(help="Trailing stop in %, 0 for none.")] = None,
    rung: Rung = None,
) -> None:
    """Change what one open position is sold at; the bot's own definition stays."""
    given = {
        "take_profit_percent": take_profit, "stop_loss_percent": stop_loss, "trailing_percent": trailing, "rung": rung,
    }  # fmt: skip
    body = {name: value for name, value in given.items() if value is not None}
    changed = session.api.patch("bots", bot, "positions", symbol, body=body)
    session.show(changed, lambda: position_picture(changed, session=session))


def position_picture(slot: Mapping[str, Any], *, session: Session) -> RenderableType:
    """One position, for the eye."""
    now = session.now()
    return facts(
        [
            ("bot", slot["bot_id"]),
            ("symbol", place_of(slot)),
            ("state", state(slot["state"])),
            ("frozen", slot.get("frozen") or None),
            ("held because", slot.get("held_reason")),
            ("account", slot["account_id"]),
            ("budget", slot["budget_id"]),
            ("quantity", exact(slot["quantity"])),
            ("cost", money(slot["cost"])),
            ("entry price", entry_price(slot)),
            ("open since", when(slot.get("opened_at"), now=now)),
            ("take profit", _level(slot, "take_profit")),
            ("stop loss", _level(slot, "stop_loss")),
            ("exit rules", slot.get("exit_rules") or None),
            ("highest bid", exact(slot.get("highest"))),
            ("buys", (slot.get("tranches") or 0) + 1),
            ("ladder steps sold", slot.get("ladder_done") or None),
            ("last exit check", slot.get("exit_reason")),
            ("entry order", slot.get("entry_intent_id")),
            ("exit order", slot.get("exit_intent_id")),
        ]
    )


def entry_price(slot: Mapping[str, Any]) -> str | None:
    """The average price paid, fees included."""
    quantity, cost = decimal(slot.get("quantity")), decimal(slot.get("cost"))
    if not quantity or cost is None:
        return None
    return exact(f"{cost / quantity:.8g}")


def _level(slot: Mapping[str, Any], name: str) -> str | None:
    level, share = exact(slot.get(name)), percent(slot.get(f"{name}_percent"))
    return f"{level} ({share})" if level and share else level
