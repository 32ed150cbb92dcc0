"""Positions: what is held, what was sold, and what a person does to them."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from surefill.api.bodies import LevelsBody, PositionBody
from surefill.api.pages import Limit, Next, cursor_of, shown_page
from surefill.api.services import caller_of, new_router, services_of
from surefill.api.shown import shown_slot
from surefill.domain.kinds import Leg
from surefill.domain.rows import Intent
from surefill.listings import INTENTS_OF_BOT, OPEN_SLOTS
from surefill.protocol.parts import OPEN
from surefill.usecases.control.lists import filtered
from surefill.usecases.control.prices import last_prices
from surefill.wire import to_wire

router = new_router()
OfBot = Annotated[str | None, Query(max_length=200, description="only those of this bot")]
_SOLD = (
    "intent_id", "bot_id", "symbol", "rung", "entry_intent_id", "opened_at", "finished_at", "reason", "basis",
    "realised", "filled_quantity", "filled_cost", "part",
)  # fmt: skip


@router.get("/positions")
def positions(bot: OfBot = None, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """Every place that holds a position or has an order under way, with its worth at the last bid seen."""
    services = services_of(router)
    start = cursor_of(after, sizes=(3,))
    page = filtered(
        services.store, OPEN_SLOTS, OPEN, keep=lambda slot: bot is None or slot.bot_id == bot, limit=limit, after=start
    )
    prices = last_prices(services.store, now=services.clock.now())
    return shown_page(page, lambda slot: shown_slot(slot, prices=prices))


@router.get("/bots/<bot_id>/positions/closed")
def closed_positions(bot_id: str, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """A bot's sales, newest first: what the part that was sold had cost, and what it realised."""
    services = services_of(router)
    page = filtered(
        services.store,
        INTENTS_OF_BOT,
        bot_id,
        keep=lambda intent: intent.leg is Leg.EXIT and intent.realised is not None,
        limit=limit,
        after=cursor_of(after, sizes=(2,)),
    )
    return shown_page(page, _sold)


@router.post("/positions/close")
def close_position(body: PositionBody) -> dict[str, Any]:
    """Sell a position now; asking twice is one sale."""
    return to_wire(services_of(router).positions.close(body.bot_id, symbol=body.symbol, rung=body.rung))


@router.patch("/positions")
def change_position(body: LevelsBody) -> dict[str, Any]:
    """Change take profit, stop loss or trailing of an open position; the bot's definition stays as it is."""
    services = services_of(router)
    who = caller_of(router.current_event.raw_event)
    changed = services.positions.change(body.bot_id, symbol=body.symbol, rung=body.rung, change=body.change(), who=who)
    return shown_slot(changed, prices=last_prices(services.store, now=services.clock.now()))


def _sold(intent: Intent) -> dict[str, Any]:
    shown = to_wire(intent)
    return {name: shown[name] for name in _SOLD if name in shown}
