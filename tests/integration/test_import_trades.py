"""Past trades through the handlers: asked for over the API, read from the simulated exchange, listed again."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from surefill.domain.kinds import Mode
from surefill.domain.rows import Account
from surefill.domain.times import format_time
from surefill.events import EventError
from tests.integration.conftest import Cloud
from tests.integration.floor import SYMBOL, Floor, trading_floor

Api = Callable[..., tuple[int, Any]]
PATH = "/accounts/live-binance-main"


@pytest.fixture
def traded(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Floor]:
    """One position was opened and sold."""
    with ExitStack() as stack:
        floor = stack.enter_context(trading_floor(cloud, setenv=monkeypatch.setenv, settings={}))
        floor.tick()
        floor.price("110")
        floor.tick()
        yield floor


@pytest.fixture
def asked(traded: Floor, api: Api, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What the API woke, which is carried out at once."""
    from functions.bot_api import handler

    woken: list[tuple[str, Any]] = []

    class Carried:
        def wake(self, name: str, event: Any) -> None:
            woken.append((name, event))
            traded.invoke(name, event)

    common, services = handler.build()
    made = replace(services, functions=Carried())  # type: ignore[arg-type]
    monkeypatch.setattr(handler, "build", lambda: (common, made))
    return woken


def wanted(floor: Floor, **changes: Any) -> dict[str, Any]:
    return {"symbols": [SYMBOL], "since": format_time(floor.now - timedelta(hours=3)), **changes}


def test_trades_are_read_once_under_the_venues_ids_and_ours_are_known(
    traded: Floor, api: Api, asked: list[tuple[str, Any]]
) -> None:
    assert api("GET", f"{PATH}/trades") == (200, {"items": [], "next": None})
    key = {"Idempotency-Key": "once"}
    status, answer = api("POST", f"{PATH}/import", wanted(traded), key)
    assert (status, answer["symbols"], answer["started"]) == (200, [SYMBOL], True)
    assert api("POST", f"{PATH}/import", wanted(traded), key) == (200, answer)
    assert [name for name, _ in asked] == ["sync_account"]
    (entry,), (sale,) = traded.intents("ENTRY"), traded.intents("EXIT")
    items = api("GET", f"{PATH}/trades")[1]["items"]
    booked = {(sale.intent_id, fill.trade_id) for fill in sale.fills}
    booked |= {(entry.intent_id, fill.trade_id) for fill in entry.fills}
    assert {(item["ours"], item["trade_id"]) for item in items} == booked
    assert [item["side"] for item in items] == sorted((item["side"] for item in items), reverse=True)
    assert {item["venue_order_id"] for item in items} == {entry.venue_order_id, sale.venue_order_id}
    assert api("GET", PATH)[1]["imports"] == {}
    assert api("POST", f"{PATH}/import", wanted(traded))[0] == 200
    assert api("GET", f"{PATH}/trades")[1]["items"] == items


def test_trades_are_listed_page_by_page_and_by_symbol(traded: Floor, api: Api, asked: list[tuple[str, Any]]) -> None:
    api("POST", f"{PATH}/import", wanted(traded))
    everything = api("GET", f"{PATH}/trades")[1]["items"]
    assert len(everything) > 1
    seen, token = [], ""
    while True:
        page = api("GET", f"{PATH}/trades?limit=1{token}")[1]
        seen += page["items"]
        if page["next"] is None:
            break
        token = f"&next={page['next']}"
    assert seen == everything
    assert api("GET", f"{PATH}/trades?symbol=BTC/USDT")[1]["items"] == []
    assert api("GET", f"{PATH}/trades?symbol={SYMBOL}")[1]["items"] == everything
    assert api("GET", "/accounts/nobody/trades")[0] == 404


def test_an_import_the_venue_did_not_answer_goes_on_at_the_next_tick(
    traded: Floor, api: Api, asked: list[tuple[str, Any]]
) -> None:
    traded.fault("status", method="GET", path="/api/v3/myTrades", status=500)
    api("POST", f"{PATH}/import", wanted(traded))
    assert list(api("GET", PATH)[1]["imports"]) == [SYMBOL]
    traded.no_faults()
    assert traded.schedule("sync_account")["imported"] == len(api("GET", f"{PATH}/trades")[1]["items"]) > 0
    assert api("GET", PATH)[1]["imports"] == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"symbols": ["MOON/USDT"]}, "symbols"),
        ({"symbols": []}, "symbols"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2024-01-01T00:00:00"}, "since"),
        ({"since": "2999-01-01T00:00:00Z"}, "since"),
        ({"since": "1999-01-01T00:00:00Z"}, "since"),
    ],
)
def test_a_wrong_request_names_its_field(
    traded: Floor, api: Api, asked: list[tuple[str, Any]], changes: dict[str, Any], field: str
) -> None:
    status, problem = api("POST", f"{PATH}/import", wanted(traded, **changes))
    assert (status, problem["field"]) == (422, field), problem
    assert asked == []


def test_a_paper_account_has_nothing_to_import(traded: Floor, api: Api, asked: list[tuple[str, Any]]) -> None:
    paper = Account(account_id="paper-binance-p", venue="binance", mode=Mode.PAPER, currency="USDT")
    traded.cloud.store.insert(paper)
    status, problem = api("POST", "/accounts/paper-binance-p/import", wanted(traded))
    assert (status, problem["field"], asked) == (409, "account_id", [])


@pytest.mark.parametrize("event", [{"import": None}, {"import": {"account_id": "a", "symbols": ["X/Y"], "since": "?"}}])
def test_an_import_that_says_too_little_is_refused(traded: Floor, event: dict[str, Any]) -> None:
    with pytest.raises(EventError, match="import must have"):
        traded.invoke("sync_account", event)


def test_health_tells_of_keys_that_cannot_be_read_and_of_clocks(traded: Floor, api: Api) -> None:
    traded.schedule("sync_account")
    told = api("GET", "/health/detailed")[1]
    (venue,) = told["venues"]
    assert abs(venue["clock_skew_ms"]) < 250
    assert told["secrets"] == [{"account_id": "live-binance-main", "readable": True}]
    assert not any("clock" in problem or "secret" in problem for problem in told["problems"])
    account = traded.cloud.store.get(Account, "live-binance-main")
    assert account is not None
    for skew, wrong in ((1_000, False), (-1_001, True)):
        traded.cloud.store.replace(replace(account, clock_skew_ms=skew))
        told = api("GET", "/health/detailed")[1]
        assert any(problem.startswith(f"clock of binance is {skew} ms") for problem in told["problems"]) is wrong
    traded.put_key(key="", secret="")
    traded.pass_time(600)
    traded.schedule("sync_account")
    told = api("GET", "/health/detailed")[1]
    assert told["secrets"] == [{"account_id": "live-binance-main", "readable": False}]
    assert "secret of account live-binance-main can't be read" in told["problems"]
