"""The first links: schedule, data, signal."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from surefill.domain.kinds import BotState, Side
from surefill.domain.reasons import Reason
from surefill.usecases.explain.evaluation import data_link, signal_link
from surefill.usecases.explain.model import LinkState
from surefill.usecases.explain.schedule import next_run, schedule_link
from tests.fakes.rows import TICK, bot
from tests.unit.usecases.explain.places import (
    AGO,
    decided,
    place,
    silent,
    slot,
    stopped,
)


def test_a_bot_in_the_schedule_knows_its_next_run() -> None:
    link = schedule_link(place())
    assert link.state is LinkState.OK
    assert link.says == "schedule: every 60 s, last tick 2026-01-05T12:00:00Z, next run at 2026-01-05T12:01:00Z"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(30, "12:00:30"), (60, "12:01:00"), (300, "12:05:00"), (3_600, "13:00:00"), (86_400, "00:00:00")],
)
def test_the_next_run_is_the_next_multiple_of_the_interval(seconds: int, expected: str) -> None:
    assert next_run(bot(interval_seconds=seconds), last_tick=TICK).strftime("%H:%M:%S") == expected


def test_a_weekly_bot_runs_on_thursdays() -> None:
    assert next_run(bot(interval_seconds=604_800), last_tick=TICK).strftime("%a %d %H:%M") == "Thu 08 00:00"


def test_a_silent_schedule_is_named_with_its_last_tick() -> None:
    link = schedule_link(place(**silent("dispatch")))
    stopped(link, Reason.NO_TICK, "no tick since 2026-01-05T11:56:00Z")
    assert link.since == TICK - AGO


def test_three_minutes_without_a_tick_are_not_silence_yet() -> None:
    assert schedule_link(place(now=TICK + timedelta(minutes=3))).state is LinkState.OK
    assert schedule_link(place(now=TICK + timedelta(minutes=3, seconds=1))).state is LinkState.STOPPED


def test_a_schedule_that_never_ticked() -> None:
    stopped(schedule_link(place(schedules={})), Reason.NO_TICK, "no tick since the deployment")


def test_a_strategy_that_is_not_installed() -> None:
    link = schedule_link(place(strategies=frozenset({"dca"})))
    stopped(link, Reason.STRATEGY_UNKNOWN, "bot: unknown strategy 'composite'")


def test_a_paused_bot_says_why() -> None:
    link = schedule_link(place(bot=bot(state=BotState.PAUSED, state_reason="by ada")))
    stopped(link, Reason.BOT_NOT_ACTIVE, "bot: PAUSED (by ada), it does not enter")


def test_a_bot_paused_by_its_strategys_failure() -> None:
    failed = bot(state=BotState.PAUSED, state_reason="strategy.failed: ValueError: no")
    stopped(schedule_link(place(bot=failed)), Reason.STRATEGY_FAILED, "bot: strategy failed: ValueError: no")


def test_an_active_bot_in_no_schedule() -> None:
    assert "in no schedule" in schedule_link(place(bot=bot(cadence_key=None))).says


def test_a_bot_that_is_handed_out_and_never_evaluated() -> None:
    link = schedule_link(place(slot=slot(last_reason=None)))
    assert link.reason is Reason.NOT_EVALUATED
    assert link.state is LinkState.STOPPED


def test_a_new_bot_waits_for_its_first_run() -> None:
    new = bot(created_at=TICK - timedelta(seconds=30), interval_seconds=3_600)
    link = schedule_link(place(bot=new, slot=slot(last_reason=None)))
    assert link.state is LinkState.WAITING
    assert "next run at 2026-01-05T13:00:00Z" in link.says


def unfinished(minutes_ago: int, *, interval: int = 60, **counts: str) -> dict[str, Any]:
    """A bot whose market was begun a second time for the tick so long ago."""
    found = place().schedules
    tick = TICK - timedelta(minutes=minutes_ago)
    row = replace(found["dispatch"], schedule_name="evaluate", last_tick=tick, counts={"attempt": "2", **counts})
    old = bot(created_at=TICK - timedelta(days=1), interval_seconds=interval)
    return {"bot": old, "schedules": {**found, "evaluate|binance|BTC/USDT|1m": row}}


def left(since_minutes: int, **changes: Any) -> dict[str, Any]:
    """Evaluations that nobody has taken from the queue since so many ticks."""
    found = place().schedules
    since = (TICK - timedelta(minutes=since_minutes)).isoformat()
    row = replace(found["dispatch"], counts={"waiting": "9", "waiting_since": since})
    old = bot(**{"created_at": TICK - timedelta(days=1), **changes})
    return {"bot": old, "schedules": {**found, "dispatch": row}}


def test_a_market_whose_evaluation_does_not_end() -> None:
    link = schedule_link(place(**unfinished(2)))
    stopped(link, Reason.NOT_EVALUATED, "schedule: handed out since 2026-01-05T11:58:00Z, not evaluated")
    assert link.since == TICK - timedelta(minutes=2)
    assert schedule_link(place(**unfinished(60, interval=3_600))).state is LinkState.STOPPED


def test_an_evaluation_that_ended_at_its_second_attempt_or_long_ago_is_fine() -> None:
    assert schedule_link(place(**unfinished(2, finished="1"))).state is LinkState.OK
    assert schedule_link(place(**unfinished(4))).state is LinkState.OK


def test_evaluations_that_nobody_takes() -> None:
    link = schedule_link(place(**left(2)))
    stopped(link, Reason.NOT_EVALUATED, "schedule: handed out since 2026-01-05T11:57:00Z, not evaluated")
    assert schedule_link(place(**left(1))).state is LinkState.OK, "a minute of it may be a busy moment"


def test_a_bot_that_was_not_due_since_is_not_missed() -> None:
    assert schedule_link(place(**left(10, interval_seconds=3_600))).state is LinkState.STOPPED, "due at the hour"
    early = TICK - timedelta(minutes=30)
    schedules = {"dispatch": replace(left(10)["schedules"]["dispatch"], last_tick=early)}
    assert (
        schedule_link(
            place(now=early, bot=bot(interval_seconds=3_600, created_at=TICK - timedelta(days=1)), schedules=schedules)
        ).state
        is LinkState.OK
    )
    assert schedule_link(place(**left(10, scheduled_since=TICK))).state is LinkState.OK, "started just now"


def test_fresh_data_is_fine() -> None:
    assert data_link(place()).state is LinkState.OK


def test_stale_data_is_named_with_its_age() -> None:
    told = decided(Reason.DATA_STALE, last_candle_closed="2026-01-05T11:50:00+00:00")
    link = data_link(place(**told))
    stopped(link, Reason.DATA_STALE, "data: last candle 2026-01-05T11:50:00Z, age 10 min")
    assert signal_link(place(**told)).state is LinkState.UNKNOWN


def test_a_rate_limit_says_until_when() -> None:
    link = data_link(place(**decided(Reason.RATE_LIMITED, until="2026-01-05T12:03:00Z")))
    stopped(link, Reason.RATE_LIMITED, "venue: rate limited until 2026-01-05T12:03:00Z")


def test_a_decision_older_than_what_is_read_is_known_without_numbers() -> None:
    link = data_link(place(slot=slot(last_reason=Reason.NO_PRICE), journal=()))
    stopped(link, Reason.NO_PRICE, "data: no price")
    assert link.since is None


def test_hold_shows_what_the_strategy_read() -> None:
    link = signal_link(place(**decided(Reason.HOLD, rsi="41.2", score="0.1")))
    assert (link.state, link.says) == (LinkState.WAITING, "signal: hold (rsi 41.2, score 0.1)")


def test_a_sale_without_a_position() -> None:
    stopped(signal_link(place(**decided(Reason.NO_POSITION))), Reason.NO_POSITION, "signal: no position to sell")


def test_a_grid_says_which_level_it_waits_for() -> None:
    told = decided(Reason.GRID_WAITING, waits_to_buy="level2 at 100", waits_to_sell="level4 at 120")
    assert signal_link(place(**told)).says == "grid: waiting for fill of level2 at 100 or level4 at 120"


def test_a_signal_that_stands() -> None:
    standing = slot(last_reason=Reason.MARKET_HOURS, signal_side=Side.BUY, signal_since=TICK - AGO)
    link = signal_link(place(slot=standing))
    assert (link.state, link.says) == (LinkState.OK, "signal: buy, stands since 2026-01-05T11:56:00Z")
