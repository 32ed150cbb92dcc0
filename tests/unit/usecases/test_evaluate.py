"""Every evaluation ends in exactly one decision with its reason; only a confirmed, allowed signal starts an order."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

import pytest

from surefill.domain.kinds import AccountState, BotState, Side
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules, ScheduleRow
from surefill.domain.rows import Account
from surefill.domain.states import SlotState
from surefill.ports import StoreUnavailableError
from surefill.protocol.transaction import Key, Update
from surefill.strategies import base
from surefill.strategies.market import MarketView
from tests.fakes.rows import MARKET, TICK, bot, candle_rows
from tests.fakes.world import World


class Scripted(base.Strategy):
    """Says what its parameter says."""

    name: ClassVar[str] = "scripted"
    Params: ClassVar[type[base.Params]] = base.Params

    def __init__(self, params: Mapping[str, object]) -> None:
        self.says = str(params.get("says", "HOLD"))

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        return base.Needs(candles=3)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        if self.says == "raise":
            raise ZeroDivisionError("user code")
        return base.Signal(action=base.Action(self.says), numbers={"score": "1"})


@pytest.fixture
def world() -> World:
    made = World()
    made.venue.rows = candle_rows([100.0] * 5)
    return made


def decide(world: World, says: str = "BUY", **changes: object):  # type: ignore[no-untyped-def]
    now = world.clock.now()
    world.venue.rows = world.venue.rows and candle_rows([100.0] * 5, until=now)
    world.venue.quoted_at = now
    subject = bot(strategy="scripted", params={"says": says}, **changes)
    (decision,) = world.evaluator({"scripted": Scripted}).evaluate(world.batch(subject, tick=now))
    return decision


def test_a_buy_starts_one_order_with_frozen_terms(world: World) -> None:
    decision = decide(world)
    (intent,) = world.workflow.started.values()
    assert (decision.reason, decision.intent_id) == (Reason.BUY, intent.intent_id)
    assert intent.reserved <= Decimal(200)
    assert (intent.take_profit_percent, intent.stop_loss_percent) == (Decimal(3), Decimal(2))


def test_the_same_tick_again_is_the_same_order(world: World) -> None:
    assert decide(world).intent_id == decide(world).intent_id
    assert len(world.workflow.started) == 1


def test_hold_says_so_with_the_numbers(world: World) -> None:
    decision = decide(world, "HOLD")
    assert (decision.reason, decision.numbers) == (Reason.HOLD, {"score": "1"})
    assert not world.workflow.started


def test_a_sell_without_position_is_refused_and_journalled(world: World) -> None:
    """Incident N07."""
    assert decide(world, "SELL").reason is Reason.NO_POSITION
    assert [entry.reason for entry in world.store.journal_of("trend")] == [Reason.NO_POSITION]


def test_a_position_is_not_bought_twice_and_is_sold_on_sell(world: World) -> None:
    decide(world)
    world.run_started()
    world.clock.forward(minutes=1)
    assert decide(world).reason is Reason.ALREADY_IN_POSITION
    world.clock.forward(minutes=1)
    assert decide(world, "SELL").reason is Reason.SELL
    world.run_started()
    assert world.slot().state is SlotState.EMPTY


def test_confirmation_waits_with_the_time_left_and_starts_anew_after_a_change(world: World) -> None:
    """Incident N31."""
    patient = {"confirmation_seconds": 300}
    assert decide(world, **patient).numbers["seconds"] == "0"
    world.clock.forward(minutes=3)
    waiting = decide(world, **patient)
    assert (waiting.reason, waiting.numbers["seconds"], waiting.numbers["needed"]) == (
        Reason.WAITING_CONFIRMATION, "180", "300",
    )  # fmt: skip
    world.clock.forward(minutes=1)
    assert decide(world, "HOLD", **patient).reason is Reason.HOLD
    world.clock.forward(minutes=1)
    assert decide(world, **patient).numbers["seconds"] == "0"
    world.clock.forward(minutes=5)
    assert decide(world, **patient).reason is Reason.BUY


def test_cooldown_counts_from_the_end_of_the_last_position(world: World) -> None:
    decide(world)
    world.run_started()
    decide(world, "SELL")
    world.run_started()
    world.clock.forward(minutes=4)
    waiting = decide(world, cooldown_seconds=900)
    assert (waiting.reason, waiting.numbers["seconds"]) == (Reason.WAITING_COOLDOWN, "240")
    world.clock.forward(minutes=11)
    assert decide(world, cooldown_seconds=900).reason is Reason.BUY


def test_only_a_changed_decision_is_written(world: World) -> None:
    for _ in range(3):
        decide(world, "HOLD")
        world.clock.forward(minutes=1)
    assert len(world.store.journal_of("trend")) == 1
    assert world.observer.reasons().count(Reason.HOLD) == 1


def test_a_strategy_that_raises_is_that_bots_reason_and_others_go_on(world: World) -> None:
    broken = bot(bot_id="broken", strategy="scripted", params={"says": "raise"})
    fine = bot(strategy="scripted", params={"says": "HOLD"})
    decisions = world.evaluator({"scripted": Scripted}).evaluate(world.batch(broken, fine))
    assert [decision.reason for decision in decisions] == [Reason.STRATEGY_FAILED, Reason.HOLD]
    assert decisions[0].numbers["error"] == "ZeroDivisionError: user code"


def test_an_unknown_strategy_is_named(world: World) -> None:
    """Incident N24."""
    (decision,) = world.evaluator({}).evaluate(world.batch())
    assert decision.reason is Reason.STRATEGY_UNKNOWN


@pytest.mark.parametrize("reason", [Reason.VENUE_DOWN, Reason.RATE_LIMITED, Reason.MAINTENANCE])
def test_a_venue_without_candles_is_the_reason(world: World, reason: Reason) -> None:
    world.venue.look_error = VenueError(reason, "503")
    assert decide(world).reason is reason


def test_no_candles_stale_and_short_ones_refuse(world: World) -> None:
    """Incidents N13 and N14."""
    evaluator = world.evaluator({"scripted": Scripted})
    subject = bot(strategy="scripted", params={"says": "BUY"})
    reasons = []
    for rows in ([], candle_rows([100.0] * 5, until=TICK - timedelta(minutes=9)), candle_rows([100.0] * 2)):
        world.venue.rows = rows
        reasons.append(evaluator.evaluate(world.batch(subject))[0].reason)
    assert reasons == [Reason.NO_DATA, Reason.DATA_STALE, Reason.DATA_SHORT]
    assert not world.workflow.started


def test_without_a_price_nothing_is_bought(world: World) -> None:
    world.venue.rows = candle_rows([100.0] * 5)
    world.venue.quoted_at = None
    subject = bot(strategy="scripted", params={"says": "BUY"})
    (decision,) = world.evaluator({"scripted": Scripted}).evaluate(world.batch(subject))
    assert decision.reason is Reason.NO_PRICE


def change(world: World, row: type, key: tuple[str, ...], **fields: object) -> None:
    world.store.update(Update(key=Key(row, key), set=fields))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"available": Decimal(100), "funded": Decimal(1000), "deployed": Decimal(900)}, Reason.BUDGET_TOO_SMALL),
        ({"entries_allowed": False}, Reason.ENTRIES_OFF),
        ({"max_open_positions": 0}, Reason.LIMIT_OPEN_POSITIONS),
        ({"day": "2026-01-05", "max_trades_per_day": 3, "trades_today": 3}, Reason.LIMIT_TRADES),
        ({"day": "2026-01-05", "max_daily_loss": Decimal(5), "loss_today": Decimal(5)}, Reason.LIMIT_LOSS),
    ],
)
def test_what_the_claim_would_refuse_is_said_before_with_numbers(
    world: World, fields: dict[str, object], reason: Reason
) -> None:
    """Incidents N11 and N30."""
    store = world.store
    store.replace(replace(world.money(), **fields))  # type: ignore[arg-type]
    decision = decide(world)
    assert decision.reason is reason
    assert {"need", "have"} <= set(decision.numbers)
    assert not world.workflow.started


def test_yesterdays_counters_do_not_limit_today(world: World) -> None:
    world.store.replace(replace(world.money(), day="2026-01-04", max_trades_per_day=3, trades_today=3))
    assert decide(world).reason is Reason.BUY


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": AccountState.AUTH_FAILED}, Reason.CREDENTIALS_REJECTED),
        ({"state": AccountState.OUT_OF_SYNC}, Reason.ACCOUNT_BLOCKED),
        ({"retry_at": TICK + timedelta(minutes=2)}, Reason.RATE_LIMITED),
    ],
)
def test_an_account_in_trouble_does_not_enter(world: World, fields: dict[str, object], reason: Reason) -> None:
    change(world, Account, ("live-binance-main",), **fields)
    assert decide(world).reason is reason


def test_a_market_that_does_not_trade_is_not_entered(world: World) -> None:
    change(world, MarketRules, (MARKET,), active=False)
    assert decide(world).reason is Reason.MARKET_CLOSED


def test_a_draining_bot_only_sells(world: World) -> None:
    assert decide(world, state=BotState.DRAINING).reason is Reason.BOT_NOT_ACTIVE


def test_a_batch_that_waited_too_long_is_dropped_loudly(world: World) -> None:
    late = world.batch(tick=world.clock.now() - timedelta(minutes=2))
    assert world.evaluator({}).evaluate(late) == []
    assert world.observer.reasons() == [Reason.TICK_LATE]


def test_a_hundred_bots_cost_one_candle_request(world: World) -> None:
    crowd = [bot(bot_id=f"b{index}", strategy="scripted", params={"says": "HOLD"}) for index in range(100)]
    assert len(world.evaluator({"scripted": Scripted}).evaluate(world.batch(*crowd))) == 100
    assert world.venue.requests == 1


def test_the_pending_signal_is_remembered_in_the_slot(world: World) -> None:
    decide(world, confirmation_seconds=60)
    assert (world.slot().signal_side, world.slot().signal_since) == (Side.BUY, TICK)


def test_whatever_is_wrong_with_one_bot_the_others_are_evaluated(world: World) -> None:
    """Its symbols, its budget, its numbers: not only its strategy may fail."""
    world.store.replace(replace(world.money(), budget_id="odd", currency="USDT", available=Decimal("NaN")))
    odd = bot(bot_id="odd", budget_id="odd", strategy="scripted", params={"says": "BUY"})
    fine = bot(strategy="scripted", params={"says": "BUY"})
    decisions = world.evaluator({"scripted": Scripted}).evaluate(world.batch(odd, fine))
    assert [decision.reason for decision in decisions] == [Reason.INTERNAL_ERROR, Reason.BUY]
    assert decisions[0].numbers["error"]


def test_tables_that_do_not_answer_send_the_batch_back_to_the_queue(world: World) -> None:
    class Away:
        def __getattr__(self, name: str) -> object:
            return getattr(world.store, name)

        def get(self, row: type, *values: str) -> object:
            raise StoreUnavailableError("away")

    evaluator = replace(world.evaluator({"scripted": Scripted}), store=Away())  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailableError):
        evaluator.evaluate(world.batch(bot(strategy="scripted", params={"says": "BUY"})))


def test_a_venue_that_can_not_be_had_is_each_bots_decision(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_to_be_had(venue: str) -> None:
        raise VenueError(Reason.VENUE_DOWN, f"{venue} is not set up here")

    monkeypatch.setattr(world.venue, "market_data", none_to_be_had)
    assert decide(world).reason is Reason.VENUE_DOWN


def noted(world: World) -> ScheduleRow | None:
    """What was noted about the evaluation of the market."""
    return world.store.get(ScheduleRow, f"evaluate|{MARKET}|1m")


def test_a_second_attempt_is_noted_before_it_is_made_and_when_it_ends(world: World) -> None:
    batch = world.batch(bot(strategy="scripted", params={"says": "HOLD"}))
    world.evaluator({"scripted": Scripted}).evaluate(batch)
    assert noted(world) is None, "what goes well costs nothing"

    class Dies:
        def get(self, name: str) -> type[base.Strategy]:
            raise SystemExit  # the process ends here

    with pytest.raises(SystemExit):
        world.evaluator(Dies()).evaluate(batch, attempt=2)  # type: ignore[arg-type]
    row = noted(world)
    assert row is not None
    assert (row.last_tick, dict(row.counts)) == (batch.tick, {"bots": "1", "attempt": "2"})
    world.evaluator({"scripted": Scripted}).evaluate(batch, attempt=3)
    row = noted(world)
    assert row is not None
    assert dict(row.counts) == {"bots": "1", "attempt": "3", "finished": "1"}


def test_a_second_attempt_that_comes_too_late_stays_unfinished(world: World) -> None:
    batch = world.batch(bot(strategy="scripted", params={"says": "HOLD"}))
    world.clock.forward(minutes=3)
    assert world.evaluator({"scripted": Scripted}).evaluate(batch, attempt=2) == []
    row = noted(world)
    assert row is not None
    assert "finished" not in row.counts


def test_many_that_change_their_mind_at_once_are_all_remembered(world: World) -> None:
    crowd = [
        bot(bot_id=f"b{number}", strategy="scripted", params={"says": "HOLD"}, definition_hash=f"h{number}")
        for number in range(60)
    ]
    batch = world.batch(*crowd)
    threads = set()

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(world.store, name)

        def update(self, update: Update) -> object:
            threads.add(threading.get_ident())
            return world.store.update(update)

    store = Watched()
    replace(world.evaluator({"scripted": Scripted}), store=store).evaluate(batch)  # type: ignore[arg-type]
    slots = {slot.bot_id: slot.last_reason for slot in world.store.slots_of_market(MARKET)}
    assert slots == {f"b{number}": Reason.HOLD for number in range(60)}
    assert threading.get_ident() not in threads, "one after the other would take a whole minute for thousands"
    threads.clear()
    replace(world.evaluator({"scripted": Scripted}), store=store).evaluate(batch)  # type: ignore[arg-type]
    assert not threads, "who changes nothing writes nothing"
