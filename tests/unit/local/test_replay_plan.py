"""A replay is checked before anything is started, and every refusal is one sentence."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.errors import LocalError
from local.exchange.market.recording import CandleFileError
from local.replay.plan import ReplayOptions, ReplayPlan, plan_replay

START = 1_700_000_100_000  # at a full five minutes
HEADER = "timestamp,open,high,low,close,volume"


def candle_file(path: Path, *, rows: int = 400, step: int = 60_000, lines: dict[int, str | None] | None = None) -> Path:
    """A recording; `lines` replaces (or with None leaves out) rows by number."""
    made = [f"{START + number * step},100,101,99,100,5" for number in range(rows)]
    for number, text in (lines or {}).items():
        made[number] = text or ""
    text = "\n".join([HEADER, *(line for line in made if line)]) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def plan(
    *files: Path, symbols: tuple[str, ...] = ("BTC/USDT",), ticks: int = 10, bots: int | None = None
) -> ReplayPlan:
    return plan_replay(ReplayOptions(candles=files, symbols=symbols, ticks=ticks, bots=bots))


def test_it_starts_after_the_warm_up(tmp_path: Path) -> None:
    made = plan(candle_file(tmp_path / "a.csv"))
    needed = 110
    assert made.first_tick == datetime.fromtimestamp(START / 1_000 + (needed + 0) * 60, UTC)
    assert made.before_first_tick < made.first_tick
    assert [bot["symbols"] for bot in made.bots] == [["BTC/USDT"]]


def test_bots_are_dealt_out_over_the_symbols(tmp_path: Path) -> None:
    files = candle_file(tmp_path / "a.csv"), candle_file(tmp_path / "b.csv.gz")
    made = plan(*files, symbols=("BTC/USDT", "ETH/USDT"), bots=5)
    assert [bot["symbols"][0] for bot in made.bots] == ["BTC/USDT", "ETH/USDT", "BTC/USDT", "ETH/USDT", "BTC/USDT"]
    assert len({bot["name"] for bot in made.bots}) == 5
    assert "USDT=50000" in made.exchange_arguments


@pytest.mark.parametrize(
    ("symbols", "words"),
    [
        ((), "each --candles needs one --symbol, were 1 files and 0 symbols"),
        (("BTC/USDT", "ETH/USDT"), "were 1 files and 2 symbols"),
        (("BTCUSDT",), "--symbol must be base/quote such as BTC/USDT, was 'BTCUSDT'"),
    ],
)
def test_files_and_symbols_must_fit(tmp_path: Path, symbols: tuple[str, ...], words: str) -> None:
    with pytest.raises(LocalError, match=words):
        plan(candle_file(tmp_path / "a.csv"), symbols=symbols)


def test_a_symbol_twice_and_two_currencies_are_refused(tmp_path: Path) -> None:
    file = candle_file(tmp_path / "a.csv")
    with pytest.raises(LocalError, match="each symbol may be given once"):
        plan(file, file, symbols=("BTC/USDT", "BTC/USDT"))
    with pytest.raises(LocalError, match="one currency, were in BTC, USDT"):
        plan(file, file, symbols=("BTC/USDT", "ETH/BTC"))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ({100: None}, "candles missing"),
        ({100: f"{START + 99 * 60_000},100,101,99,100,5"}, "repeats"),
        ({100: "yesterday,100,101,99,100,5"}, "row 102"),
        ({100: f"{START + 100 * 60_000},100,101,99,n/a,5"}, "row 102"),
    ],
)
def test_gaps_duplicates_and_text_are_refused(tmp_path: Path, lines: dict[int, str | None], words: str) -> None:
    with pytest.raises(CandleFileError, match=words):
        plan(candle_file(tmp_path / "a.csv", lines=lines))


def test_other_candle_lengths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="candles must be of one minute, were of 300 s"):
        plan(candle_file(tmp_path / "a.csv", step=300_000))


def test_more_ticks_than_candles_are_refused_with_what_is_possible(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="--ticks must be at most 290, was 1000"):
        plan(candle_file(tmp_path / "a.csv"), ticks=1_000)
    assert plan(candle_file(tmp_path / "a.csv"), ticks=290).ticks == 290


def test_a_file_shorter_than_the_warm_up_leaves_no_ticks(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="--ticks must be at most 0"):
        plan(candle_file(tmp_path / "a.csv", rows=50))
