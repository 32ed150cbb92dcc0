"""Which exit is due at a price: each rule alone, the order between them, and stops that only rise."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.domain.exits import ExitDue, atr_stop_percent, exit_due
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.rows import Slot
from surefill.domain.rules import ExitRules, LadderStep, RoiStep
from surefill.domain.states import SlotState
from tests.fakes.rows import MARKET, OWNER, TICK

# Two for 200: an average cost of 100.
HELD = Slot(
    market_key=MARKET,
    owner_key=OWNER,
    state=SlotState.OPEN,
    quantity=Decimal(2),
    bought=Decimal(2),
    cost=Decimal(200),
    opened_at=TICK,
    take_profit_percent=Decimal(0),
    stop_loss_percent=Decimal(0),
)
LEVELS = {
    "stop_loss": Decimal(98), "stop_loss_percent": Decimal(2), "take_profit": Decimal(103),
    "take_profit_percent": Decimal(3),
}  # fmt: skip


def due(bid: str, *, seconds: int = 0, slot: Slot = HELD, highest: str | None = None, **rules: object) -> ExitDue:
    placed = replace(
        slot, exit_rules=ExitRules(**rules) if rules else None, highest=None if highest is None else Decimal(highest)
    )
    return exit_due(placed, bid=Decimal(bid), now=TICK + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("bid", "reason"),
    [
        ("98", Reason.STOP_LOSS), ("98.01", Reason.EXIT_WAITING), ("102.99", Reason.EXIT_WAITING),
        ("103", Reason.TAKE_PROFIT), ("50", Reason.STOP_LOSS),
    ],
)  # fmt: skip
def test_levels(bid: str, reason: Reason) -> None:
    found = due(bid, slot=replace(HELD, **LEVELS))
    assert (found.reason, found.share, found.stop, found.highest) == (reason, 1, 98, None)


@pytest.mark.parametrize(
    ("fields", "rules", "reason"),
    [
        ({}, {}, Reason.NOT_WANTED),
        ({"take_profit_percent": None}, {}, Reason.UNPROTECTED),
        ({"stop_loss_percent": None}, {}, Reason.NOT_WANTED),
        ({"take_profit_percent": Decimal(3)}, {}, Reason.UNPROTECTED),
        ({"stop_loss_percent": Decimal(2)}, {}, Reason.UNPROTECTED),
        ({"stop_loss_percent": Decimal(2), "take_profit": Decimal(103)}, {}, Reason.UNPROTECTED),
        ({"take_profit": Decimal(103)}, {}, Reason.EXIT_WAITING),
        ({"stop_loss": Decimal(98)}, {}, Reason.EXIT_WAITING),
        ({}, {"trailing_percent": Decimal(1), "trailing_from_percent": Decimal(5)}, Reason.EXIT_WAITING),
        ({}, {"break_even_from_percent": Decimal(5)}, Reason.EXIT_WAITING),
        ({}, {"time_limit_seconds": 60}, Reason.EXIT_WAITING),
        ({}, {"roi": (RoiStep(after_seconds=0, percent=Decimal(9)),)}, Reason.EXIT_WAITING),
        ({}, {"ladder": (LadderStep(percent=Decimal(9), share=Decimal(1)),)}, Reason.EXIT_WAITING),
        ({}, {"atr_stop_multiple": Decimal(2)}, Reason.NOT_WANTED),
    ],
)
def test_nothing_due_says_whether_that_is_meant(
    fields: dict[str, object], rules: dict[str, object], reason: Reason
) -> None:
    assert due("100", slot=replace(HELD, **fields), **rules).reason is reason


TRAILING = {"trailing_percent": Decimal(2), "trailing_from_percent": Decimal(3)}


@pytest.mark.parametrize(
    ("bid", "highest", "reason", "stop", "stored"),
    [
        ("102.9", None, Reason.EXIT_WAITING, None, None),  # not active yet
        ("103", None, Reason.EXIT_WAITING, "100.94", "103"),  # active from here on
        ("103.05", "103", Reason.EXIT_WAITING, "100.989", None),  # too little of a rise to be stored
        ("103.103", "103", Reason.EXIT_WAITING, "101.04094", "103.103"),
        ("101", "103", Reason.EXIT_WAITING, "100.94", None),
        ("100.94", "103", Reason.TRAILING_STOP, "100.94", None),
        ("60", "103", Reason.TRAILING_STOP, "100.94", None),  # a gap through the stop
        ("103", "101", Reason.EXIT_WAITING, "100.94", "103"),  # seen before it was active
    ],
)
def test_trailing(bid: str, highest: str | None, reason: Reason, stop: str | None, stored: str | None) -> None:
    found = due(bid, highest=highest, **TRAILING)
    assert found.reason is reason
    assert found.stop == (None if stop is None else Decimal(stop))
    assert found.highest == (None if stored is None else Decimal(stored))


EVEN = {"break_even_from_percent": Decimal(2), "break_even_margin_percent": Decimal("0.5")}


@pytest.mark.parametrize(
    ("bid", "highest", "reason", "stored"),
    [
        ("101.99", None, Reason.EXIT_WAITING, None),
        ("102", None, Reason.EXIT_WAITING, "102"),
        ("102", "101", Reason.EXIT_WAITING, "102"),
        ("110", "102", Reason.EXIT_WAITING, None),  # nothing more to learn
        ("100.51", "102", Reason.EXIT_WAITING, None),
        ("100.5", "102", Reason.BREAK_EVEN, None),
    ],
)
def test_break_even(bid: str, highest: str | None, reason: Reason, stored: str | None) -> None:
    found = due(bid, highest=highest, **EVEN)
    assert (found.reason, found.highest) == (reason, None if stored is None else Decimal(stored))


def test_the_highest_stop_counts_and_names_the_reason() -> None:
    slot = replace(HELD, **{**LEVELS, "take_profit": None})
    assert due("90", slot=slot, highest="102", **EVEN).reason is Reason.BREAK_EVEN
    assert due("90", slot=slot, highest="104", **EVEN, **TRAILING).reason is Reason.TRAILING_STOP
    assert due("90", slot=slot, highest="101", **EVEN, **TRAILING).reason is Reason.STOP_LOSS
    level = replace(slot, stop_loss=Decimal("100.5"))
    assert due("90", slot=level, highest="102", **EVEN).reason is Reason.STOP_LOSS
    assert due("90", slot=replace(slot, stop_loss=Decimal(102)), highest="103", **TRAILING).reason is Reason.STOP_LOSS


LADDER = (LadderStep(percent=Decimal(2), share=Decimal("0.5")), LadderStep(percent=Decimal(4), share=Decimal("0.3")))


def test_ladder_steps_go_one_after_the_other() -> None:
    first = due("102", ladder=LADDER)
    assert (first.reason, first.share) == (Reason.LADDER, Decimal("0.5"))
    assert due("101.99", ladder=LADDER).reason is Reason.EXIT_WAITING
    half = replace(HELD, ladder_done=1, quantity=Decimal(1), cost=Decimal(100))
    assert due("103.99", slot=half, ladder=LADDER).reason is Reason.EXIT_WAITING
    second = due("104", slot=half, ladder=LADDER)
    assert (second.reason, second.share) == (Reason.LADDER, Decimal("0.3"))
    assert due("500", slot=replace(half, ladder_done=2), ladder=LADDER).reason is Reason.EXIT_WAITING


def test_a_ladder_step_leaves_the_trailing_stop_its_highest_bid() -> None:
    found = due("104", ladder=LADDER, **TRAILING)
    assert (found.reason, found.highest) == (Reason.LADDER, 104)


ROI = (RoiStep(after_seconds=3600, percent=Decimal(1)), RoiStep(after_seconds=0, percent=Decimal(4)))


@pytest.mark.parametrize(
    ("bid", "seconds", "reason"),
    [
        ("104", 0, Reason.ROI), ("103.99", 3599, Reason.EXIT_WAITING), ("101", 3600, Reason.ROI),
        ("100.99", 3600, Reason.EXIT_WAITING),
    ],
)  # fmt: skip
def test_the_newest_roi_step_reached_counts(bid: str, seconds: int, reason: Reason) -> None:
    assert due(bid, seconds=seconds, roi=ROI).reason is reason


def test_a_roi_table_may_begin_late_and_accept_a_loss() -> None:
    late = (RoiStep(after_seconds=60, percent=Decimal(-1)),)
    assert due("200", seconds=59, roi=late).reason is Reason.EXIT_WAITING
    assert due("99", seconds=60, roi=late).reason is Reason.ROI


@pytest.mark.parametrize(("seconds", "reason"), [(59, Reason.EXIT_WAITING), (60, Reason.TIME_LIMIT)])
def test_time_limit(seconds: int, reason: Reason) -> None:
    assert due("100", seconds=seconds, time_limit_seconds=60).reason is reason
    assert due("100", slot=replace(HELD, opened_at=None), seconds=seconds, time_limit_seconds=60).reason is (
        Reason.EXIT_WAITING
    )


def test_the_order_is_stops_take_profit_ladder_roi_time() -> None:
    """All of them due at once: each takes its turn when the ones before it are taken away."""
    roi = (RoiStep(after_seconds=0, percent=Decimal(1)),)
    all_rules: dict[str, object] = {"ladder": LADDER, "roi": roi, "time_limit_seconds": 1}
    slot = replace(HELD, stop_loss=Decimal(110), take_profit=Decimal(103))
    assert due("104", seconds=9, slot=slot, **all_rules).reason is Reason.STOP_LOSS
    slot = replace(slot, stop_loss=None)
    assert due("104", seconds=9, slot=slot, **all_rules).reason is Reason.TAKE_PROFIT
    slot = replace(slot, take_profit=None)
    assert due("104", seconds=9, slot=slot, **all_rules).reason is Reason.LADDER
    assert due("104", seconds=9, slot=slot, **{**all_rules, "ladder": ()}).reason is Reason.ROI
    assert due("104", seconds=9, slot=slot, time_limit_seconds=1).reason is Reason.TIME_LIMIT


def test_profit_is_of_the_average_cost_with_its_fees() -> None:
    slot = replace(HELD, quantity=Decimal("1.998"), cost=Decimal("200.2"))
    steps = (LadderStep(percent=Decimal(0), share=Decimal("0.5")),)
    assert due("100.2", slot=slot, ladder=steps).reason is Reason.EXIT_WAITING
    assert due("100.21", slot=slot, ladder=steps).reason is Reason.LADDER


def test_amounts_of_many_digits_do_not_stop_an_exit() -> None:
    slot = replace(
        HELD,
        quantity=Decimal("123456789.123456789012345678"),
        cost=Decimal("12345678912.34567891"),
        highest=Decimal(104),
    )
    found = due("104.12345678", slot=slot, ladder=LADDER, roi=ROI, **TRAILING, **EVEN)
    assert found.reason is Reason.LADDER


bids = st.lists(st.decimals(min_value="50", max_value="200", places=4), min_size=1, max_size=30)
per_cent = st.decimals(min_value="0.1", max_value="20", places=2)


@given(
    bids=bids,
    trailing=st.none() | per_cent,
    trailing_from=st.decimals(min_value=0, max_value=10, places=2),
    even=st.none() | per_cent,
    fixed=st.none() | st.decimals(min_value=50, max_value=99, places=2),
)
def test_stops_only_rise_and_are_left_at_the_first_bid_below(
    bids: list[Decimal], trailing: Decimal | None, trailing_from: Decimal, even: Decimal | None, fixed: Decimal | None
) -> None:
    """Stored as told, a stop never falls by more than the tenth of a per cent that is not worth a write."""
    rules = ExitRules(trailing_percent=trailing, trailing_from_percent=trailing_from, break_even_from_percent=even)
    slot = replace(HELD, exit_rules=rules, stop_loss=fixed)
    highest_stop = Decimal(0)
    for bid in bids:
        found = exit_due(slot, bid=bid, now=TICK)
        assert 0 < found.share <= 1
        assert (found.stop or 0) * Decimal("1.001") >= highest_stop
        if found.reason in (Reason.STOP_LOSS, Reason.TRAILING_STOP, Reason.BREAK_EVEN):
            assert found.stop is not None
            assert bid <= found.stop
            return
        assert found.stop is None or bid > found.stop
        highest_stop = max(highest_stop, found.stop or Decimal(0))
        if found.highest is not None:
            assert found.highest > (slot.highest or 0)
            slot = replace(slot, highest=found.highest)


@given(bids=bids)
def test_a_rise_is_seldom_stored(bids: list[Decimal]) -> None:
    slot = replace(HELD, exit_rules=ExitRules(trailing_percent=Decimal(2)))
    stored = []
    for bid in sorted(bids):
        found = exit_due(slot, bid=bid, now=TICK)
        if found.highest is not None:
            stored.append(found.highest)
            slot = replace(slot, highest=found.highest)
    assert all(later >= earlier * Decimal("1.001") for earlier, later in pairwise(stored))


@pytest.mark.parametrize(
    ("atr", "multiple", "expected"), [("1.5", "2", "3"), ("1", "0.33333", "0.3333"), ("49", "2", "98")]
)
def test_an_atr_stop_is_some_ranges_away(atr: str, multiple: str, expected: str) -> None:
    found = atr_stop_percent(atr=Decimal(atr), price=Decimal(100), multiple=Decimal(multiple))
    assert found == Decimal(expected)


@pytest.mark.parametrize("atr", [None, "0", "50", "0.00001"])
def test_a_range_that_makes_no_stop_is_refused(atr: str | None) -> None:
    found = atr_stop_percent(atr=None if atr is None else Decimal(atr), price=Decimal(100), multiple=Decimal(2))
    assert isinstance(found, Refusal)
    assert (found.reason, found.numbers["missing"]) == (Reason.SIZE_UNKNOWN, "atr_stop")
