"""`surefill orders`: orders, and the timeline of one."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from local.cli.bots import mode_of
from local.cli.command import Session, api_command
from local.cli.completion import BotName, Limit, OptionalBot
from local.cli.output import at, decimal, exact, facts, gain, money, reason, right, state, table, when, whole
from local.errors import LocalError

app = typer.Typer(no_args_is_help=True, add_completion=False)
# Of an id, what tells orders apart for the eye; its whole length; and how many orders are looked through for one.
_SHORT, _WHOLE, _SEARCHED = 8, 32, 200
StateOption = Annotated[
    str | None, typer.Option("--state", help="Only orders in this state, e.g. FILLED.", show_default=False)
]
_SIDES = {"BUY": "green", "SELL": "magenta"}


@api_command(app, "list")
def list_(session: Session, bot: OptionalBot = None, state: StateOption = None, limit: Limit = 20) -> None:
    """The newest orders of one bot or of all."""
    page = orders_of(session, bot, limit=limit, state=state.upper() if state else None)
    session.show(page, lambda: orders_table(page["items"], session=session))


@api_command(app, "open")
def open_(session: Session) -> None:
    """Orders that are not finished and hold money, of all bots."""
    page = session.api.pages("reservations", limit=None)
    session.show(page, lambda: orders_table(page["items"], session=session))


@api_command(app)
def show(
    session: Session,
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Id of the order, or how it begins.")],
) -> None:
    """One order from decision to record: what happened when, its fills, and what it did to its budget."""
    found = session.api.get("orders", full_id(session, order), "timeline")
    session.show(found, lambda: timeline_picture(found, session=session))


@api_command(app)
def fills(session: Session, bot: BotName, limit: Limit = 20) -> None:
    """What a bot's newest orders were filled with."""
    page = session.api.pages("bots", bot, "fills", limit=limit)

    def picture() -> RenderableType:
        columns = (
            whole("order"), whole("symbol"), "side", "leg", right("quantity"), right("price"), right("cost"),
            right("fee"), "asset",
        )  # fmt: skip
        rows = [
            (
                item["intent_id"][:_SHORT], item["symbol"], side_of(item), item["leg"], exact(item["quantity"]),
                exact(item["price"]), money(item["cost"]), exact(item["fee"]), item["fee_asset"],
            )
            for item in page["items"]
        ]  # fmt: skip
        return table(columns, rows)

    session.show(page, picture)


def orders_of(session: Session, bot: str | None, *, limit: int, state: str | None = None) -> dict[str, Any]:
    """The newest orders of a bot, or of all bots in one page."""
    if bot is not None:
        return session.api.pages("bots", bot, "orders", limit=limit, state=state)
    found = [
        order
        for each in session.api.each("bots")
        for order in session.api.pages("bots", each["bot_id"], "orders", limit=limit, state=state)["items"]
    ]
    found.sort(key=lambda order: (order["created_at"], order["intent_id"]), reverse=True)
    return {"items": found[:limit], "next": None}


def full_id(session: Session, order: str) -> str:
    """The id an order begins with. Raises LocalError when none or several of the newest do."""
    if len(order) >= _WHOLE:
        return order
    newest = orders_of(session, None, limit=_SEARCHED)["items"]
    found = [item["intent_id"] for item in newest if item["intent_id"].startswith(order)]
    if len(found) != 1:
        told = f"{len(found)} of the newest orders begin so" if found else "none of the newest orders begins so"
        raise LocalError(f"ORDER must be the id of an order, or enough of its beginning: {told}, was {order!r}")
    return str(found[0])


def orders_table(orders: Sequence[Mapping[str, Any]], *, session: Session) -> RenderableType:
    """Orders, one to a line."""
    columns = (
        whole("order"), whole("created"), "bot", whole("mode"), whole("symbol"), whole("side"), whole("state"),
        right("filled"), right("realised"),
    )  # fmt: skip
    rows = [
        (
            item["intent_id"][:_SHORT],
            at(item["created_at"], now=session.now()),
            item["bot_id"],
            mode_of(item),
            item["symbol"],
            side_of(item),
            state(item["state"]),
            filled(item),
            gain(item.get("realised")),
        )
        for item in orders
    ]
    return table(columns, rows)


def timeline_picture(found: Mapping[str, Any], *, session: Session) -> RenderableType:
    """An order and its life."""
    moments = [
        (at(item.get("at"), now=session.now()), item["what"], item.get("details") or None) for item in found["moments"]
    ]
    parts = [
        order_picture(found["intent"], session=session),
        "",
        table((whole("at"), whole("what"), "details"), moments, title="timeline"),
    ]
    if found.get("ledger"):
        columns = (
            whole("at"), right("available"), right("reserved"), right("deployed"), right("realised"), right("dust"),
        )  # fmt: skip
        rows = [
            (
                at(entry["at"], now=session.now()),
                *(gain(entry[name]) for name in ("available", "reserved", "deployed", "realised")),
                exact(entry["dust"]),
            )
            for entry in found["ledger"]
        ]
        parts += ["", table(columns, rows, title="budget")]
    return Group(*parts)


def order_picture(order: Mapping[str, Any], *, session: Session) -> RenderableType:
    """One order with its fills, for the eye."""
    parts: list[RenderableType] = [
        facts(
            [
                ("order", order["intent_id"]),
                ("bot", order["bot_id"]),
                ("account", order["account_id"]),
                ("symbol", order["symbol"]),
                ("what", Text.assemble(side_of(order), f" {order['leg'].lower()}, {order['kind']}")),
                ("state", state(order["state"])),
                ("because", reason(order["reason"])),
                ("outcome", reason(order.get("outcome"))),
                ("quantity", exact(order["quantity"])),
                ("limit", exact(order.get("limit_price"))),
                ("reserved", money(order["reserved"]) if decimal(order["reserved"]) else None),
                ("filled", filled(order)),
                ("realised", gain(order.get("realised"))),
                ("venue's id", order.get("venue_order_id")),
                ("created", when(order["created_at"], now=session.now())),
                ("sent", when(order.get("sent_at"), now=session.now())),
                ("finished", when(order.get("finished_at"), now=session.now())),
            ]
        )
    ]
    if order.get("fills"):
        columns = (whole("fill"), right("quantity"), right("price"), right("cost"), right("fee"), "asset")
        rows = [
            (fill["trade_id"], exact(fill["quantity"]), exact(fill["price"]), money(fill["cost"]), exact(fill["fee"]),
             fill["fee_asset"])
            for fill in order["fills"]
        ]  # fmt: skip
        parts += ["", table(columns, rows)]
    return Group(*parts)


def side_of(order: Mapping[str, Any]) -> Text:
    """BUY or SELL in its colour."""
    return Text(order["side"], style=_SIDES.get(order["side"], ""))


def filled(order: Mapping[str, Any]) -> str | None:
    """How much was filled, at which average price."""
    quantity, cost = decimal(order.get("filled_quantity")), decimal(order.get("filled_cost"))
    if not quantity or cost is None:
        return None
    return f"{exact(quantity)} at {exact(f'{cost / quantity:.8g}')}"
