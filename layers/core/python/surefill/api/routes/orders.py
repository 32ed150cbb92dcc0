"""Orders, their fills, and the money they hold."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from surefill.api.pages import Limit, Next, cursor_of, shown_page, token_of
from surefill.api.services import new_router, services_of
from surefill.domain.kinds import Leg
from surefill.domain.rows import Intent
from surefill.domain.states import IntentState
from surefill.listings import INTENTS_OF_BOT, UNFINISHED_INTENTS
from surefill.protocol.parts import WORK
from surefill.usecases.control.lists import filtered
from surefill.usecases.control.timeline import order, timeline
from surefill.wire import to_wire

router = new_router()
State = Annotated[IntentState | None, Query(description="only those in this state")]
OfLeg = Annotated[Leg | None, Query(description="only entries, tranches or exits")]


@router.get("/bots/<bot_id>/orders")
def bot_orders(
    bot_id: str, state: State = None, leg: OfLeg = None, limit: Limit = 50, after: Next = None
) -> dict[str, Any]:
    """A bot's orders with their fills, newest first."""

    def keep(intent: Intent) -> bool:
        return (state is None or intent.state is state) and (leg is None or intent.leg is leg)

    services = services_of(router)
    start = cursor_of(after, sizes=(2,))
    return shown_page(filtered(services.store, INTENTS_OF_BOT, bot_id, keep=keep, limit=limit, after=start))


@router.get("/bots/<bot_id>/fills")
def bot_fills(bot_id: str, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """A bot's fills, newest orders first; `limit` counts orders that filled."""
    services = services_of(router)
    page = filtered(
        services.store,
        INTENTS_OF_BOT,
        bot_id,
        keep=lambda intent: bool(intent.fills),
        limit=limit,
        after=cursor_of(after, sizes=(2,)),
    )
    items = [
        {
            "intent_id": intent.intent_id,
            "symbol": intent.symbol,
            "side": intent.side,
            "leg": intent.leg,
            **to_wire(fill),
        }
        for intent in page.rows
        for fill in intent.fills
    ]
    return {"items": items, "next": token_of(page.next)}


@router.get("/orders/<intent_id>")
def read_order(intent_id: str) -> dict[str, Any]:
    """One order."""
    return to_wire(order(services_of(router).store, intent_id))


@router.get("/orders/<intent_id>/timeline")
def order_timeline(intent_id: str) -> dict[str, Any]:
    """One order's life: its moments, its fills, what it did to the budget, and the execution that carried it."""
    return to_wire(timeline(services_of(router).store, intent_id))


@router.get("/reservations")
def reservations(limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """Unfinished orders that hold money, those that are looked at next first."""
    services = services_of(router)
    start = cursor_of(after, sizes=(2,))
    page = filtered(
        services.store, UNFINISHED_INTENTS, WORK, keep=lambda intent: bool(intent.reserved), limit=limit, after=start
    )
    return shown_page(page)
