"""No line any function writes contains a key, a secret, a signature or a token, whatever goes wrong."""

import json
import re
from collections.abc import Iterator

import pytest

from local.exchange.settings import LOCAL_KEY
from surefill.adapters.notify.configured import TELEGRAM_SECRET, WEBHOOK_SECRET
from surefill.domain.reasons import Reason
from tests.integration.conftest import Cloud
from tests.integration.floor import Floor, trading_floor
from tests.unit.adapters.notify.notices import bought, journal, sold
from tests.unit.adapters.notify.receiver import receiver

ORDER = {"method": "POST", "path": "/api/v3/order"}
TOKEN = "token-that-nobody-may-read"
# A signature of the venue is 64 hex digits; our own ids have 32.
_SIGNATURE = re.compile(r"\b[0-9a-fA-F]{64}\b|(?i:signature)\W+\w")
_KEY_WORDS = re.compile(r"(?i)x-mbx-apikey|\bapi[-_]?key\W+\w+-key\b|\bsecret['\"]?\s*[:=]")


@pytest.fixture
def floor(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Floor]:
    monkeypatch.setenv(WEBHOOK_SECRET, "surefill-notify/test/webhook")
    monkeypatch.delenv(TELEGRAM_SECRET, raising=False)
    with trading_floor(cloud, setenv=monkeypatch.setenv, settings={"cooldown_seconds": 0}) as opened:
        yield opened


def secrets_in(lines: list[tuple[str, str]]) -> list[str]:
    """Lines that say too much."""
    known = (LOCAL_KEY.key, LOCAL_KEY.secret, TOKEN, "typed-by-hand")
    return [
        line
        for _, line in lines
        if any(word in line for word in known) or _SIGNATURE.search(line) or _KEY_WORDS.search(line)
    ]


def bad_days(floor: Floor) -> None:
    """Everything that quotes an address, an answer or a secret when it fails."""
    faults = (
        {"kind": "accept_then_drop", **ORDER},
        {"kind": "connection_refused", **ORDER},
        {"kind": "truncated_reply", **ORDER},
        {"kind": "garbage", **ORDER, "body": "html"},
        {"kind": "status", **ORDER, "status": 500, "body": f"X-MBX-APIKEY: {LOCAL_KEY.key}"},
        {"kind": "status", **ORDER, "status": 400, "body": json.dumps({"code": -1022, "msg": "Signature not valid"})},
        {"kind": "reject", "code": -2015, "msg": f"Invalid API-key {LOCAL_KEY.key}, IP, or permissions for action."},
        {"kind": "drop_request", "method": "GET", "path": "/api/v3/account", "count": 5},
        {"kind": "drop_request", "method": "GET", "path": "/api/v3/order", "count": 5},
        {"kind": "rate_limit"},
        {"kind": "revoke_key"},
    )
    for options in faults:
        floor.fault(**options)
        floor.tick()
        floor.pass_time(40)
        floor.schedule("reconcile")
        floor.schedule("sync_account")
        floor.no_faults()


def test_nothing_secret_is_written_whatever_goes_wrong(floor: Floor) -> None:
    bad_days(floor)
    for content in ('{"api_key": "typed-by-hand"', '{"api_key": "typed-by-hand", "secret": 7}', "typed-by-hand"):
        floor.secrets.put_secret_value(SecretId="surefill/test/main", SecretString=content)
        floor.pass_time(600)
        floor.schedule("sync_account")
    assert secrets_in(floor.lines) == []
    said = {row.get("event") for row in floor.rows()}
    assert {"order.outcome_unknown", "account.credentials_rejected"} <= said, "the bad days did happen"


def test_a_webhook_that_fails_is_named_without_its_address(floor: Floor) -> None:
    with receiver() as seen:
        seen.statuses = [503, 401, 200]
        secret = {"url": f"{seen.url}/{TOKEN}?key={TOKEN}", "secret": TOKEN}
        floor.secrets.create_secret(Name="surefill-notify/test/webhook", SecretString=json.dumps(secret))
        for row in (bought(), sold(), journal(Reason.UNPROTECTED)):
            floor.tell(row)
    floor.tell(bought(intent_id="d" * 32))
    failed = [row["error"] for row in floor.rows() if row.get("event") == "notify.failed"]
    assert failed == [
        "127.0.0.1 answered 503",
        "127.0.0.1 answered 401",
        "127.0.0.1 did not answer: NewConnectionError",
    ]
    assert secrets_in(floor.lines) == []


def test_the_scan_finds_what_it_is_for() -> None:
    for line in (
        f"key {LOCAL_KEY.key}",
        f"/api/v3/order?symbol=A&signature={'ab' * 32}",
        "ab" * 32,
        '{"X-MBX-APIKEY": "somebody"}',
        "secret: x",
    ):
        assert secrets_in([("place_order", line)]) == [line]
    assert secrets_in([("place_order", json.dumps({"intent": "a" * 32, "error": "Invalid API-key, IP"}))]) == []
