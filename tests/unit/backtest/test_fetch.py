"""Fetching candles from the simulated exchange over HTTP: whole, continued, cut short, with gaps, and refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from local.backtest.candle_files import read_candles
from local.backtest.cli import candles_app
from local.exchange.clock import ExchangeClock
from local.exchange.market.recording import read_recording
from local.exchange.server import RunningServer, serve
from local.exchange.settings import MarketSettings, build_exchange
from tests.unit.backtest.markets import START_MS, write_rows

MINUTES = 2_500
MINUTE_MS = 60_000
GAP = range(1_200, 1_230)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = (
        [START_MS + minute * MINUTE_MS, f"{100 + minute / 100:.2f}", 200, 99, f"{100.5 + minute / 100:.2f}", 12.25]
        for minute in range(MINUTES)
        if minute not in GAP
    )
    return write_rows(tmp_path_factory.mktemp("recorded") / "btc.csv", rows)


@pytest.fixture(scope="module")
def server(recorded: Path) -> Iterator[RunningServer]:
    source = read_recording(recorded, allow_gaps=True)
    now = ExchangeClock.manual(START_MS + MINUTES * MINUTE_MS - 30_000)
    found = serve(build_exchange(markets=[MarketSettings("BTC/USDT", source=source)], clock=now))
    yield found
    found.close()


def fetch(server: RunningServer, folder: Path, *more: str, since: str = "2025-01-01") -> Result:
    arguments = ["--symbol", "BTC/USDT", "--since", since, "--out", str(folder), "--url", server.url, *more]
    return CliRunner().invoke(candles_app, arguments)


def test_all_closed_candles_are_fetched_and_gaps_told(server: RunningServer, tmp_path: Path, recorded: Path) -> None:
    result = fetch(server, tmp_path)
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "BTC-USDT-1m.csv").read_text().splitlines()
    # The last minute has not closed yet on the exchange's clock.
    assert len(lines) == 1 + MINUTES - len(GAP) - 1
    assert "2,469 candles of BTC/USDT" in result.stdout
    assert "30 missing in 1 gaps, the longest 30 from 2025-01-01 20:00" in result.stdout
    fetched = read_candles(tmp_path / "BTC-USDT-1m.csv", symbol="BTC/USDT")
    assert fetched.close.tolist() == read_candles(recorded, symbol="BTC/USDT").close.tolist()[:-1]


def test_a_file_is_continued_also_after_a_line_was_cut_short(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "BTC-USDT-1m.csv"
    assert fetch(server, tmp_path, "--until", "2025-01-01T05:00:00Z").exit_code == 0
    assert len(path.read_text().splitlines()) == 1 + 300
    path.write_text(path.read_text()[:-7])
    assert fetch(server, tmp_path).exit_code == 0
    again = tmp_path / "again"
    assert fetch(server, again).exit_code == 0
    assert path.read_text() == (again / "BTC-USDT-1m.csv").read_text()


def test_a_symbol_that_lists_later_is_fetched_from_then_on(server: RunningServer, tmp_path: Path) -> None:
    assert fetch(server, tmp_path, since="2024-12-25").exit_code == 0
    assert read_candles(tmp_path / "BTC-USDT-1m.csv", symbol="BTC/USDT").opened_ms[0] == START_MS


def test_longer_candles_are_asked_for_by_name(server: RunningServer, tmp_path: Path) -> None:
    assert fetch(server, tmp_path, "--timeframe", "1h").exit_code == 0
    assert read_candles(tmp_path / "BTC-USDT-1h.csv", symbol="BTC/USDT").timeframe == "1h"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--venue", "nowhere"], "--venue must be one of binance"),
        (["--timeframe", "x"], "--timeframe: timeframe must look like"),
        (["--until", "soon"], "--until must be a date"),
        (["--until", "2024-01-01"], "--since must be before --until"),
        (["--symbol", "NO/SUCH"], "candles of NO/SUCH"),
    ],
)
def test_bad_input_is_one_sentence(server: RunningServer, tmp_path: Path, more: list[str], said: str) -> None:
    result = fetch(server, tmp_path, *more)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_file_that_is_something_else_is_left_alone(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "BTC-USDT-1m.csv"
    path.write_text("dear diary\n")
    result = fetch(server, tmp_path)
    assert result.exit_code == 2
    assert "is there and no file of candles" in result.stderr
    assert path.read_text() == "dear diary\n"


def test_a_venue_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    arguments = ["--symbol", "BTC/USDT", "--since", "2025-01-01", "--out", str(tmp_path)]
    result = CliRunner().invoke(candles_app, [*arguments, "--url", "http://127.0.0.1:9"])
    assert result.exit_code == 2
    assert "binance does not answer" in result.stderr
