"""What simulation and matrix have found, each as the shortest story that shows it."""

from decimal import Decimal

from surefill.domain.rows import Slot
from surefill.domain.states import SlotState
from tests.simulation.crash.flows import FLOWS, prepared, run_flow
from tests.simulation.crash.plan import PlannedChaos
from tests.simulation.kernel import Kernel
from tests.simulation.world import LIVE, START_MS, BudgetPlan, World


def test_a_sale_filled_in_part_at_several_prices_is_booked() -> None:
    """Found by seeds 27 and 34: the exit stayed SENT for ever, its slot CLOSING, its proceeds nowhere."""
    flow = next(flow for flow in FLOWS if flow.name == "partial exit")
    assert run_flow(flow, {}).violations == ()


def test_the_execution_of_a_held_exit_ends_quarantined() -> None:
    """Found reading seed 94: a person sold the coins, the slot is HELD, the execution ends as Settled: no alarm."""
    with prepared("exit") as (world, begin):
        world.admin("POST", "/admin/balances", account="main", asset="BTC", change="-0.001")
        begin()
        assert world.store.rows(Slot)[0].state is SlotState.HELD
        assert [run.ended for name, run in world.cloud.executions.items() if "-" in name] == ["Quarantined"]


def test_a_bot_with_many_digits_trades_like_the_others_on_its_market() -> None:
    """Found looking for more of the same: 1234.56789012 x 33.33… % has more than 28 digits, the whole message fails."""
    usual = {"params": {"name": "one", "buys": 100, "sells": 0}}
    odd = {**usual, "budget_percent": Decimal("33.3333333333333333333")}
    bots = (("a_odd", ("BTC/USDT",), odd), ("b_usual", ("BTC/USDT",), usual))
    plan = BudgetPlan(name="one", account_id=LIVE, amount=Decimal("1234.56789012"), bots=bots)
    kernel = Kernel(seed="odd", start_ms=START_MS)
    world = World(seed=1, chaos=PlannedChaos({}), kernel=kernel, plans=[plan])
    world.cloud.tick("dispatch", START_MS)
    kernel.run_until(START_MS + 30_000)
    assert [slot.bot_id for slot in world.store.rows(Slot) if slot.state is SlotState.OPEN] == ["a_odd", "b_usual"]
    world.close()
