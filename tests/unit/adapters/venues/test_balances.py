"""Balances are exact, and a look at them that failed says how and when to come back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.orders import Balance, VenueError
from surefill.domain.reasons import Reason
from surefill.domain.times import to_milliseconds
from tests.unit.adapters.venues.helpers import NOW, Reply, Scripted, SetClock, error, said, venue


def test_balances_are_exact_and_without_zeros() -> None:
    rows = [
        {"asset": "BTC", "free": "0.00000001", "locked": "0.12345678"},
        {"asset": "USDT", "free": "99999999999.12345678", "locked": "0.00000000"},
        {"asset": "ETH", "free": "0.00000000", "locked": "0.00000000"},
    ]
    assert venue(Scripted(lambda seen: said({"balances": rows}))).balances() == {
        "BTC": Balance(free=Decimal("0.00000001"), locked=Decimal("0.12345678")),
        "USDT": Balance(free=Decimal("99999999999.12345678"), locked=Decimal(0)),
    }


@pytest.mark.parametrize(
    "reply", [said({}), said([]), Reply(body="<html>"), said({"balances": {}}), said({"balances": [{"asset": "BTC"}]})]
)
def test_an_unreadable_account_is_not_an_empty_one(reply: Reply) -> None:
    with pytest.raises(VenueError):
        venue(Scripted(lambda seen: reply)).balances()


@pytest.mark.parametrize(
    ("reply", "reason", "seconds"),
    [
        (
            error(-2015, "Invalid API-key, IP, or permissions for action.", status=401),
            Reason.CREDENTIALS_REJECTED,
            None,
        ),
        (error(-2014, "API-key format invalid.", status=401), Reason.CREDENTIALS_REJECTED, None),
        (error(-1022, "Signature for this request is not valid."), Reason.CREDENTIALS_REJECTED, None),
        (error(-1003, "Too much.", status=429, headers={"Retry-After": "37"}), Reason.RATE_LIMITED, 37),
        (error(-1003, f"IP banned until {to_milliseconds(NOW) + 90_000}.", status=418), Reason.RATE_LIMITED, 90),
        (Reply(status=429, body=""), Reason.RATE_LIMITED, None),
        (Reply(status=429, headers={"Retry-After": "9" * 40}), Reason.RATE_LIMITED, None),
        (Reply(status=429, headers={"Retry-After": "soon"}), Reason.RATE_LIMITED, None),
        (Reply(status=418, body="<html>", headers={"Retry-After": "120"}), Reason.RATE_LIMITED, 120),
        (Reply(status=403, body="<html>"), Reason.RATE_LIMITED, None),
        (said({"code": 1, "msg": "System is under maintenance."}, status=503), Reason.MAINTENANCE, None),
        (error(-1000, "System is under maintenance.", status=503), Reason.MAINTENANCE, None),
        (error(-1016, "This service is no longer available."), Reason.MAINTENANCE, None),
        (error(-1121, "Invalid symbol."), Reason.NO_DATA, None),
        (error(-1021, "Timestamp for this request is outside of the recvWindow."), Reason.VENUE_DOWN, None),
        (error(-1001, "Internal error.", status=500), Reason.VENUE_DOWN, None),
        (Reply(status=502, body="<html>"), Reason.VENUE_DOWN, None),
        (Reply(body="<html>"), Reason.VENUE_DOWN, None),
    ],
)
def test_a_failed_look_says_how_and_when_to_come_back(reply: Reply, reason: Reason, seconds: int | None) -> None:
    with pytest.raises(VenueError) as caught:
        venue(Scripted(lambda seen: reply), clock=SetClock()).balances()
    assert caught.value.reason is reason
    assert caught.value.retry_at == (None if seconds is None else NOW + timedelta(seconds=seconds))
