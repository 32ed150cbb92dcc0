"""How amounts, times and states are written."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from local.cli import output
from local.cli.times import since_of, span_of
from local.errors import LocalError

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def plain(value: Any) -> str:
    return str(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [("1234567.50", "1,234,567.5"), ("0.00012000", "0.00012"), ("100", "100"), ("1E-8", "0.00000001"), (None, None)],
)
def test_an_exact_amount_keeps_every_digit(value: str | None, text: str | None) -> None:
    assert output.exact(value) == text


def test_money_has_two_places_and_a_gain_its_sign() -> None:
    assert output.money("1234.565") == "1,234.56"
    assert output.money(None) is None
    assert plain(output.gain("12.3")) == "+12.30"
    assert plain(output.gain("-0.5")) == "-0.50"
    assert output.gain("12.3").style != output.gain("-0.5").style  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (660, "11 min"), (3_600, "1 h"), (7_500, "2 h 5 min"),
     (86_400, "1 d"), (100_000, "1 d 3 h")],
)  # fmt: skip
def test_a_duration_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert output.duration(seconds) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [(timedelta(0), "now"), (timedelta(minutes=-3), "3 min ago"), (timedelta(hours=2), "in 2 h")],
)
def test_how_far_a_moment_is(span: timedelta, text: str) -> None:
    assert output.distance(span) == text


def test_a_time_is_local_with_the_date_only_on_other_days() -> None:
    local = NOW.astimezone()
    assert plain(output.when("2026-11-20T08:57:00Z", now=NOW)) == f"{local - timedelta(minutes=3):%H:%M:%S} (3 min ago)"
    two_days_ago = local - timedelta(days=2)
    assert plain(output.when("2026-11-18T09:00:00Z", now=NOW)) == f"{two_days_ago:%d %b %H:%M} (2 d ago)"
    assert output.when(None, now=NOW) is None


def test_a_table_fits_in_a_hundred_columns_and_has_no_colour_without_a_terminal() -> None:
    row = ("live-binance-main-budget", output.money("1234567.5"), output.state("HALTED"), output.gain("-3"))
    columns = (output.whole("budget"), output.right("available"), "state", output.right("realised"))
    stream = io.StringIO()
    Console(file=stream, width=100).print(output.table(columns, [row, ("b", None, None, None)]))
    lines = stream.getvalue().splitlines()
    assert "\x1b" not in stream.getvalue()
    assert max(map(len, lines)) <= 100
    assert lines[1].index("1,234,567.50") + len("1,234,567.50") == lines[0].index("available") + len("available")
    assert lines[2].split() == ["b", "-", "-", "-"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [("10m", NOW - timedelta(minutes=10)), ("1.5h", NOW - timedelta(minutes=90)), ("2d", NOW - timedelta(days=2)),
     ("2026-11-20T08:00:00Z", NOW - timedelta(hours=1)), ("2026-11-20T09:30:00+01:00", NOW - timedelta(minutes=30))],
)  # fmt: skip
def test_since(text: str, moment: datetime) -> None:
    assert since_of(text, now=NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "10", "-5m", "2026-13-01", "9" * 400 + "d"])
def test_since_that_is_none(text: str) -> None:
    with pytest.raises(LocalError, match=r"--since (must be a time span|is longer)"):
        since_of(text, now=NOW)
    with pytest.raises(LocalError, match="--every"):
        span_of(text, option="--every")
