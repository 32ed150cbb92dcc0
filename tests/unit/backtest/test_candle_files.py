"""Candle files: what is read, what is refused and in which words, longer candles out of shorter ones, gaps."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from local.backtest.candle_files import read_candles, timeframe_name
from local.backtest.history import between, resample
from local.errors import LocalError
from tests.unit.backtest.markets import FIVE_MINUTES_MS, START_MS, history_of, random_walk, write_csv, write_rows

GOOD = [1.0, 2.0, 0.5, 1.5, 10.0]


def at(*, place: int) -> int:
    return START_MS + place * FIVE_MINUTES_MS


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    history = random_walk(pairs=1, candles=50).history(0)
    read = read_candles(write_csv(tmp_path / "a.csv", history), symbol="C00/USDT")
    assert read.timeframe == "5m"
    for name in ("opened_ms", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(read, name), getattr(history, name))
    assert read.gaps().count == 0


def test_columns_are_found_by_name_and_gzip_is_read(tmp_path: Path) -> None:
    text = "volume,close,low,high,open,timestamp,trades\n" + "".join(
        f"10,1.5,0.5,2,1,{at(place=place)},7\n" for place in range(3)
    )
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    read = read_candles(path, symbol="A/B")
    assert (read.open[0], read.high[0], read.low[0], read.close[0], read.volume[0]) == (1, 2, 0.5, 1.5, 10)


BAD_ROWS = [
    ("nan", [at(place=2), 1.0, 2.0, "nan", 1.5, 10.0], "row 4: low is nan, expected a price above 0"),
    ("zero", [at(place=2), 0, 2.0, 0.5, 1.5, 10.0], "row 4: open is 0.0, expected a price above 0"),
    ("negative", [at(place=2), 1.0, 2.0, 0.5, -1.5, 10.0], "row 4: close is -1.5, expected a price above 0"),
    ("infinite", [at(place=2), 1.0, "inf", 0.5, 1.5, 10.0], "row 4: high is inf, expected a price above 0"),
    ("volume", [at(place=2), *GOOD[:4], -1], "row 4: volume is -1.0, expected 0 or more"),
    ("shape", [at(place=2), 1.0, 1.2, 0.5, 1.5, 10.0], "expected low <= open, close <= high"),
    ("repeated", [at(place=1), *GOOD], "row 4: timestamp 1735689900000 repeats the row above"),
    ("backwards", [at(place=0), *GOOD], "row 4: timestamp 1735689600000 is before the row above"),
    ("seconds", [at(place=2) // 1_000, *GOOD], "expected whole milliseconds since 1970"),
    ("word", [at(place=2), "1,0", 2.0, 0.5, 1.5, 10.0], "row 4: has 7 fields, expected 6"),
    ("text", [at(place=2), "one", 2.0, 0.5, 1.5, 10.0], "row 4: open is 'one', expected a number"),
    ("short", [at(place=2), 1.0], "row 4: has 2 fields, expected 6"),
    ("between", [at(place=2) + 150_000, *GOOD], "row 4: 2025-01-01T00:12:30+00:00 is inside a 5m candle"),
]


@pytest.mark.parametrize(("row", "said"), [(row, said) for _, row, said in BAD_ROWS], ids=[row[0] for row in BAD_ROWS])
def test_a_bad_row_is_named(tmp_path: Path, row: list[object], said: str) -> None:
    path = write_rows(tmp_path / "bad.csv", [[at(place=0), *GOOD], [at(place=1), *GOOD], row])
    with pytest.raises(LocalError) as refused:
        read_candles(path, symbol="BTC/USDT")
    assert str(path) in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.csv", None, "no such file"),
        ("empty.csv", b"", "expected the columns timestamp,open,high,low,close,volume"),
        ("header.csv", b"time,open,high,low,close,volume\n", "row 1: header is"),
        ("one.csv", b"timestamp,open,high,low,close,volume\n1735689600000,1,2,1,2,3\n", "has 1 candles, expected"),
        ("plain.csv.gz", b"timestamp,open", "can't be read"),
    ],
)
def test_an_unusable_file_is_named(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LocalError, match=said.replace("(", r"\(")):
        read_candles(path, symbol="BTC/USDT")


def test_gaps_are_counted(tmp_path: Path) -> None:
    places = [0, 1, 2, 5, 6, 13, 14]
    path = write_rows(tmp_path / "gaps.csv", [[at(place=place), *GOOD] for place in places])
    gaps = read_candles(path, symbol="BTC/USDT").gaps()
    assert (gaps.count, gaps.missing, gaps.longest) == (2, 8, 6)
    assert gaps.first_from is not None
    assert gaps.longest_from is not None
    assert int(gaps.first_from.timestamp() * 1_000) == at(place=3)
    assert int(gaps.longest_from.timestamp() * 1_000) == at(place=7)


def test_longer_candles_are_made_of_whole_ones() -> None:
    rows = [(10 + i, 20.0 + i, 5.0 + i, 11.0 + i) for i in range(10)]
    longer = resample(history_of(rows, timeframe="1m"), timeframe="5m")
    assert longer.timeframe == "5m"
    assert longer.opened_ms.tolist() == [START_MS, START_MS + FIVE_MINUTES_MS]
    assert longer.open.tolist() == [10, 15]
    assert longer.high.tolist() == [24, 29]
    assert longer.low.tolist() == [5, 10]
    assert longer.close.tolist() == [15, 20]
    assert longer.volume.tolist() == [500, 500]


def test_begun_candles_at_both_ends_are_left_out() -> None:
    whole = history_of([(10.0 + i, 20.0 + i, 5.0, 11.0 + i) for i in range(17)], timeframe="1m")
    begun = between(whole, since_ms=START_MS + 120_000, until_ms=None)
    assert resample(begun, timeframe="5m").opened_ms.tolist() == [
        START_MS + FIVE_MINUTES_MS,
        START_MS + 2 * FIVE_MINUTES_MS,
    ]


def test_candles_are_not_split_nor_made_of_what_does_not_fit() -> None:
    history = history_of([(1, 2, 1, 2)] * 20)
    for timeframe in ("1m", "7m"):
        with pytest.raises(LocalError, match="can't be made of them"):
            resample(history, timeframe=timeframe)


def test_lengths_have_names() -> None:
    assert [timeframe_name(seconds) for seconds in (1, 60, 300, 3_600, 86_400, 604_800)] == [
        "1s", "1m", "5m", "1h", "1d", "1w",
    ]  # fmt: skip


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is large enough to be kept, with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write_csv(tmp_path / "large.csv", random_walk(pairs=1, candles=4_000, seed=1).history(0))


def entries(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache" / "surefill" / "candles").iterdir())


def test_a_file_that_was_read_is_kept_and_gives_the_same(large: Path, tmp_path: Path) -> None:
    first = read_candles(large, symbol="C00/USDT")
    (entry,) = entries(tmp_path)
    written = entry.stat().st_mtime_ns
    second = read_candles(large, symbol="C00/USDT")
    assert entry.stat().st_mtime_ns == written
    assert first.timeframe == second.timeframe
    for column in ("opened_ms", "open", "high", "low", "close", "volume"):
        assert getattr(first, column).tolist() == getattr(second, column).tolist()


def test_a_file_that_changed_is_read_again_and_its_old_entry_goes(large: Path, tmp_path: Path) -> None:
    read_candles(large, symbol="C00/USDT")
    lines = large.read_text().splitlines()
    large.write_text("\n".join(lines[:-1]) + "\n")
    assert len(read_candles(large, symbol="C00/USDT")) == 3_999
    assert len(entries(tmp_path)) == 1


def test_an_entry_that_is_no_table_is_left_aside(large: Path, tmp_path: Path) -> None:
    read_candles(large, symbol="C00/USDT")
    (entry,) = entries(tmp_path)
    for content in (b"", b"nonsense", entry.read_bytes()[:100_000]):
        entry.write_bytes(content)
        assert len(read_candles(large, symbol="C00/USDT")) == 4_000


def test_bad_candles_are_not_kept(large: Path, tmp_path: Path) -> None:
    large.write_text(large.read_text() + "1,1,1,1,1,1\n")
    with pytest.raises(LocalError, match="row 4002"):
        read_candles(large, symbol="C00/USDT")
    assert not (tmp_path / "cache").exists()
