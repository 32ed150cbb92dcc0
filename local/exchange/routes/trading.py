"""Trading endpoints: new order, test order, cancel, cancel all.

Source: Binance spot REST docs, "New order", "Test new order", "Cancel order", "Cancel all open orders on a symbol".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.exchange import errors
from local.exchange.errors import BinanceError
from local.exchange.faults import FaultKind, milliseconds
from local.exchange.order_entry import CLIENT_ID, check_new_order, read_new_order
from local.exchange.orders import CANCELED, NEW, PARTIALLY_FILLED, acknowledgement, cancel_reply, new_order_reply

if TYPE_CHECKING:
    from local.exchange.orders import Order
    from local.exchange.parameters import Parameters
    from local.exchange.state import Call


def new_order(call: Call) -> dict[str, Any]:
    """POST /api/v3/order."""
    state = call.state
    request = read_new_order(state, call.parameters)
    call.headers.update(state.limits.count_order(call.owner.name, now_ms=call.now_ms))
    check_new_order(state, state.market(request.symbol), call.owner, request, now_ms=call.now_ms)
    lag = call.faults.get(FaultKind.VISIBILITY_LAG)
    partial = call.faults.get(FaultKind.PARTIAL_FILL_THEN_EXPIRE)
    order = state.engine.place(
        call.owner,
        request,
        now_ms=call.now_ms,
        visible_from_ms=call.now_ms + milliseconds(lag.options["seconds"]) if lag else 0,
        only=partial.options["ratio"] if partial else None,
    )
    if request.reply == "ACK":
        return acknowledgement(order)
    return new_order_reply(order, full=request.reply == "FULL")


def test_order(call: Call) -> dict[str, Any]:
    """POST /api/v3/order/test: checks an order without placing it."""
    call.parameters.text("computeCommissionRates")
    request = read_new_order(call.state, call.parameters)
    check_new_order(call.state, call.state.market(request.symbol), call.owner, request, now_ms=call.now_ms)
    return {}


def cancel_order(call: Call) -> dict[str, Any]:
    """DELETE /api/v3/order. Raises -2011 when no open order is meant."""
    parameters = call.parameters
    symbol = call.state.market(parameters.required("symbol")).symbol
    order = _meant(call, symbol, parameters)
    cancel_id = parameters.matching("newClientOrderId", CLIENT_ID) or call.state.new_client_id()
    restriction = parameters.text("cancelRestrictions")
    parameters.finish()
    if order is None:
        raise errors.cancel_rejected()
    _check_restriction(restriction, order)
    crossing = call.faults.get(FaultKind.FILL_AFTER_CANCEL)
    if crossing is None or order.waits_for_stop:
        call.state.engine.cancel(order, now_ms=call.now_ms)
        return cancel_reply(order, cancel_id=cancel_id)
    reply = {**cancel_reply(order, cancel_id=cancel_id), "status": CANCELED, "transactTime": call.now_ms}
    call.state.engine.fill_resting(order, share=crossing.options["ratio"], now_ms=call.now_ms)
    if crossing.options["reply"] == "unknown":
        call.state.engine.cancel(order, now_ms=call.now_ms)  # -2011 when the fill was complete
        return cancel_reply(order, cancel_id=cancel_id)
    if order.is_open:
        call.state.engine.cancel(order, now_ms=call.now_ms)
    return reply


def cancel_open_orders(call: Call) -> list[dict[str, Any]]:
    """DELETE /api/v3/openOrders on one symbol. Raises -2011 when there are none."""
    symbol = call.state.market(call.parameters.required("symbol")).symbol
    call.parameters.finish()
    opened = call.state.engine.open_orders(call.owner.name, symbol)
    if not opened:
        raise errors.cancel_rejected()
    cancel_id = call.state.new_client_id()
    for order in opened:
        call.state.engine.cancel(order, now_ms=call.now_ms)
    return [cancel_reply(order, cancel_id=cancel_id) for order in opened]


def _meant(call: Call, symbol: str, parameters: Parameters) -> Order | None:
    """The open order a cancel names."""
    order_id, client_id = parameters.integer("orderId"), parameters.text("origClientOrderId")
    if order_id is None and client_id is None:
        raise errors.one_of_mandatory("origClientOrderId", "orderId")
    for order in call.state.engine.open_orders(call.owner.name, symbol):
        if order_id in (None, order.order_id) and client_id in (None, order.request.client_order_id):
            return order
    return None


def _check_restriction(restriction: str | None, order: Order) -> None:
    """Rule: cancelRestrictions allows a cancel only in one of the two open states."""
    if restriction is None:
        return
    if restriction not in ("ONLY_NEW", "ONLY_PARTIALLY_FILLED"):
        raise BinanceError(-1145, "cancelRestrictions has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.")
    if order.status != (NEW if restriction == "ONLY_NEW" else PARTIALLY_FILLED):
        raise errors.cancel_rejected("Order was not canceled due to cancel restrictions.")
