"""Processes die, permissions go, the local AWS stops in the middle: the next ticks finish what was open."""

import json
import os
import signal
from datetime import timedelta

import pytest

from local.driver import Driver
from local.stage.aws import InvocationFailedError
from surefill.domain.states import IntentState, SlotState
from surefill.domain.times import format_time
from tests.system.bench import Bench

_POST = {"method": "POST", "path": "/api/v3/order"}
_DENY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}]}
)


def test_without_its_permissions_exactly_that_function_fails_and_says_so(bench: Bench) -> None:
    bot = bench.make_bot("permissions", symbol="XRP/USDT")
    bench.open_position(bot)
    configuration = bench.stage.aws.functions.get_function_configuration(
        FunctionName=bench.stage.function("watch_exits")
    )
    role = configuration["Role"].rpartition("/")[2]
    report = bench.driver.report
    before = dict(report.failures)
    bench.stage.aws.identities.put_role_policy(RoleName=role, PolicyName="taken-away", PolicyDocument=_DENY)
    try:
        bench.driver.next_tick()
        failed = {name: count - before.get(name, 0) for name, count in report.failures.items()}
        assert {name: count for name, count in failed.items() if count} == {"watch_exits": 1}
        assert "surefill-local-watch_exits" in report.last_failures[-1]
        assert "not authorized" in report.last_failures[-1] or "AccessDenied" in report.last_failures[-1]
        assert report.fired["dispatch"] >= 1
    finally:
        bench.stage.aws.identities.delete_role_policy(RoleName=role, PolicyName="taken-away")
    fired = report.fired["watch_exits"]
    bench.close_position(bot, symbol="XRP/USDT")
    assert report.fired["watch_exits"] > fired
    bench.stop_bot(bot)


@pytest.mark.usefixtures("on_linux")
def test_a_worker_killed_after_the_exchange_took_the_order_leaves_one_position(bench: Bench) -> None:
    bench.stage.exchange.add_fault(kind="delay", after_seconds="8", symbol="DOT/USDT", **_POST)
    bot = bench.make_bot("killed_after", symbol="DOT/USDT")
    bench.wait_until(lambda: any(bench.posts(intent) for intent in bench.intents(bot)))
    workers = bench.workers("place_order")
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    bench.tick_until(lambda: bench.slot(bot).state is SlotState.OPEN)
    (entry,) = bench.intents(bot)
    assert entry.state is IntentState.FILLED
    assert bench.posts(entry) == 1
    bench.stop_bot(bot)


def test_a_reply_that_never_came_is_looked_up_not_sent_again(bench: Bench) -> None:
    bench.stage.exchange.add_fault(kind="accept_then_drop", symbol="LTC/USDT", **_POST)
    bot = bench.make_bot("no_reply", symbol="LTC/USDT")
    bench.open_position(bot)
    (entry,) = bench.intents(bot)
    assert bench.posts(entry) == 1
    bench.stop_bot(bot)


def test_the_local_aws_stopped_in_the_middle_of_an_order_finishes_it_when_it_is_back(bench: Bench) -> None:
    # The reply is lost, and for a while the exchange does not show the order either: the workflow has to wait.
    bench.stage.exchange.add_fault(kind="accept_then_drop", symbol="XLM/USDT", **_POST)
    bench.stage.exchange.add_fault(kind="visibility_lag", seconds="20", symbol="XLM/USDT", **_POST)
    bot = bench.make_bot("restarted", symbol="XLM/USDT")
    bench.wait_until(lambda: any(intent.state is IntentState.UNKNOWN for intent in bench.intents(bot)))
    bench.stage.stop_aws()
    with pytest.raises(Exception, match=r"(?i)connect"):
        bench.stage.aws.invoke(bench.stage.function("reconcile"), "{}")
    bench.stage.start_aws()
    (entry,) = bench.intents(bot)
    assert entry.state is IntentState.UNKNOWN
    bench.tick_until(lambda: bench.slot(bot).state is SlotState.OPEN)
    (entry,) = bench.intents(bot)
    assert bench.posts(entry) == 1
    bench.stop_bot(bot)


def test_the_local_aws_killed_in_the_middle_loses_no_write_and_no_order(bench: Bench) -> None:
    bench.stage.exchange.add_fault(kind="accept_then_drop", symbol="TRX/USDT", **_POST)
    bench.stage.exchange.add_fault(kind="visibility_lag", seconds="20", symbol="TRX/USDT", **_POST)
    bot = bench.make_bot("crashed", symbol="TRX/USDT")
    bench.wait_until(lambda: any(intent.state is IntentState.UNKNOWN for intent in bench.intents(bot)))
    before = bench.rows()
    bench.stage.aws_process.kill()
    assert bench.stage.revive()
    assert sorted(map(repr, bench.rows().intents)) == sorted(map(repr, before.intents))
    assert sorted(map(repr, bench.rows().budgets)) == sorted(map(repr, before.budgets))
    assert sorted(map(repr, bench.rows().ledger)) == sorted(map(repr, before.ledger))
    bench.tick_until(lambda: bench.slot(bot).state is SlotState.OPEN)
    (entry,) = bench.intents(bot)
    assert bench.posts(entry) == 1
    bench.stop_bot(bot)


def test_a_function_that_fails_is_an_error_not_an_answer(bench: Bench) -> None:
    with pytest.raises(InvocationFailedError, match="surefill-local-dispatch failed"):
        bench.stage.aws.invoke(bench.stage.function("dispatch"), '{"schedule": "dispatch"}')


def test_evaluations_that_nobody_takes_are_the_reason_that_is_given(bench: Bench) -> None:
    bot = bench.make_bot("untaken", symbol="UNI/USDT")
    bench.open_position(bot)

    def schedule() -> str:
        (story,) = bench.stage.api.get("bots", bot, "why")["stories"]
        return str(story["links"][0]["says"])

    assert schedule().startswith("schedule: every 60 s")
    evaluate = bench.stage.function("evaluate")
    hasty = Driver(bench.stage, pace_seconds=0.01, settle_seconds=0.1)
    bench.stage.aws.switch_event_source(evaluate, enabled=False)
    try:
        hasty.next_tick()
        left_since = hasty.tick
        for _ in range(3):
            hasty.next_tick()
        # What an earlier test left unfinished may have come back a tick before.
        begun = [format_time(left_since - timedelta(minutes=early)) for early in (0, 1)]
        assert schedule() in [f"schedule: handed out since {moment}, not evaluated" for moment in begun]
    finally:
        bench.stage.aws.switch_event_source(evaluate, enabled=True)
        hasty.close()
    bench.tick_until(lambda: schedule().startswith("schedule: every 60 s"))
    bench.stop_bot(bot)
