"""Whatever a server says: no outcome and no look claims more than was proven, and nothing makes `post` raise."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from surefill.adapters.ccxt.binance import BINANCE
from surefill.domain.orders import Accepted, AlreadyExists, NotSent, Rejected, UnknownOutcome, VenueError
from tests.unit.adapters.venues.helpers import (
    CLIENT_ID,
    KEY,
    NOW,
    Reply,
    Scripted,
    fill_row,
    order_row,
    request,
    venue,
)

LISTED = [rule for rule in BINANCE.rejects if rule.message]
REFUSED_BY_CODE = {rule.code for rule in BINANCE.rejects if not rule.message}

texts = st.text(max_size=30)
numbers = st.integers() | st.floats(allow_nan=True) | st.decimals().map(str)
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
codes = st.sampled_from([int(rule.code) for rule in BINANCE.rejects]) | st.integers(-3000, 3000) | anything
messages = st.sampled_from([rule.message for rule in LISTED] + ["Duplicate order sent."]) | texts | anything
errors = st.fixed_dictionaries({"code": codes, "msg": messages})
orders = st.dictionaries(
    st.sampled_from([*order_row(), "fills"]),
    anything | st.sampled_from([CLIENT_ID, "FILLED", "BUY", "BTCUSDT", "0.00123"]),
    max_size=4,
).map(lambda changes: {**order_row(fills=[fill_row()]), **changes})
bodies = (errors | orders | anything).map(json.dumps) | st.text(max_size=200)
statuses = st.sampled_from([200, 200, 200, 201, 302, 400, 400, 400, 401, 403, 404, 408, 409, 418, 429, 500, 503, 524])


def listed(body: str, *, status: int) -> bool:
    """The allow-list once more, in the shortest way."""
    said = json.loads(body)
    return (
        400 <= status < 500
        and status not in (408, 418, 429)
        and type(said["code"]) is int
        and (
            str(said["code"]) in REFUSED_BY_CODE
            or any(
                rule.code == str(said["code"]) and said["msg"].strip().lower().startswith(rule.message.lower())
                for rule in LISTED
            )
        )
    )


def check(outcome: object, *, body: str, status: int) -> None:
    assert not isinstance(outcome, NotSent)
    if isinstance(outcome, Rejected):
        assert listed(body, status=status)
    elif isinstance(outcome, Accepted):
        said: dict[str, Any] = json.loads(body)
        assert said["clientOrderId"] == CLIENT_ID == outcome.order.client_order_id
        assert outcome.order.venue_order_id and str(said["orderId"]) == outcome.order.venue_order_id
        assert status < 400
        if outcome.order.fills is not None:
            assert sum(fill.quantity for fill in outcome.order.fills) == outcome.order.filled_quantity
    else:
        assert isinstance(outcome, UnknownOutcome | AlreadyExists)
        assert KEY.api_key not in outcome.message and KEY.secret not in outcome.message


network: dict[str, Reply] = {}
wire = Scripted(lambda seen: network["reply"])
account = venue(wire)


@given(body=bodies, status=statuses)
@settings(max_examples=600, deadline=None)
def test_the_outcome_never_claims_more_than_was_proven(body: str, status: int) -> None:
    network["reply"] = Reply(status=status, body=body)
    sent = len(wire.requests)
    check(account.post(request()), body=body, status=status)
    assert len(wire.requests) == sent + 1


@given(body=bodies, status=statuses)
@settings(max_examples=300, deadline=None)
def test_a_look_finds_denies_or_raises_but_never_guesses(body: str, status: int) -> None:
    network["reply"] = Reply(status=status, body=body)
    try:
        order = account.find(symbol="BTC/USDT", client_order_id=CLIENT_ID)
    except VenueError:
        return
    said = json.loads(body)
    if order is None:
        assert 400 <= status < 500 and said["code"] == -2013
    else:
        assert status < 400
        assert order.client_order_id == said["clientOrderId"] == CLIENT_ID
        assert order.fills is None or sum(fill.quantity for fill in order.fills) == order.filled_quantity


@given(body=bodies, status=statuses)
@settings(max_examples=200, deadline=None)
def test_only_empty_lists_are_proof_of_absence(body: str, status: int) -> None:
    network["reply"] = Reply(status=status, body=body)
    try:
        found = account.find_trace(symbol="BTC/USDT", client_order_id=CLIENT_ID, since=NOW)
    except VenueError:
        return
    assert found is None
    assert status < 400 and json.loads(body) == []
