"""Alerts of charting services, and the tokens they carry."""

from decimal import Decimal, InvalidOperation
from typing import Any

from surefill.api.bodies import AlertBody
from surefill.api.services import new_router, services_of
from surefill.domain.money import ZERO
from surefill.usecases.control.errors import RequestRefusedError
from surefill.wire import to_wire

router = new_router()
_LARGEST, _STEP = Decimal(10) ** 15, Decimal("0.00000001")


@router.post("/bots/<bot_id>/hook")
def create_hook(bot_id: str) -> dict[str, Any]:
    """A new token for the bot's alerts. It is shown this once; the one before it is worth nothing any more."""
    return {"bot_id": bot_id, "path": f"/hooks/{bot_id}", "token": services_of(router).hooks.create(bot_id)}


@router.delete("/bots/<bot_id>/hook")
def delete_hook(bot_id: str) -> dict[str, Any]:
    """Take no more alerts for the bot."""
    services_of(router).hooks.remove(bot_id)
    return {"bot_id": bot_id, "takes_alerts": False}


@router.post("/hooks/<bot_id>")
def take_alert(bot_id: str, body: AlertBody) -> dict[str, Any]:
    """An alert; its token is all the authorisation there is. The bot's gates, sizing and limits decide about it."""
    alert = services_of(router).hooks.take(
        bot_id, token=body.token, action=body.action, price=_price(body.price), symbol=body.symbol
    )
    return {"bot_id": bot_id, "alert": to_wire(alert)}


def _price(given: str | float | None) -> Decimal | None:
    """A JSON number was rounded to 17 digits on its way, far finer than the comparison it is for."""
    if given is None:
        return None
    try:
        price = Decimal(str(given))
    except InvalidOperation:
        price = ZERO
    if not price.is_finite() or not ZERO < price < _LARGEST:
        raise RequestRefusedError("price", f"price must be a number above 0, was {given!r}")
    return price.quantize(_STEP)
