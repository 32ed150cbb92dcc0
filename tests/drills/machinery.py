"""Drills of schedule, data and restarts: N01, N02, N05, N06, N13, N14, N15, N16, N19, N23, N24, N27."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stdout
from decimal import Decimal
from typing import Any, get_args
from unittest.mock import patch

import botocore.session
from aws_lambda_powertools import Logger, Metrics
from moto import mock_aws

from infra.catalogue import TICKS
from surefill.adapters.dynamodb import TABLES, DynamoStore
from surefill.adapters.dynamodb.schema import table_request
from surefill.domain.kinds import BotState
from surefill.domain.reasons import Reason
from surefill.domain.rows import Row, Slot
from surefill.domain.states import (
    INTENT_TRANSITIONS,
    SLOT_TRANSITIONS,
    IllegalTransitionError,
    IntentState,
    SlotState,
    require_transition,
)
from surefill.observability import PowertoolsObserver
from surefill.protocol.order import send_gate
from surefill.protocol.transaction import GuardFailedError
from surefill.usecases.explain import Explainer, told
from surefill.wire import from_wire, to_wire
from tests.drills.drill import Attempts, Found
from tests.drills.stage import BOT, Stage
from tests.drills.surroundings import ALL_STRATEGIES
from tests.simulation.boundary import Fate

_AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_KLINES = "/api/v3/klines"


def n01() -> Found:
    """A claim whose worker dies, one the venue refuses, one that fills nothing: never a position without a purchase."""
    tried = Attempts()
    for how, spoil in (
        ("the worker dies before it sends", _die_before_sending),
        ("the venue refuses the buy", lambda one: one.fault("reject", code=-1013, msg="Filter failure: LOT_SIZE")),
        ("the buy fills nothing", lambda one: one.fault("partial_fill_then_expire", ratio="0", count=1)),
    ):
        with Stage() as stage:
            spoil(stage)
            stage.minute()
            stage.change_bot(state=BotState.PAUSED, cadence_key=None)
            stage.minute(3)
            slot, budget = stage.slot(), stage.budget()
            tried.attempt(how, happened=slot.state is not SlotState.EMPTY or slot.quantity > 0 or budget.reserved > 0)
            stage.change_bot(state=BotState.ACTIVE, cadence_key="60")
            stage.no_faults()
            stage.chaos.fates.clear()
            stage.until(lambda: stage.slot().state is SlotState.OPEN, within=4, what="the next trade")
            assert stage.slot().cost > 0
            stage.require_money()
    return tried.found()


def _die_before_sending(stage: Stage) -> None:
    """Every worker of the place step dies at its first side effect."""
    stage.chaos.fates["place_order"] = Fate.BEFORE


def n02() -> Found:
    """The schedule is gone: nothing is evaluated, and nobody logs it."""
    with Stage() as stage:
        stage.minute(2)
        stage.silent.add("dispatch")
        before = len(stage.ears.metrics["TickLagSeconds"])
        ticks = stage.until(stage.named("no tick since 2026-01-05T12:02:00Z", Reason.NO_TICK), within=5, what="silence")
        stage.require_named("no tick since", Reason.NO_TICK)
        # The heartbeat alarm takes missing data for a breach, and there is none.
        assert len(stage.ears.metrics["TickLagSeconds"]) == before
        assert any(tick.function == "dispatch" and tick.heartbeat for tick in TICKS)
        stage.require_money()
        return Found(ticks=ticks, said=stage.why().verdict.says)


def n05() -> Found:
    """Every event of a whole trade, through the functions' own logger at its default level."""
    with Stage(bots={BOT: {"take_profit_percent": Decimal("0.5")}}) as stage:
        stage.minute(2)
        stage.price("61000")
        stage.minute(2)
        wanted = {Reason.BUY, Reason.CLAIMED, Reason.SENT, Reason.FILLED, Reason.TAKE_PROFIT}
        written = io.StringIO()
        with redirect_stdout(written):
            logger = Logger(service="drill", stream=written, level="INFO")
            observer = PowertoolsObserver(logger=logger, metrics=Metrics(namespace="drill", service="drill"))
            for reason, fields in stage.ears.events:
                observer.event(reason, **fields)
        lines = [json.loads(line) for line in written.getvalue().splitlines()]
        assert len(lines) == len(stage.ears.events), "every event must be a line at INFO or above"
        assert wanted <= {Reason(line["event"]) for line in lines}
        stage.require_money()
        return Found(ticks=1, said=f"{len(lines)} events, {len(lines)} lines at INFO or above")


def n06() -> Found:
    """A state nobody defined, a step nobody listed, a write that skips one."""
    tried = Attempts()
    with Stage() as stage:
        stage.minute()
        stored = stage.orders()[0]
        wire = {**to_wire(stage.slot()), "state": "WAITING_FOR_GODOT"}
        tried.refused("a state that is in no enum", lambda: from_wire(Slot, wire), ValueError)
        tried.refused(
            "a step of an order that no table lists",
            lambda: require_transition(INTENT_TRANSITIONS, IntentState.FILLED, IntentState.SENT),
            IllegalTransitionError,
        )
        tried.refused(
            "a step of a slot that no table lists",
            lambda: require_transition(SLOT_TRANSITIONS, SlotState.HELD, SlotState.CLOSING),
            IllegalTransitionError,
        )
        late = send_gate(stored, worker="w", now=stage.now())
        tried.refused("a finished order sent again", lambda: stage.store.update(late), GuardFailedError)
        stage.require_money()
    return tried.found()


def n13() -> Found:
    """The venue answers, but its candles stand still."""
    with Stage(bots={BOT: {"params": {"name": "one", "buys": 0, "sells": 0}}}) as stage:
        stage.minute(2)
        stage.fault("stale_prices")
        ticks = stage.until(
            stage.named("data: last candle 2026-01-05T12:0", Reason.DATA_STALE), within=8, what="stale candles"
        )
        stage.require_named("age", Reason.DATA_STALE)
        stage.require_event(Reason.DATA_STALE, bot=BOT)
        assert not stage.orders(), "nothing is bought on old candles"
        stage.require_money()
        return Found(ticks=ticks, said=stage.why().verdict.says)


def n14() -> Found:
    """The book has no price on one side: there is no price to fall back on, and none is invented."""
    with Stage() as stage:
        stage.world.admin("POST", "/admin/markets", symbol="BTCUSDT", book={"levels": 0})
        ticks = stage.until(stage.named("data: no price", Reason.NO_PRICE), within=3, what="no price")
        stage.require_named("data: no price", Reason.NO_PRICE)
        stage.require_event(Reason.NO_PRICE, bot=BOT)
        assert not stage.orders(), "no order without a price"
        stage.require_money()
        return Found(ticks=ticks, said=stage.why().verdict.says)


def n15() -> Found:
    """All processes die: with a position open, with a buy on its way, with a sale on its way."""
    tried = Attempts()
    with Stage(bots={BOT: {"take_profit_percent": Decimal("0.5")}}) as stage:
        stage.minute()
        held = stage.slot()
        stage.world.cloud.redeploy()
        stage.minute()
        tried.attempt("restart with a position", happened=stage.slot().quantity != held.quantity)
        stage.price("61000")
        stage.fault("accept_then_drop", method="POST", path="/api/v3/order", count=1)
        stage.tick("watch_exits")
        stage.world.cloud.redeploy()
        stage.minute(3)
        tried.attempt("restart with a sale under way", happened=stage.slot().entry_intent_id == held.entry_intent_id)
        stage.require_money()
    with Stage() as stage:
        stage.fault("accept_then_drop", method="POST", path="/api/v3/order", count=1)
        stage.tick("dispatch")
        stage.world.cloud.redeploy()
        stage.minute(3)
        bought = stage.free("BTC")
        tried.attempt("restart with a buy under way", happened=not bought or stage.slot().quantity != bought)
        stage.require_rest()
    return tried.found()


def n16() -> Found:
    """A table that was never made: reading it fails loudly, and `why` says which."""
    tables = set(TABLES) - {"slots"}
    with patch.dict(os.environ, _AWS), mock_aws():
        client: Any = botocore.session.get_session().create_client("dynamodb")
        for name in sorted(tables):
            client.create_table(**table_request(TABLES[name], table_prefix="drill-"))
        store = DynamoStore(table_prefix="drill-")
        with Stage() as stage:
            for row in (stage.bot(), stage.account(), stage.budget()):
                store.insert(row)
            lost = Slot(market_key="binance|BTC/USDT", owner_key="o")
            try:
                store.insert(lost)
            except RuntimeError as error:
                assert "ResourceNotFound" in str(error), error
            else:
                raise AssertionError("a write into a missing table must fail")
            explained = Explainer(store=store, clock=stage, strategies=ALL_STRATEGIES).why(BOT)
            stage.require_money()
    lines = told(explained)
    assert explained.verdict.reason is Reason.TABLE_UNREADABLE
    assert "health: table slots can't be read" in lines[1], lines
    # The tables come with the deployment: the template is made of the very rows that are stored.
    assert {row.TABLE for row in get_args(Row)} == set(TABLES)
    return Found(ticks=1, said=explained.verdict.says)


def n19() -> Found:
    """The venue limits requests: one request per market and tick, and `why` knows until when."""
    bots = {name: {"params": {"name": name, "buys": 0, "sells": 0}} for name in (BOT, "two", "three", "four")}
    with Stage(bots=bots) as stage:
        stage.minute(2)
        stage.fault("rate_limit", path=_KLINES, retry_after_seconds=180, for_seconds=170)
        ticks = stage.until(
            stage.named("venue: rate limited until 2026-01-05T12:0", Reason.RATE_LIMITED), within=3, what="the limit"
        )
        stage.require_named("venue: rate limited until", Reason.RATE_LIMITED)
        stage.require_event(Reason.RATE_LIMITED, bot=BOT)
        fired = stage.world.exchange.state.faults.fired["rate_limit"]
        assert fired <= ticks, f"one request per market and tick for four bots, were {fired} in {ticks} ticks"
        stage.require_money()
        return Found(ticks=ticks, said=stage.why().verdict.says)


def n23() -> Found:
    """A bot of an hourly interval is started in the middle of the hour."""
    slow = {"interval_seconds": 3_600, "state": BotState.PAUSED}
    with Stage(bots={BOT: slow}) as stage:
        stage.change_bot(cadence_key=None)
        stage.minute(5)
        stage.require_named("bot: PAUSED", Reason.BOT_NOT_ACTIVE)
        stage.change_bot(state=BotState.ACTIVE, cadence_key="3600")
        assert "next run at 2026-01-05T13:00:00Z" in stage.why().stories[0].links[0].says, stage.lines()
        stage.change_bot(state=BotState.PAUSED, cadence_key=None)
        stage.start_bot()
        ticks = stage.until(lambda: stage.slot().state is SlotState.OPEN, within=1, what="the first run")
        text = stage.why().stories[0].links[0].says
        assert "next run at 2026-01-05T13:00:00Z" in text, text
        stage.require_money()
        return Found(ticks=ticks, said=text)


def n24() -> Found:
    """A bot whose strategy was taken out of the deployment."""
    with Stage() as stage:
        stage.change_bot(strategy="grid_9000")
        ticks = stage.until(lambda: Reason.STRATEGY_UNKNOWN in stage.ears.heard, within=2, what="the missing strategy")
        stage.require_named("bot: unknown strategy 'grid_9000'", Reason.STRATEGY_UNKNOWN)
        stage.require_event(Reason.STRATEGY_UNKNOWN, bot=BOT)
        assert not stage.orders()
        said = stage.create_refused(strategy="grid_9000")
        assert "strategy must be one of" in said, said
        stage.require_money()
        return Found(ticks=ticks, said=stage.why().verdict.says)


def n27() -> Found:
    """An interval that is a typo is refused; the bot's own is shown."""
    with Stage(bots={BOT: {"interval_seconds": 300}}) as stage:
        said = stage.create_refused(interval_seconds=61)
        assert "interval_seconds must be one of" in said, said
        stage.minute(6)
        text = stage.why().stories[0].links[0].says
        assert text.startswith("schedule: every 300 s"), text
        assert any("schedule    every 300 s, " in line for line in stage.lines())
        stage.require_money()
        return Found(ticks=1, said=text)
