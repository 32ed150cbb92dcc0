"""The exchange over HTTP: real sockets, real ccxt, real threads."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import ccxt
import pytest
import requests

from local.exchange.server import PortInUseError, RunningServer, serve
from local.exchange.transport import LocalServerAdapter
from tests.unit.exchange.helpers import START_MS, coin_exchange, new_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.exchange.core import Exchange
from local.exchange.command_line import exchange_from, main, read_options
from local.exchange.messages import Request

SYMBOL = "COIN/USDT"
REPOSITORY = Path(__file__).resolve().parents[3]
ORDER = {"method": "POST", "path": "/api/v3/order"}


@pytest.fixture
def exchange() -> Exchange:
    return coin_exchange()


@pytest.fixture
def server(exchange: Exchange) -> Iterator[RunningServer]:
    running = serve(exchange)
    yield running
    running.close()


def over_http(server: RunningServer, exchange: Exchange, **options: Any) -> Any:
    """ccxt with its base URLs pointed at the server."""
    binance = new_client(**options)
    for name, version in (("public", "/api/v3"), ("private", "/api/v3"), ("sapi", "/sapi/v1")):
        binance.urls["api"][name] = server.url + version
    binance.milliseconds = exchange.clock.now_ms
    return binance


def switch_on(server: RunningServer, kind: str, **options: Any) -> None:
    reply = requests.post(f"{server.url}/admin/faults", json={"kind": kind, **options}, timeout=5)
    assert reply.status_code == 200, reply.text


def test_trading_over_http(server: RunningServer, exchange: Exchange) -> None:
    binance = over_http(server, exchange)
    assert binance.load_markets()[SYMBOL]["active"]
    assert binance.fetch_balance()["USDT"]["free"] == 10_000
    order = binance.create_order(SYMBOL, "limit", "buy", 1, 99)
    assert binance.cancel_order(order["id"], SYMBOL)["status"] == "canceled"
    assert binance.create_order(SYMBOL, "market", "buy", 1)["status"] == "closed"
    assert binance.fetch_ohlcv(SYMBOL, "1m", limit=3)[-1][0] == START_MS
    with pytest.raises(ccxt.InsufficientFunds):
        binance.create_order(SYMBOL, "limit", "buy", 1_000, 99)


def test_ccxt_keeps_its_real_urls_through_the_local_adapter(server: RunningServer, exchange: Exchange) -> None:
    binance = new_client()
    binance.session.mount("https://", LocalServerAdapter(server.url))
    binance.milliseconds = exchange.clock.now_ms
    assert binance.create_order(SYMBOL, "market", "buy", 1)["status"] == "closed"
    switch_on(server, "reject", code=-1008, msg="Server is currently overloaded.")
    with pytest.raises(ccxt.OperationFailed):  # the class ccxt chooses by the host name
        binance.create_order(SYMBOL, "market", "buy", 1)


@pytest.mark.parametrize(
    ("kind", "options", "raised", "cause", "executed"),
    [
        ("accept_then_drop", {}, ccxt.NetworkError, requests.exceptions.ConnectionError, 1),
        ("drop_request", {}, ccxt.NetworkError, requests.exceptions.ConnectionError, 0),
        ("truncated_reply", {}, ccxt.NetworkError, requests.exceptions.ChunkedEncodingError, 1),
        ("delay", {"after_seconds": 1}, ccxt.RequestTimeout, requests.exceptions.ReadTimeout, 1),
        ("bad_gzip", {}, ccxt.ExchangeError, requests.exceptions.ContentDecodingError, 1),
        ("status", {"status": 503}, ccxt.ExchangeNotAvailable, None, 0),
        ("maintenance", {}, ccxt.OnMaintenance, None, 0),
        ("rate_limit", {}, ccxt.DDoSProtection, None, 0),
    ],
)
def test_faults_raise_the_same_as_over_the_adapter(
    server: RunningServer, exchange: Exchange, kind: str, options: Any, raised: type, cause: type | None, executed: int
) -> None:
    binance = over_http(server, exchange, timeout=300)
    binance.load_markets()
    switch_on(server, kind, **ORDER, **options)
    with pytest.raises(raised) as problem:
        binance.create_order(SYMBOL, "market", "buy", 1, params={"clientOrderId": "mine"})
    assert type(problem.value) is raised
    assert cause is None or type(problem.value.__cause__) is cause
    assert len(exchange.state.engine.orders) == executed
    assert exchange.state.order_posts["mine"] == 1
    requests.delete(f"{server.url}/admin/faults", timeout=5)
    assert binance.fetch_time() == START_MS


def test_a_request_delayed_beyond_the_timeout_is_executed_later(server: RunningServer, exchange: Exchange) -> None:
    binance = over_http(server, exchange, timeout=200)
    binance.load_markets()
    switch_on(server, "delay", **ORDER, before_seconds=0.4)
    with pytest.raises(ccxt.RequestTimeout):
        binance.create_order(SYMBOL, "market", "buy", 1)
    assert len(exchange.state.engine.orders) == 0
    time.sleep(0.4)
    assert len(exchange.state.engine.orders) == 1


def test_many_threads_lose_nothing(server: RunningServer, exchange: Exchange) -> None:
    def trade(name: int) -> None:
        binance = over_http(server, exchange)
        for number in range(20):
            binance.create_order(SYMBOL, "limit", "buy", 0.1, 99, {"clientOrderId": f"{name}-{number}"})

    threads = [Thread(target=trade, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(exchange.state.engine.orders) == 80
    assert set(exchange.state.order_posts.values()) == {1}
    assert exchange.state.ledger.imbalance() == {}


def test_keep_alive_and_admin(server: RunningServer) -> None:
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(f"{server.url}/admin/clock", timeout=5).json() == {"now_ms": START_MS, "rate": 0}
        moved = session.put(f"{server.url}/admin/clock", json={"now_ms": START_MS + 5_000}, timeout=5)
        assert moved.json()["now_ms"] == START_MS + 5_000
        assert session.get(f"{server.url}/nothing", timeout=5).status_code == 404
        assert (
            "expected one of GET /admin/clock" in session.get(f"{server.url}/admin/nothing", timeout=5).json()["error"]
        )
        assert session.post(f"{server.url}/admin/faults", data=b"{", timeout=5).status_code == 400


def test_a_taken_port_is_one_sentence(server: RunningServer) -> None:
    with pytest.raises(PortInUseError, match=f"port {server.port} on 127.0.0.1 is in use by another program"):
        serve(coin_exchange(), server.port)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local.exchange", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=20, check=False)


def test_the_command_refuses_a_taken_port_with_exit_code_2(server: RunningServer) -> None:
    done = run("--port", str(server.port))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "is in use by another program" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--recording", "BTC/USDT=/nowhere.csv"), "no such file"),
        (("--market", "BTC/USDT"), "expected SYMBOL=PRICE, was 'BTC/USDT'"),
        (("--market", "BTCUSDT=5"), "symbol must be base/quote"),
        (("--key", "only"), "expected KEY:SECRET"),
        (("--rate", "-1"), "clock rate must be at least 0"),
    ],
)
def test_the_command_names_mistakes(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--port", "0"]) == 2
    problem = capsys.readouterr().err
    assert sentence in problem
    assert problem.count("\n") == 1


def test_the_command_builds_what_its_options_say(tmp_path: Path) -> None:
    rows = [f"{START_MS + minute * 60_000},100,101,99,100,5" for minute in (0, 1, 3)]
    file = tmp_path / "coin.csv"
    file.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]) + "\n")
    words = ["--recording", f"COIN/USDT={file}", "--allow-gaps", "--market", "BTC/USDT=60000", "--rate", "0"]
    words += ["--spread-bps", "20", "--fee-bps", "7.5", "--balance", "USDT=5", "--balance", "bot:BTC=1"]
    exchange = exchange_from(read_options([*words, "--key", "k:s", "--fees-in-bnb", "--enforce-limits"]))
    assert set(exchange.state.markets) == {"BTCUSDT", "COINUSDT"}
    assert exchange.clock.now_ms() == START_MS  # a recording starts at its beginning
    book = exchange.handle(Request("GET", "/api/v3/ticker/bookTicker", "symbol=COINUSDT"))
    assert b'"bidPrice":"99.90000000"' in book.body
    assert str(exchange.state.engine.fees.taker) == "0.00075"
    assert exchange.state.ledger.accounts["bot"].balance("BTC").free == 1
    assert exchange.state.ledger.accounts["main"].fees_in_bnb


def test_a_broken_exchange_is_heard(
    server: RunningServer, exchange: Exchange, capfd: pytest.CaptureFixture[str]
) -> None:
    exchange.state.clock = None  # type: ignore[assignment]
    reply = requests.get(f"{server.url}/api/v3/time", timeout=5)
    assert (reply.status_code, reply.json()["code"]) == (500, -1000)
    assert "AttributeError" in capfd.readouterr().err


def test_the_command_starts_and_answers() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "local.exchange", "--port", str(port), "--market", "DOGE/USDT=0.1", "--seed", "5",
               "--start", "2024-10-27T03:33:00", "--rate", "0", "--balance", "bot:USDT=500",
               "--key", "k1:s1:bot", "--spread-bps", "10"]  # fmt: skip
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"simulated exchange on http://127.0.0.1:{port} with DOGEUSDT\n"
        url = f"http://127.0.0.1:{port}"
        assert requests.get(f"{url}/api/v3/time", timeout=5).json() == {"serverTime": START_MS}
        assert requests.get(f"{url}/admin/balances", timeout=5).json()["bot"]["USDT"]["free"] == "500"
    finally:
        process.terminate()
        process.wait(10)
