"""No key, signature or signed address in anything that is said, logged or attached to an error."""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING

import pytest
import requests

from surefill.adapters.ccxt.redaction import Redactor
from surefill.domain.orders import VenueError
from tests.unit.adapters.venues.helpers import (
    CLIENT_ID,
    KEY,
    NOW,
    RawServer,
    Reply,
    Scripted,
    Seen,
    error,
    order_row,
    request,
    said,
    venue,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from surefill.adapters.ccxt.venue import CcxtVenue

SIGNATURE = "8ad625933dddf720b2f5c092dadafb2e2233ac82045dabe3abc73316df32bb6e"


@pytest.mark.parametrize(
    "text",
    [
        f"binance GET https://api.binance.com/api/v3/order?timestamp=1&symbol=BTCUSDT&signature={SIGNATURE}",
        f"Max retries exceeded with url: /api/v3/order?symbol=BTCUSDT&signature={SIGNATURE} (Caused by x)",
        f"body was symbol=BTCUSDT&signature={SIGNATURE}",
        f"{{'X-MBX-APIKEY': '{KEY.api_key}', 'signature': '{SIGNATURE}'}}",
        f"key {KEY.api_key} and secret {KEY.secret}",
        f'{{"apiKey": "somebody-elses-key", "signature": "{SIGNATURE}"}}',
        f"just {SIGNATURE.upper()} alone",
    ],
)
def test_secrets_are_taken_out_wherever_they_are(text: str) -> None:
    cleaned = Redactor((KEY.api_key, KEY.secret)).clean(text)
    for secret in (KEY.api_key, KEY.secret, SIGNATURE, SIGNATURE.upper(), "somebody-elses-key"):
        assert secret not in cleaned


def test_what_is_no_secret_stays() -> None:
    cleaned = Redactor((KEY.api_key,)).clean(f"code -2015: Invalid API-key, IP, or permissions; order {CLIENT_ID}")
    assert cleaned == f"code -2015: Invalid API-key, IP, or permissions; order {CLIENT_ID}"


def test_texts_are_one_short_line() -> None:
    assert Redactor().clean("a\nb\t c" + " x" * 1_000) == "a b c" + " x" * 147 + " "


@pytest.mark.parametrize("piece", ["/", "/a?", "https://x/", "signature=", "f" * 64])
def test_megabytes_of_anything_are_cleaned_at_once(piece: str) -> None:
    started = time.process_time()
    Redactor(("secret",)).clean(piece * (2_000_000 // len(piece)))
    assert time.process_time() - started < 1


def echoing(seen: Seen) -> Reply:
    """The worst venue: it quotes the whole request back."""
    return error(-2015, f"Denied: {seen.pairs} {dict(seen.headers)}", status=401)


def timeout(seen: Seen) -> Exception:
    return requests.ReadTimeout(f"HTTPSConnectionPool: {seen.path}?{dict(seen.pairs)}")


def broken(seen: Seen) -> Exception:
    return KeyError(f"{dict(seen.headers)} {seen.parameters}")


LOOKS: dict[str, Callable[[CcxtVenue], object]] = {
    "find": lambda account: account.find(symbol="BTC/USDT", client_order_id=CLIENT_ID),
    "trace": lambda account: account.find_trace(symbol="BTC/USDT", client_order_id=CLIENT_ID, since=NOW),
    "cancel": lambda account: account.cancel(symbol="BTC/USDT", client_order_id=CLIENT_ID),
    "balances": lambda account: account.balances(),
}
ANSWERS: dict[str, Callable[[Seen], Reply | Exception]] = {
    "echo": echoing,
    "timeout": timeout,
    "broken": broken,
    "html": lambda seen: Reply(status=502, body=f"<html>{seen.pairs}</html>"),
    "nonsense": lambda seen: said([seen.parameters]),
}


def assert_clean(text: str, wire: Scripted) -> None:
    assert KEY.api_key not in text and KEY.secret not in text
    for seen in wire.requests:
        assert seen.parameters["signature"] not in text


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_failed_looks_tell_nothing_secret_not_even_in_their_traceback(
    look: Callable[[CcxtVenue], object], answer: Callable[[Seen], Reply | Exception]
) -> None:
    wire = Scripted(answer)
    with pytest.raises(VenueError) as caught:
        look(venue(wire))
    assert len(wire.requests) == 1
    error: BaseException | None = caught.value
    assert_clean("".join(traceback.format_exception(caught.value)), wire)
    while error is not None:
        assert_clean(f"{error!r} {error}", wire)
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_outcomes_tell_nothing_secret(answer: Callable[[Seen], Reply | Exception]) -> None:
    wire = Scripted(answer)
    assert_clean(repr(venue(wire).post(request())), wire)


def test_nothing_secret_is_logged_even_at_the_lowest_level(caplog: pytest.LogCaptureFixture) -> None:
    server = RawServer(said(order_row()))
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    try:
        account = venue(hosts=server.hosts)
        account.post(request())
        account.find(symbol="BTC/USDT", client_order_id=CLIENT_ID)
    except VenueError:
        pass
    finally:
        root.setLevel(before)
        server.close()
    assert len(server.requests) >= 2
    logged = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert KEY.api_key not in logged
    for seen in server.requests:
        assert seen.parameters["signature"] not in logged


def test_credentials_do_not_show_themselves() -> None:
    assert repr(KEY) == "Credentials()"
    assert KEY.secret not in f"{KEY} {KEY!r}"
