"""Recorded candles: what is accepted, and the sentence for what is not."""

from __future__ import annotations

import gzip
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from local.exchange.market.recording import CandleFileError, Gap, read_recording
from tests.unit.exchange.helpers import START_MS, recording

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "timestamp,open,high,low,close,volume"


def written(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "COIN.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def row(minute: int, prices: str = "100,101,99,100", volume: str = "5") -> str:
    return f"{START_MS + minute * 60_000},{prices},{volume}"


def test_a_good_file_in_any_column_order(tmp_path: Path) -> None:
    path = written(tmp_path, f"5,100,101,99,100.5,{START_MS}", f"5,100,101,99,100.25,{START_MS + 60_000}",
                   header="volume,open,high,low,close,timestamp")  # fmt: skip
    source = read_recording(path)
    assert (len(source), source.interval_ms, source.price_step) == (2, 60_000, Decimal("0.01"))
    assert (source.first_open_ms, source.end_ms, source.gaps) == (START_MS, START_MS + 120_000, ())
    candle = source.candle(START_MS)
    assert candle is not None
    assert candle.close == Decimal("100.5")
    assert source.candle(START_MS - 60_000) is None


def test_a_compressed_file(tmp_path: Path) -> None:
    path = tmp_path / "COIN.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}\n{row(0)}\n{row(1)}\n".encode()))
    assert len(read_recording(path)) == 2


def test_rounding_noise_is_rounded_to_eight_decimals(tmp_path: Path) -> None:
    noisy = "5.330000000000001e-05,5.34e-05,5.32e-05,0.000053300000000004"
    candle = read_recording(written(tmp_path, row(0, noisy), row(1, noisy))).candle(START_MS)
    assert candle is not None
    assert (candle.open, candle.close) == (Decimal("0.0000533"), Decimal("0.0000533"))


def test_gaps_are_reported_and_need_permission(tmp_path: Path) -> None:
    path = written(tmp_path, row(0), row(1), row(4), row(6))
    with pytest.raises(
        CandleFileError, match=r"COIN.csv, row 4: 2 candles missing .* \(2 gaps in the file\), expected"
    ):
        read_recording(path)
    source = read_recording(path, allow_gaps=True)
    assert source.gaps == (Gap(START_MS + 120_000, 2), Gap(START_MS + 300_000, 1))
    assert source.candle(START_MS + 120_000) is None


@pytest.mark.parametrize(
    ("rows", "where", "what"),
    [
        ([], 1, "has 0 candles, expected at least 2"),
        ([row(0)], 2, "has 1 candles, expected at least 2"),
        ([row(0), row(0)], 3, "repeats"),
        ([row(1), row(0)], 3, "goes back behind"),
        ([row(0), row(1, "0,101,0,100")], 3, "open is 0, expected a number above 0"),
        ([row(0), row(1, "100,101,-99,100")], 3, "low is -99, expected a number above 0"),
        ([row(0), row(1, "100,NaN,99,100")], 3, "high is NaN, expected a number above 0"),
        ([row(0), row(1, "100,inf,99,100")], 3, "high is inf, expected a number above 0"),
        ([row(0), row(1, "100,much,99,100")], 3, "high is 'much', expected a number above 0"),
        ([row(0), row(1, "100,101,99,")], 3, "close is '', expected a number above 0"),
        ([row(0), row(1, volume="-1")], 3, "volume is -1, expected a number of at least 0"),
        ([row(0), row(1, "100,99,98,100")], 3, "expected low <= open, close <= high"),
        ([row(0), row(1, "100,101,1e-12,100")], 3, "low is 1e-12, expected at least"),
        ([row(0), row(1) + ",7"], 3, "has 7 fields, expected 6"),
        ([row(0), "yesterday,100,101,99,100,5"], 3, "timestamp is 'yesterday', expected whole milliseconds"),
        (["1730000000,100,101,99,100,5", row(1)], 2, "expected milliseconds since 1970 (13 digits), not seconds"),
        ([row(0), f"{START_MS + 61_000},100,101,99,100,5"], 3, "rows are 61000 ms apart"),
        ([f"{START_MS + 1},1,1,1,1,5", f"{START_MS + 60_001},1,1,1,1,5"], 2, "is inside a 1m candle"),
    ],
)  # fmt: skip
def test_bad_rows_are_named(tmp_path: Path, rows: list[str], where: int, what: str) -> None:
    path = written(tmp_path, *rows)
    with pytest.raises(CandleFileError) as problem:
        read_recording(path)
    assert str(problem.value).startswith(f"{path}, row {where}: ")
    assert what in str(problem.value)
    assert "expected" in str(problem.value)


def test_files_that_are_no_recordings(tmp_path: Path) -> None:
    with pytest.raises(CandleFileError, match="no such file"):
        read_recording(tmp_path / "missing.csv")
    with pytest.raises(CandleFileError, match="header is date,price, expected the columns timestamp,open"):
        read_recording(written(tmp_path, "1,2", header="date,price"))
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(CandleFileError, match="expected CSV text"):
        read_recording(binary)
    false = tmp_path / "false.csv.gz"
    false.write_text("not compressed")
    with pytest.raises(CandleFileError, match="expected gzip-compressed CSV text"):
        read_recording(false)
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(f"{HEADER}\n{row(0)}\n".encode() * 50)[:-20])
    with pytest.raises(CandleFileError):
        read_recording(cut)


def test_the_real_recordings() -> None:
    source = read_recording(recording("BTC-USDT-1m-2024-10.csv.gz"))
    assert (len(source), source.interval_ms, source.price_step) == (50_000, 60_000, Decimal("0.01"))
    path = recording("ADA-BTC-5m-2018-01.csv.gz")
    with pytest.raises(CandleFileError, match="gaps"):
        read_recording(path)
    assert len(read_recording(path, allow_gaps=True).gaps) == 5
