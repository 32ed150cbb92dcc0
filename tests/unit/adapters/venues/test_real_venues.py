"""Which adapter an account gets, and when it gets none."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from surefill.adapters.ccxt.venue import CcxtVenue
from surefill.adapters.credentials import Credentials
from surefill.adapters.memory import MemoryStore
from surefill.adapters.paper.venue import PaperVenue
from surefill.adapters.venues import PROFILES, RealVenues
from surefill.domain.kinds import Mode
from surefill.domain.orders import Accepted, Balance, VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account
from surefill.settings import VenueHosts
from tests.unit.adapters.venues.helpers import (
    KEY,
    REAL_HOSTS,
    Reply,
    Scripted,
    Seen,
    SetClock,
    fill_row,
    order_row,
    request,
    said,
)
from tests.unit.adapters.venues.test_market_data import ticker

LIVE = Account(account_id="live-binance-main", venue="binance", mode=Mode.LIVE, currency="USDT")
PAPER = Account(
    account_id="paper-binance-main", venue="binance", mode=Mode.PAPER, currency="USDT", paper_balance=Decimal(1_000)
)


class Keys:
    """Secrets in a dict."""

    def __init__(self) -> None:
        self.held: dict[str, Credentials] = {"surefill/test/live-binance-main": KEY, "elsewhere": KEY}
        self.asked: list[str] = []

    def credentials(self, secret_name: str) -> Credentials:
        self.asked.append(secret_name)
        if secret_name not in self.held:
            raise VenueError(Reason.CREDENTIALS_REJECTED, f"no secret {secret_name}")
        return self.held[secret_name]


def answer(seen: Seen) -> Reply:
    if seen.path.endswith("24hr"):
        return said([ticker("BTCUSDT")])
    return said(order_row(fills=[fill_row()]) if seen.path.endswith("order") else {"balances": []})


class World:
    """RealVenues on a scripted network."""

    def __init__(self, hosts: VenueHosts = REAL_HOSTS, **changes: Any) -> None:
        self.keys = Keys()
        self.wire = Scripted(answer)
        self.venues = RealVenues(
            hosts={"binance": hosts},
            secrets=self.keys,
            secret_prefix="surefill/test/",
            store=MemoryStore(),
            clock=SetClock(),
            transport=lambda venue: self.wire,
            **changes,
        )


def refusal(world: World, account: Account) -> VenueError:
    with pytest.raises(VenueError) as caught:
        world.venues.of_account(account)
    assert world.wire.requests == []
    return caught.value


def test_a_live_account_trades_with_its_key() -> None:
    world = World()
    account = world.venues.of_account(LIVE)
    assert isinstance(account, CcxtVenue)
    assert isinstance(account.post(request()), Accepted)
    assert world.wire.requests[0].headers["x-mbx-apikey"] == KEY.api_key
    assert world.keys.asked == ["surefill/test/live-binance-main"]


def test_an_account_may_name_its_own_secret() -> None:
    world = World()
    world.venues.of_account(replace(LIVE, secret_name="elsewhere"))
    assert world.keys.asked == ["elsewhere"]


def test_adapters_are_kept_until_the_key_changes() -> None:
    world = World()
    first = world.venues.of_account(LIVE)
    assert world.venues.of_account(LIVE) is first
    world.keys.held["surefill/test/live-binance-main"] = Credentials(api_key="new", secret="new")
    second = world.venues.of_account(LIVE)
    assert second is not first
    second.balances()
    assert world.wire.requests[0].headers["x-mbx-apikey"] == "new"


def test_a_paper_account_asks_for_prices_only_and_never_for_a_key() -> None:
    world = World(hosts=VenueHosts(endpoint=None, hosts=()))
    account = world.venues.of_account(PAPER)
    assert isinstance(account, PaperVenue)
    assert isinstance(account.post(request(limit_price=Decimal(66_000))), Accepted)
    assert account.balances()["BTC"] == Balance(free=Decimal("0.00122877"), locked=Decimal(0))
    assert world.keys.asked == []
    assert {(seen.method, seen.path) for seen in world.wire.requests} == {("GET", "/api/v3/ticker/24hr")}
    assert all("x-mbx-apikey" not in seen.headers for seen in world.wire.requests)
    assert world.venues.of_account(PAPER) is account


@pytest.mark.parametrize(
    "hosts",
    [
        VenueHosts(endpoint=None, hosts=()),
        VenueHosts(endpoint=None, hosts=("api.binance.us",)),
        VenueHosts(endpoint="http://127.0.0.1:9100", hosts=("api.binance.com",)),
        VenueHosts(endpoint="http://127.0.0.1:9100", hosts=("127.0.0.1:9101",)),
    ],
)
def test_a_live_account_without_an_allowed_host_gets_nothing(hosts: VenueHosts) -> None:
    world = World(hosts=hosts)
    assert refusal(world, LIVE).reason is Reason.ACCOUNT_BLOCKED
    assert world.keys.asked == []


@pytest.mark.parametrize("hosts", [("127.0.0.1",), ("127.0.0.1:9100",)])
def test_a_replaced_endpoint_gets_every_request(hosts: tuple[str, ...]) -> None:
    world = World(hosts=VenueHosts(endpoint="http://127.0.0.1:9100", hosts=hosts))
    assert isinstance(world.venues.of_account(LIVE).post(request()), Accepted)
    world.venues.market_data("binance").quotes(["BTC/USDT"])
    assert len(world.wire.requests) == 2


@pytest.mark.parametrize(
    "account",
    [
        replace(LIVE, account_id="paper-binance-main"),
        replace(PAPER, account_id="live-binance-main"),
        replace(PAPER, account_id="paper-kraken-main"),
        replace(LIVE, account_id="main"),
    ],
)
def test_an_account_whose_id_says_something_else_gets_nothing(account: Account) -> None:
    assert refusal(World(), account).reason is Reason.ACCOUNT_BLOCKED


def test_a_venue_this_stage_does_not_have_is_refused_by_name() -> None:
    account = replace(LIVE, account_id="live-kraken-main", venue="kraken")
    assert "was 'kraken'" in str(refusal(World(), account))
    with pytest.raises(VenueError, match="was 'kraken'"):
        World().venues.market_data("kraken")


def test_a_venue_without_a_fence_takes_no_live_orders() -> None:
    unfenced = {"binance": replace(PROFILES["binance"], max_window_ms=None)}
    with pytest.raises(ValueError, match="receive window"):
        World(profiles=unfenced).venues.of_account(LIVE)


def test_a_missing_key_is_told() -> None:
    world = World()
    world.keys.held.clear()
    assert refusal(world, LIVE).reason is Reason.CREDENTIALS_REJECTED
