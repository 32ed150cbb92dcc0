"""What keeps a bot from buying: its budget's limits, another bot, a cooldown, a confirmation, its interval."""

from surefill.domain.reasons import Reason
from tests.unit.backtest.bench import body, run_bodies
from tests.unit.backtest.markets import history_of
from tests.unit.backtest.scripted import BTC, FLAT, moment, run, script


def test_limits_of_the_budget_hold() -> None:
    rows = [FLAT] * 12
    strategy = script(buys=(1, 3, 5, 7), sells=(2, 4, 6, 8))
    assert len(run(rows, strategy=strategy).trades) == 4
    limited = run(rows, strategy=strategy, limits={"max_trades_per_day": 2})
    assert len(limited.trades) == 2
    assert limited.decisions[Reason.LIMIT_TRADES] == 2


def test_two_bots_share_one_budget() -> None:
    bodies = [body([BTC], name="one", budget_percent="25"), body([BTC], name="two", budget_percent="20")]
    result = run_bodies(
        bodies, [history_of([FLAT] * 5)], limits={"max_open_positions": 1}, strategies={"rsi_macd": script()}
    )
    assert [order.bot for order in result.orders] == ["one"]
    assert result.decisions[Reason.LIMIT_OPEN_POSITIONS] == 1


def test_a_cooldown_and_a_confirmation_wait() -> None:
    every = script(buys=tuple(range(20)), sells=())
    falling = [FLAT, FLAT, FLAT, (100.0, 100.0, 94.0, 100.0), *[FLAT] * 8]
    cool = run(falling, strategy=every, fields={"cooldown_seconds": 1_200})
    assert [order.at for order in cool.orders if order.side == "BUY"] == [moment(1), moment(8)]
    firm = run([FLAT] * 8, strategy=every, fields={"confirmation_seconds": 900})
    assert [order.at for order in firm.orders] == [moment(4)]
    brief = run([FLAT] * 8, strategy=script(buys=(1, 2, 4, 5)), fields={"confirmation_seconds": 900})
    assert not brief.orders


def test_a_bot_is_asked_at_its_interval_only() -> None:
    every = script(buys=tuple(range(20)))
    result = run([FLAT] * 9, strategy=every, fields={"interval_seconds": 1_800})
    assert [order.at for order in result.orders] == [moment(6)]
