"""Admin endpoints for what an owner does besides the API: deposit, withdraw, trade and cancel by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.exchange.order_entry import check_new_order, read_new_order
from local.exchange.orders import new_order_reply, order_info
from local.exchange.parameters import Parameters
from local.exchange.routes.admin_fields import account_of, amount_of, read_fields, read_object

if TYPE_CHECKING:
    from local.exchange.accounts import Account
    from local.exchange.messages import Request
    from local.exchange.state import ExchangeState


def balances_of(account: Account) -> dict[str, dict[str, Decimal]]:
    """Free and locked amounts by asset."""
    return {
        asset: {"free": balance.free, "locked": balance.locked} for asset, balance in sorted(account.balances.items())
    }


def show_balances(state: ExchangeState, request: Request) -> dict[str, Any]:
    """GET /admin/balances."""
    del request
    return {account.name: balances_of(account) for account in state.ledger.accounts.values()}


def change_balance(state: ExchangeState, request: Request) -> dict[str, Any]:
    """POST /admin/balances: a deposit or withdrawal, by `change` or so that `free` is left."""
    fields = read_fields(request, "account", "asset", "change", "free")
    account, asset = account_of(state, fields), fields.get("asset")
    change, free = amount_of(fields, "change"), amount_of(fields, "free")
    if not isinstance(asset, str) or not asset or (change is None) == (free is None):
        raise ValueError(f"expected account, asset and either change or free, was {sorted(fields)}")
    if free is not None:
        if free < 0:
            raise ValueError(f"free must be at least 0, was {free}")
        change = free - account.balance(asset).free
    state.ledger.deposit(account, asset, change or Decimal(0))
    account.updated_ms = state.now_ms
    return balances_of(account)


def change_account(state: ExchangeState, request: Request) -> dict[str, Any]:
    """POST /admin/accounts: switch the payment of fees in BNB on or off."""
    fields = read_fields(request, "account", "fees_in_bnb")
    account = account_of(state, fields)
    wanted = fields.get("fees_in_bnb")
    if not isinstance(wanted, bool):
        raise ValueError(f"fees_in_bnb must be true or false, was {wanted!r}")
    account.fees_in_bnb = wanted
    return {"account": account.name, "fees_in_bnb": wanted}


def place_by_hand(state: ExchangeState, request: Request) -> dict[str, Any]:
    """POST /admin/orders: the parameters of POST /api/v3/order plus `account`, as placed on the website."""
    content = read_object(request)
    account = account_of(state, content)
    parameters = Parameters({name: str(value) for name, value in content.items() if name != "account"})
    order = read_new_order(state, parameters)
    check_new_order(state, state.market(order.symbol), account, order, now_ms=state.now_ms)
    return new_order_reply(state.engine.place(account, order, now_ms=state.now_ms), full=True)


def cancel_by_hand(state: ExchangeState, request: Request) -> dict[str, Any]:
    """DELETE /admin/orders with `order_id`."""
    order_id = amount_of(read_fields(request, "order_id"), "order_id")
    order = state.engine.orders.get(int(order_id or 0))
    if order is None or not order.is_open:
        raise ValueError(f"there is no open order {order_id}, expected the order_id of one")
    state.engine.cancel(order, now_ms=state.now_ms)
    return order_info(order)
