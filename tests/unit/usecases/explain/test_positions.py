"""Protection and exit of a position; and that every link bears its own name."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.kinds import AccountState, BotState, Leg, Side
from surefill.domain.reasons import Reason
from surefill.domain.rules import ExitRules
from surefill.domain.states import IntentState, SlotState
from surefill.usecases.explain.evaluation import data_link, gates_link, signal_link
from surefill.usecases.explain.making import lasting
from surefill.usecases.explain.model import LinkName, LinkState
from surefill.usecases.explain.orders import claim_link, place_link, settle_link
from surefill.usecases.explain.positions import exit_link, protection_link
from surefill.usecases.explain.schedule import schedule_link
from tests.fakes.rows import TICK, bot
from tests.unit.usecases.explain.places import (
    account,
    entry,
    fill,
    held,
    order,
    place,
    silent,
    slot,
    stop,
    stopped,
)


def test_a_protected_position_shows_its_levels() -> None:
    link = protection_link(place(slot=held()))
    assert (link.state, link.says) == (LinkState.OK, "protection: take profit 103 (+3 %), stop 98 (-2 %)")


def test_a_position_without_protection() -> None:
    bare = held(take_profit=None, stop_loss=None, take_profit_percent=None)
    stopped(protection_link(place(slot=bare)), Reason.UNPROTECTED, "exit: no protection")


def test_a_position_nobody_watches() -> None:
    link = protection_link(place(slot=held(), **silent("watch_exits")))
    stopped(link, Reason.NO_TICK, "exit: not watched, no tick since 2026-01-05T11:56:00Z")


def test_a_held_position_says_expected_and_actual() -> None:
    short = held(state=SlotState.HELD, held_reason=Reason.BALANCE_SHORT)
    short_account = account(balances={"BTC": "0.4"}, state=AccountState.OUT_OF_SYNC)
    says = "position: HELD (position.balance_short), expected 1 BTC, actual 0.4 BTC"
    for link in (protection_link, gates_link):
        stopped(link(place(slot=short, account=short_account)), Reason.SLOT_HELD, says)


def test_an_account_never_read_can_not_say_what_is_there() -> None:
    short = held(state=SlotState.HELD, held_reason=Reason.OVERRUN)
    assert "actual ?" in protection_link(place(slot=short, account=account(reconciled_at=None))).says


@pytest.mark.parametrize(
    ("reason", "numbers", "says"),
    [
        (Reason.PRICE_STALE, {}, "exit: stale price"),
        (Reason.NO_PRICE, {}, "exit: no price"),
        (Reason.MAINTENANCE, {}, "exit: venue: maintenance"),
        (
            Reason.BOT_NOT_ACTIVE,
            {"state": "HALTED", "due": "exit.stop_loss"},
            "exit: bot is HALTED while stop loss is due",
        ),
    ],
)
def test_what_hinders_an_exit(reason: Reason, numbers: dict[str, str], says: str) -> None:
    hindered = place(slot=held(exit_reason=reason), journal=(entry(reason, kind="exit", **numbers),))
    stopped(exit_link(hindered), reason, says)


def test_a_sale_the_venue_refused() -> None:
    sale = order(
        intent_id="x",
        leg=Leg.EXIT,
        side=Side.SELL,
        entry_intent_id="e",
        state=IntentState.VOID,
        outcome=Reason.QUANTITY_TOO_SMALL,
        reason=Reason.STOP_LOSS,
        attempt=1,
        finished_at=TICK,
        fills=(),
    )
    told = entry(Reason.REJECTED, kind="place-exit", order_id="x", code="-1013", error="LOT_SIZE")
    link = exit_link(place(slot=held(), orders=(sale, order()), journal=(told,)))
    stopped(link, Reason.QUANTITY_TOO_SMALL, "exit: venue refused, code -1013: LOT_SIZE, attempt 2")


def test_a_position_waits_for_its_levels() -> None:
    link = exit_link(place(slot=held()))
    assert (link.state, link.reason) == (LinkState.WAITING, Reason.EXIT_WAITING)


def test_a_position_that_is_held_on_purpose() -> None:
    wanted = held(take_profit=None, stop_loss=None, take_profit_percent=Decimal(0), stop_loss_percent=None)
    assert exit_link(place(slot=wanted)).reason is Reason.NOT_WANTED


def test_a_trailing_stop_is_told() -> None:
    trailing = held(stop_loss=None, exit_rules=ExitRules(trailing_percent=Decimal(2), trailing_from_percent=Decimal(1)))
    link = protection_link(place(slot=replace(trailing, stop_loss_percent=None)))
    assert "trailing 2 % from +1 %" in link.says


def test_a_closed_position_shows_result_and_dust() -> None:
    sale = order(
        intent_id="x",
        leg=Leg.EXIT,
        side=Side.SELL,
        entry_intent_id="e",
        reason=Reason.TAKE_PROFIT,
        quantity=Decimal("0.99"),
        filled_quantity=Decimal("0.99"),
        realised=Decimal("1.5"),
        fills=(fill(quantity=Decimal("0.99"), cost=Decimal("99"), fee=Decimal("0.1"), fee_asset="USDT"),),
    )
    link = exit_link(place(orders=(sale, order())))
    assert link.state is LinkState.OK
    assert link.says == "exit: closed by take_profit, sold 0.99 BTC, result 1.5 USDT, dust 0.009 BTC"


def test_a_position_closed_as_dust() -> None:
    told = entry(Reason.DUST, kind="exit", quantity="0.00001", cost="0.6")
    link = exit_link(place(journal=(told,), orders=(order(),)))
    assert (link.state, link.says) == (LinkState.OK, "exit: closed, dust 0.00001 BTC")


def test_an_exit_under_way() -> None:
    sale = order(
        intent_id="x",
        leg=Leg.EXIT,
        side=Side.SELL,
        entry_intent_id="e",
        state=IntentState.SENT,
        reason=Reason.STOP_LOSS,
    )
    closing = held(state=SlotState.CLOSING, exit_intent_id="x")
    link = exit_link(place(slot=closing, orders=(sale, order())))
    assert (link.state, link.says) == (LinkState.WAITING, "exit: stop_loss order is SENT, age 5 min")


def test_links_belong_to_their_names() -> None:
    walk = (
        (schedule_link, LinkName.SCHEDULE), (data_link, LinkName.DATA), (signal_link, LinkName.SIGNAL),
        (gates_link, LinkName.GATES), (claim_link, LinkName.CLAIM), (place_link, LinkName.PLACE),
        (settle_link, LinkName.SETTLE), (protection_link, LinkName.PROTECTION), (exit_link, LinkName.EXIT),
    )  # fmt: skip
    states = [
        place(),
        place(slot=held(), orders=(order(),)),
        place(slot=held(state=SlotState.HELD)),
        place(schedules={}, stops=(stop(),), bot=bot(state=BotState.HALTED)),
    ]
    assert all(link(one).name is name for one in states for link, name in walk)


def test_what_the_exit_waits_for_in_other_states() -> None:
    assert exit_link(place(slot=slot(state=SlotState.OPENING))).state is LinkState.UNKNOWN
    assert exit_link(place(slot=held(state=SlotState.ADDING))).says == "exit: waits for the tranche under way"
    assert exit_link(place(slot=held(state=SlotState.CLOSING))).reason is Reason.IN_FLIGHT


def test_a_rung_that_bought_waits_for_its_sale() -> None:
    rung = place(slot=held(rung="level3"), rung="level3")
    assert exit_link(rung).says == "exit: the grid's sale is due"
    resting = order(
        intent_id="x",
        leg=Leg.EXIT,
        side=Side.SELL,
        entry_intent_id="e",
        state=IntentState.ACCEPTED,
        rests_until=TICK + timedelta(days=7),
        limit_price=Decimal(120),
        finished_at=None,
        rung="level3",
    )
    closing = held(rung="level3", state=SlotState.CLOSING, exit_intent_id="x")
    link = exit_link(place(slot=closing, rung="level3", orders=(resting,)))
    assert (link.name, link.says) == (LinkName.EXIT, "grid: waiting for fill of level3 (sell) at 120")


def test_a_sale_whose_claim_was_refused() -> None:
    told = entry(Reason.BALANCE_SHORT, kind="claim-exit", slot="OPEN")
    link = exit_link(place(slot=held(), journal=(told,), orders=(order(),)))
    stopped(link, Reason.BALANCE_SHORT, "position: balance short, expected 1 BTC, actual 1 BTC")


def test_a_time_limit_is_shown_with_the_levels() -> None:
    limited = held(exit_rules=ExitRules(time_limit_seconds=3_600))
    assert "time limit 3600 s from 2026-01-05T11:55:00Z" in protection_link(place(slot=limited)).says


def test_a_position_protected_by_rules_alone() -> None:
    rules_only = ExitRules(trailing_percent=Decimal(2))
    by_rule = held(take_profit=None, stop_loss=None, stop_loss_percent=None, exit_rules=rules_only)
    assert protection_link(place(slot=by_rule)).state is LinkState.OK
    assert exit_link(place(slot=by_rule)).says == "exit: levels not reached, take profit none, stop none"


def test_dust_is_only_told_when_the_purchase_is_known() -> None:
    sale = order(intent_id="x", leg=Leg.EXIT, side=Side.SELL, entry_intent_id="long ago", reason=Reason.STOP_LOSS)
    assert "dust" not in exit_link(place(orders=(sale,))).says


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(seconds=120), "2 min"),
        (timedelta(hours=3, minutes=5), "3 h 5 min"),
        (timedelta(days=2, hours=4), "2 d 4 h"),
    ],
)
def test_lengths_of_time_as_people_say_them(length: timedelta, expected: str) -> None:
    assert lasting(length) == expected
