"""`surefill positions`: what is held, and its levels."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from local.cli.bots import mode_of, place_of
from local.cli.command import Session, Yes, api_command
from local.cli.completion import AccountOption, BotName, BotOption, Limit
from local.cli.orders import order_picture
from local.cli.output import (
    age,
    at,
    decimal,
    exact,
    facts,
    gain,
    money,
    percent,
    reason,
    right,
    state,
    table,
    when,
    whole,
)
from local.errors import LocalError

app = typer.Typer(no_args_is_help=True, add_completion=False)
Symbol = Annotated[str, typer.Argument(help="Symbol, e.g. BTC/USDT.")]
Rung = Annotated[str | None, typer.Option(help="Rung of a grid, e.g. level3.", show_default=False)]


@api_command(app, "list")
def list_(session: Session, bot: BotOption = None, account: AccountOption = None) -> None:
    """Everything held now, and orders that are changing it."""
    page = session.api.pages("positions", limit=None, bot=bot)
    if account is not None:
        page["items"] = [item for item in page["items"] if item["account_id"] == account]

    def picture() -> RenderableType:
        columns = (
            "bot", whole("mode"), whole("symbol"), whole("state"), right("quantity"), right("cost"), right("entry"),
            right("bid"), right("gain"), right("TP"), right("SL"), whole("open"),
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
                exact(item.get("bid")),
                gain(item.get("unrealised")),
                exact(item.get("take_profit")),
                exact(item.get("stop_loss")),
                age(item.get("opened_at"), now=session.now()),
            )
            for item in page["items"]
        ]
        return table(columns, rows)

    session.show(page, picture)


@api_command(app)
def show(session: Session, bot: BotName, symbol: Symbol, rung: Rung = None) -> None:
    """One position with everything that may sell it."""
    held = [
        item
        for item in session.api.each("positions", bot=bot)
        if item["symbol"] == symbol and (rung is None or item.get("rung") == rung)
    ]
    if not held:
        session.api.get("bots", bot)  # a bot that does not exist is the better answer
        raise LocalError(f"symbol: bot {bot} holds nothing of {symbol}: see `surefill positions list --bot {bot}`")
    for slot in held:
        session.show(slot, lambda slot=slot: position_picture(slot, session=session))  # type: ignore[misc]


@api_command(app)
def closed(session: Session, bot: BotName, limit: Limit = 20) -> None:
    """What a bot has sold, newest first: what it had cost, and what it realised."""
    page = session.api.pages("bots", bot, "positions", "closed", limit=limit)

    def picture() -> RenderableType:
        columns = (
            whole("sold"), whole("symbol"), right("quantity"), right("had cost"), right("for"), right("realised"),
            "because", whole("opened"),
        )  # fmt: skip
        rows = [
            (
                at(item.get("finished_at"), now=session.now()),
                place_of(item),
                exact(item["filled_quantity"]),
                money(item.get("basis")),
                money(item["filled_cost"]),
                gain(item.get("realised")),
                reason(item["reason"]),
                age(item.get("opened_at"), now=session.now()),
            )
            for item in page["items"]
        ]
        return table(columns, rows)

    session.show(page, picture)


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
    wanted = {"take_profit_percent": take_profit, "stop_loss_percent": stop_loss, "trailing_percent": trailing}
    if all(value is None for value in wanted.values()):
        raise LocalError("name what shall change: --take-profit, --stop-loss or --trailing")
    body = {"bot_id": bot, "symbol": symbol, "rung": rung, **wanted}
    changed = session.api.patch("positions", body={name: value for name, value in body.items() if value is not None})
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
            ("bid", _bid(slot, session=session)),
            ("unrealised", gain(slot.get("unrealised"))),
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


def _bid(slot: Mapping[str, Any], *, session: Session) -> str | None:
    bid = exact(slot.get("bid"))
    return f"{bid} at {at(slot['priced_at'], now=session.now())}" if bid else None


def _level(slot: Mapping[str, Any], name: str) -> str | None:
    level, share = exact(slot.get(name)), percent(slot.get(f"{name}_percent"))
    return f"{level} ({share})" if level and share else level
