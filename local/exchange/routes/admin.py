"""Admin endpoints: the table of all of them, and clock, faults, state and requests.

They exist on the local exchange only, need no signature and are never hit by a fault. Bodies are JSON; a mistake is
answered with status 400 and `{"error": "..."}`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from local.exchange.errors import BinanceError
from local.exchange.faults import Faults
from local.exchange.messages import Request, Response, json_response, read_json
from local.exchange.orders import order_info, trade_info
from local.exchange.routes import admin_accounts, admin_markets
from local.exchange.routes.admin_fields import amount_of, read_fields
from local.exchange.rules import symbol_info

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.exchange.state import ExchangeState

_FAULTS_PATH = "/admin/faults/"


def answer_admin(state: ExchangeState, request: Request) -> Response:
    """Answer one admin request."""
    handler = _HANDLERS.get((request.method, request.path))
    if handler is None and request.method == "DELETE" and request.path.startswith(_FAULTS_PATH):
        handler = _clear_one_fault
    if handler is None:
        served = ", ".join(f"{method} {path}" for method, path in _HANDLERS)
        sentence = f"there is no {request.method} {request.path}, expected one of {served}"
        return json_response({"error": sentence}, status=404)
    try:
        return json_response(handler(state, request))
    except (ValueError, BinanceError) as problem:
        return json_response({"error": str(problem)}, status=400)


def dump_state(state: ExchangeState) -> dict[str, Any]:
    """Balances, orders, trades, counters and faults."""
    ledger = state.ledger
    holders = (("book", ledger.book), ("fees", ledger.fees), ("outside", ledger.outside))
    return {
        "now_ms": state.now_ms,
        "seed": state.seed,
        "accounts": {account.name: admin_accounts.balances_of(account) for account in ledger.accounts.values()},
        "holders": {name: {asset: amount for asset, amount in held.items() if amount} for name, held in holders},
        "orders": [{"account": order.account, **order_info(order)} for order in state.engine.orders.values()],
        "trades": [{"account": trade.account, **trade_info(trade)} for trade in state.engine.trades],
        "markets": [
            {**symbol_info(market.rules), "price": market.feed.price(state.now_ms)} for market in state.markets.values()
        ],
        "requests": dict(state.endpoint_counts),
        "order_posts": dict(state.order_posts),
        "faults": state.faults.shown(),
        "faults_fired": dict(state.faults.fired),
    }


def _show_clock(state: ExchangeState, request: Request) -> dict[str, Any]:
    del request
    rate = state.clock.rate
    shown = int(rate) if rate.denominator == 1 else rate.numerator / rate.denominator
    return {"now_ms": state.clock.now_ms(), "rate": shown}


def _set_clock(state: ExchangeState, request: Request) -> dict[str, Any]:
    fields = read_fields(request, "now_ms", "rate")
    now_ms, rate = fields.get("now_ms"), amount_of(fields, "rate")
    if now_ms is not None:
        if type(now_ms) is not int:
            raise ValueError(f"now_ms must be whole milliseconds since 1970, was {now_ms!r}")
        if now_ms < state.now_ms and state.engine.orders:
            raise ValueError(f"now_ms must be at least {state.now_ms} once there are orders, was {now_ms}")
    if rate is not None:
        state.clock.set_rate(Fraction(rate))
    if now_ms is not None:
        state.clock.set(now_ms)
    return _show_clock(state, request)


def _show_faults(state: ExchangeState, request: Request) -> list[dict[str, Any]]:
    del request
    return state.faults.shown()


def _add_faults(state: ExchangeState, request: Request) -> list[dict[str, Any]]:
    content = read_json(request.body)
    wanted = content if isinstance(content, list) else [content]
    if not all(isinstance(fault, dict) for fault in wanted):
        raise ValueError("body must be a fault or a list of faults, each a JSON object with a kind")
    trial = Faults(random=state.random)
    for fault in wanted:  # all or none are switched on
        trial.add(fault, now_ms=state.now_ms)
    return [state.faults.add(fault, now_ms=state.now_ms).shown() for fault in wanted]


def _clear_faults(state: ExchangeState, request: Request) -> dict[str, Any]:
    del request
    state.faults.clear()
    return {}


def _clear_one_fault(state: ExchangeState, request: Request) -> dict[str, Any]:
    number = request.path.removeprefix(_FAULTS_PATH)
    if not number.isdigit():
        raise ValueError(f"a fault is cleared by its number, was {number!r}")
    state.faults.clear(int(number))
    return {}


def _show_state(state: ExchangeState, request: Request) -> dict[str, Any]:
    del request
    return dump_state(state)


def _show_requests(state: ExchangeState, request: Request) -> list[dict[str, Any]]:
    del request
    return list(state.requests)


def _forget_requests(state: ExchangeState, request: Request) -> dict[str, Any]:
    del request
    state.requests.clear()
    return {}


_HANDLERS: dict[tuple[str, str], Callable[[ExchangeState, Request], Any]] = {
    ("GET", "/admin/clock"): _show_clock,
    ("PUT", "/admin/clock"): _set_clock,
    ("GET", "/admin/faults"): _show_faults,
    ("POST", "/admin/faults"): _add_faults,
    ("DELETE", "/admin/faults"): _clear_faults,
    ("GET", "/admin/balances"): admin_accounts.show_balances,
    ("POST", "/admin/balances"): admin_accounts.change_balance,
    ("POST", "/admin/accounts"): admin_accounts.change_account,
    ("POST", "/admin/orders"): admin_accounts.place_by_hand,
    ("DELETE", "/admin/orders"): admin_accounts.cancel_by_hand,
    ("GET", "/admin/prices"): admin_markets.show_prices,
    ("POST", "/admin/prices"): admin_markets.set_price,
    ("DELETE", "/admin/prices"): admin_markets.restore_price,
    ("GET", "/admin/markets"): admin_markets.show_markets,
    ("POST", "/admin/markets"): admin_markets.change_market,
    ("GET", "/admin/state"): _show_state,
    ("GET", "/admin/requests"): _show_requests,
    ("DELETE", "/admin/requests"): _forget_requests,
}
