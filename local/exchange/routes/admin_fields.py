"""Reading the JSON bodies of admin requests. Every mistake is a ValueError with one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from local.exchange.messages import Request, read_json
from local.exchange.money import finite

if TYPE_CHECKING:
    from decimal import Decimal

    from local.exchange.accounts import Account
    from local.exchange.markets import Market
    from local.exchange.state import ExchangeState


def read_fields(request: Request, *allowed: str) -> dict[str, Any]:
    """The JSON object of the body, or the query of a request without a body; only `allowed` names."""
    content = read_object(request) if request.body else dict(parse_qsl(request.query))
    unknown = sorted(set(content) - set(allowed))
    if unknown:
        raise ValueError(f"unknown field {', '.join(unknown)}, expected some of {', '.join(allowed)}")
    return content


def read_object(request: Request) -> dict[str, Any]:
    """The JSON object of the body."""
    content = read_json(request.body)
    if not isinstance(content, dict):
        raise ValueError(f"body must be a JSON object, was {type(content).__name__}")
    return content


def amount_of(fields: dict[str, Any], name: str) -> Decimal | None:
    """A number, sent as number or text; None when not sent."""
    value = fields.get(name)
    return None if value is None else finite(name, value)


def account_of(state: ExchangeState, fields: dict[str, Any]) -> Account:
    """The account a request names; "main" when it names none."""
    name = fields.get("account", "main")
    found = state.ledger.accounts.get(str(name))
    if found is None:
        raise ValueError(f"there is no account {name!r}, expected one of {', '.join(state.ledger.accounts)}")
    return found


def market_of(state: ExchangeState, fields: dict[str, Any]) -> Market:
    """The market a request names, as BTCUSDT or BTC/USDT."""
    name = str(fields.get("symbol", "")).replace("/", "")
    if name not in state.markets:
        raise ValueError(f"there is no symbol {name!r}, expected one of {', '.join(state.markets)}")
    return state.markets[name]
