"""Candles that are missing: a gap, a symbol that was listed later, too few for a first decision."""

from dataclasses import replace

import pytest

from local.errors import LocalError
from tests.unit.backtest.bench import body, run_bodies
from tests.unit.backtest.markets import FIVE_MINUTES_MS, history_of, random_walk
from tests.unit.backtest.scripted import FLAT, moment, only, run


def test_a_gap_is_no_candle() -> None:
    history = history_of([FLAT, FLAT, (90.0, 90, 90, 90), FLAT])
    times = history.opened_ms.copy()
    times[2:] += 10 * FIVE_MINUTES_MS
    trade = only(run([], history=replace(history, opened_ms=times)))
    assert (trade.exit_price, trade.closed_at) == (90.0, moment(12))


def test_a_symbol_that_lists_later_trades_later() -> None:
    early = random_walk(pairs=2, candles=3_000)
    late = early.history(1)
    listed = replace(late, **{name: getattr(late, name)[2_000:] for name in _COLUMNS})
    result = run_bodies([body([late.symbol, "C00/USDT"])], [early.history(0), listed])
    first = min(trade.opened_at for trade in result.trades if trade.symbol == late.symbol)
    assert first.timestamp() * 1_000 > int(listed.opened_ms[0])
    assert len(result.curve.times_ms) == 3_000


_COLUMNS = ("opened_ms", "open", "high", "low", "close", "volume")


def test_a_warm_up_longer_than_the_data_is_one_sentence() -> None:
    with pytest.raises(LocalError, match=r"needs .* candles of 5m on C00/USDT before its first decision, there are 50"):
        run_bodies([body(["C00/USDT"])], [random_walk(pairs=1, candles=50).history(0)])
