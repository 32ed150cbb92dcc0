"""A grid on the deployed stage: orders rest at the exchange, and a fill brings the next one without a tick."""

from surefill.domain.kinds import Leg
from surefill.domain.rows import Intent, Slot
from surefill.domain.states import IntentState, SlotState
from tests.system.bench import Bench

SYMBOL = "UNI/USDT"
NAME = "ladder"


def rungs(bench: Bench, state: SlotState) -> list[Slot]:
    """The grid's places in a state, highest rung last."""
    found = [slot for slot in bench.stage.store.all_rows(Slot) if slot.bot_id == NAME and slot.rung]
    return sorted((slot for slot in found if slot.state is state), key=lambda slot: slot.rung or "")


def resting(bench: Bench, leg: Leg) -> list[Intent]:
    """Orders that wait at the exchange."""
    return [intent for intent in bench.intents(NAME, leg) if intent.state is IntentState.ACCEPTED]


def move(bench: Bench, percent: str) -> None:
    """Let the price of the market jump and stay there."""
    bench.stage.exchange.call("POST", "/admin/prices", {"symbol": SYMBOL, "percent": percent, "hold": True})


def test_a_grid_buys_on_a_rung_and_sells_there_what_it_bought(bench: Bench) -> None:
    budget = bench.stage.api.post("budgets", body={"account_id": bench.account, "name": NAME, "amount": "1000"})
    body = {
        "name": NAME,
        "budget_id": budget["budget_id"],
        "symbols": [SYMBOL],
        "strategy": "spot_grid",
        "params": {"lower": 90, "upper": 98, "levels": 5, "spacing": "arithmetic"},
        "budget_percent": "20",
        "take_profit_percent": "0",
        "stop_loss_percent": "0",
    }
    made = bench.stage.api.post("bots", body=body)
    assert made["interval_seconds"] == 86_400
    # Started, it is evaluated at once; its next interval is a day away.
    bench.stage.api.post("bots", NAME, "start")
    bench.tick_until(lambda: len(resting(bench, Leg.ENTRY)) == 4)
    assert {bench.posts(intent) for intent in resting(bench, Leg.ENTRY)} == {1}

    move(bench, "-5")
    bench.tick_until(lambda: bool(resting(bench, Leg.EXIT)), ticks=6)
    (bought,) = rungs(bench, SlotState.CLOSING)
    (sale,) = resting(bench, Leg.EXIT)
    assert (sale.rung, sale.limit_price) == (bought.rung, 98)
    assert sale.quantity <= bought.quantity

    move(bench, "5")
    bench.tick_until(lambda: len(resting(bench, Leg.ENTRY)) == 4 and not resting(bench, Leg.EXIT), ticks=6)
    sold = bench.stage.store.get(Intent, sale.intent_id)
    assert sold is not None
    assert sold.state is IntentState.FILLED
    assert sold.realised is not None
    assert sold.realised > 0
    why = bench.stage.api.get("bots", NAME, "why")
    assert "waiting for fill" in str(why)
    bench.stop_bot(NAME)
