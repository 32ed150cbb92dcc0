"""Past trades from the command line: asked for, and shown."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.domain.kinds import Side
from surefill.domain.records import PastTrade
from tests.fakes.rows import TICK
from tests.integration.conftest import Cloud
from tests.unit.cli.conftest import Answer, Cli, Request, Server

ACCOUNT = "live-binance-main"
Scripted = Callable[[Callable[[Request], Answer | None]], Server]


def test_an_import_names_its_symbols_and_its_time(scripted: Scripted, cli: Cli) -> None:
    server = scripted(lambda request: Answer(200, {**json.loads(request.body), "account_id": ACCOUNT}))
    options = ("--symbol", "BTC/USDT", "--symbol", "ETH/USDT", "--since", "2026-01-31T09:00+01:00")
    told = cli.run("accounts", "import", ACCOUNT, *options).stdout
    assert f"surefill accounts trades {ACCOUNT}" in told
    (asked,) = server.changes()
    body = json.loads(asked.body)
    assert (asked.path, body["symbols"]) == (f"/accounts/{ACCOUNT}/import", ["BTC/USDT", "ETH/USDT"])
    since = datetime.fromisoformat(body["since"])
    assert since == datetime.fromisoformat("2026-01-31T08:00:00+00:00")
    assert since.tzinfo is not None
    assert asked.headers["idempotency-key"]


def test_an_import_that_can_not_be_is_one_sentence(furnished: Server, cli: Cli) -> None:
    told = cli.refused("accounts", "import", ACCOUNT, "--symbol", "BTC/USDT", "--since", "soon")
    assert "--since must be a time span" in told
    told = cli.refused("accounts", "import", ACCOUNT, "--symbol", "MOON/USDT", "--since", "30d")
    assert "symbols must be markets of binance" in told


def test_imported_trades_are_listed_with_the_orders_of_bots(furnished: Server, cli: Cli, cloud: Cloud) -> None:
    for number, ours in enumerate((None, "a1" * 16)):
        at = TICK + timedelta(minutes=number)
        trade = PastTrade(
            account_id=ACCOUNT, trade_key=f"{at:%Y-%m-%dT%H:%M}#BTC/USDT#{number}", symbol="BTC/USDT", at=at,
            side=Side.BUY, quantity=Decimal("0.0150"), price=Decimal(60_000), cost=Decimal(900), fee=Decimal("0.00001"),
            fee_asset="BTC", venue_order_id="7", trade_id=f"771{number}", ours=ours,
        )  # fmt: skip
        cloud.store.replace(trade)
    lines = cli.run("accounts", "trades", ACCOUNT).stdout.splitlines()
    assert [("7711" in line, "7710" in line) for line in lines[1:]] == [(True, False), (False, True)]
    assert "a1a1a1a1" in lines[1]
    assert "0.015" in lines[1]
    assert len(cli.json("accounts", "trades", ACCOUNT, "--limit", "1")["items"]) == 1
    assert cli.json("accounts", "trades", ACCOUNT, "--symbol", "ETH/USDT")["items"] == []


def test_health_shows_clocks_and_keys(furnished: Server, cli: Cli) -> None:
    told = cli.run("health", code=1).stdout
    assert "clock        binance: not compared yet" in told
    assert f"keys         {ACCOUNT}: not read yet" in told
