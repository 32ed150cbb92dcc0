"""Every transaction of the protocol, written out in `golden/`: the table of guards in the architecture, in full."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from surefill.domain.fills import OrderResult, order_result
from surefill.domain.kinds import Leg, OrderKind, Side
from surefill.domain.reasons import Reason
from surefill.domain.rows import Fill, Intent, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.entry import adopt_entry, claim_entry, record_entry, record_entry_held, release_entry
from surefill.protocol.exit import claim_exit, close_as_dust, record_exit, reopen
from surefill.protocol.funds import fund, open_budget, switch_entries, withdraw
from surefill.protocol.order import look_again, mark_absent, mark_accepted, mark_unknown, rest_no_longer, send_gate
from surefill.protocol.tranche import claim_tranche, record_tranche, record_tranche_held, release_tranche
from surefill.protocol.transaction import Guard, Op
from tests.fakes.rows import MARKET, OWNER, TICK, budget
from tests.unit.mutants.rendering import agrees, transaction, update

NOW = TICK + timedelta(seconds=90)
MINE = Guard(name="mine", field="worker", op=Op.EQUAL, value="w")
ENTRY = Intent(
    intent_id="a" * 32,
    account_id="live-binance-main",
    bot_id="trend",
    budget_id="live-binance-main-b",
    venue="binance",
    symbol="BTC/USDT",
    leg=Leg.ENTRY,
    side=Side.BUY,
    kind=OrderKind.LIMIT_IOC,
    quantity=Decimal(2),
    limit_price=Decimal(101),
    reserved=Decimal(203),
    reason=Reason.BUY,
    tick=TICK,
    created_at=TICK,
    deadline=TICK + timedelta(seconds=30),
)
EXIT = replace(
    ENTRY,
    intent_id="b" * 32,
    leg=Leg.EXIT,
    side=Side.SELL,
    kind=OrderKind.MARKET,
    limit_price=None,
    reserved=Decimal(0),
    entry_intent_id=ENTRY.intent_id,
    attempt=3,
)
SLOT = Slot(
    market_key=MARKET,
    owner_key=OWNER,
    bot_id="trend",
    account_id="live-binance-main",
    budget_id="live-binance-main-b",
    state=SlotState.CLOSING,
    entry_intent_id=ENTRY.intent_id,
    exit_intent_id=EXIT.intent_id,
    exit_attempt=3,
    quantity=Decimal("2.01"),
    cost=Decimal(200),
)


TRANCHE = replace(ENTRY, intent_id="c" * 32, leg=Leg.TRANCHE, entry_intent_id=ENTRY.intent_id, attempt=1)
ADDING = replace(
    SLOT, state=SlotState.ADDING, exit_intent_id=None, tranche_intent_id=TRANCHE.intent_id, bought=Decimal(2)
)
_COUNTED_SLOT = {"exposure_asset": "BTC", "time_zone": "Asia/Tokyo", "opened_at": TICK}
COUNTED = {"exposure_asset": "BTC", "max_exposure": Decimal(500), "time_zone": "Asia/Tokyo"}


def result(side: Side, *, quantity: str = "2", price: str = "100") -> OrderResult:
    """What an order did, with a fee of a tenth of a per cent."""
    amount, at = Decimal(quantity), Decimal(price)
    buys = side is Side.BUY
    fee = (amount if buys else amount * at) / 1000
    fill = Fill(trade_id="t", quantity=amount, price=at, cost=amount * at, fee=fee, fee_asset="BTC" if buys else "USDT")
    fills = (fill,) if amount else ()
    return order_result(venue_order_id="v", side=side, base="BTC", quote="USDT", filled_quantity=amount, fills=fills)


def test_entries() -> None:
    bought, levels = result(Side.BUY), {"take_profit": Decimal(103), "stop_loss": Decimal(98)}
    over, dear = result(Side.BUY, price="103"), result(Side.BUY, quantity="1", price="101.5")
    told = [
        claim_entry(ENTRY),
        claim_entry(ENTRY, budget_day="2026-01-04"),
        record_entry(ENTRY, result=bought, now=NOW, **levels),
        record_entry(ENTRY, result=dear, now=NOW, **levels),
        record_entry(ENTRY, result=over, now=NOW, **levels),
        record_entry(ENTRY, result=result(Side.BUY, quantity="0"), now=NOW, **levels),
        record_entry_held(ENTRY, result=over, now=NOW),
        release_entry(ENTRY, to=IntentState.EMPTY, outcome=Reason.NOT_FILLED, now=NOW),
        release_entry(
            ENTRY,
            to=IntentState.VOID,
            outcome=Reason.NEVER_SENT,
            now=NOW,
            from_states=(IntentState.RESERVED,),
            guards=(MINE,),
            venue_order_id="v",
        ),
        adopt_entry(ENTRY, result=bought, now=NOW, **levels),
    ]
    rung = replace(ENTRY, rung="r1", **COUNTED)
    told += [
        claim_entry(rung),
        claim_entry(replace(rung, created_at=TICK + timedelta(hours=9)), budget_day="2026-01-05"),
        claim_entry(replace(rung, max_exposure=Decimal(100))),
        record_entry(rung, result=bought, now=NOW, **levels),
        record_entry(rung, result=over, now=NOW, **levels),
        record_entry(replace(rung, reserved=Decimal(200)), result=bought, now=NOW, **levels),
        release_entry(rung, to=IntentState.EMPTY, outcome=Reason.NOT_FILLED, now=NOW),
        adopt_entry(rung, result=bought, now=NOW, **levels),
    ]
    agrees("entries", [line for one in told for line in transaction(one)])


def test_tranches() -> None:
    bought, over = result(Side.BUY), result(Side.BUY, price="103")
    levels = {"take_profit": Decimal(103), "stop_loss": Decimal(98)}
    told = [
        claim_tranche(TRANCHE),
        claim_tranche(TRANCHE, budget_day="2026-01-04"),
        claim_tranche(replace(TRANCHE, **COUNTED)),
        record_tranche(TRANCHE, slot=ADDING, result=bought, now=NOW, **levels),
        record_tranche(replace(TRANCHE, **COUNTED), slot=ADDING, result=over, now=NOW, **levels),
        record_tranche(TRANCHE, slot=ADDING, result=result(Side.BUY, quantity="0"), now=NOW, **levels),
        record_tranche_held(TRANCHE, slot=ADDING, result=over, now=NOW),
        release_tranche(TRANCHE, to=IntentState.EMPTY, outcome=Reason.NOT_FILLED, now=NOW),
        release_tranche(
            replace(TRANCHE, **COUNTED),
            to=IntentState.VOID,
            outcome=Reason.NEVER_SENT,
            now=NOW,
            from_states=(IntentState.RESERVED,),
            guards=(MINE,),
            venue_order_id="v",
        ),
    ]
    agrees("tranches", [line for one in told for line in transaction(one)])


def test_exits() -> None:
    sold, half, loss = result(Side.SELL), result(Side.SELL, quantity="1"), result(Side.SELL, price="90")
    told = [
        claim_exit(EXIT),
        record_exit(EXIT, slot=SLOT, result=sold, sellable=False, now=NOW),
        record_exit(EXIT, slot=SLOT, result=half, sellable=True, now=NOW),
        record_exit(EXIT, slot=SLOT, result=loss, sellable=False, now=NOW),
        record_exit(EXIT, slot=SLOT, result=loss, sellable=False, now=NOW, budget_day="2026-01-04"),
        record_exit(EXIT, slot=SLOT, result=result(Side.SELL, quantity="0"), sellable=True, now=NOW),
        close_as_dust(SLOT, now=NOW),
        close_as_dust(replace(SLOT, entry_intent_id=None), now=NOW, budget_day="2026-01-04"),
        reopen(EXIT, to=IntentState.VOID, outcome=Reason.REJECTED, now=NOW, held=Reason.BALANCE_SHORT),
        reopen(
            EXIT,
            to=IntentState.EMPTY,
            outcome=Reason.NOT_FILLED,
            now=NOW,
            from_states=(IntentState.SENT,),
            guards=(MINE,),
            venue_order_id="v",
        ),
    ]
    part, counted = replace(EXIT, part=True, quantity=Decimal(1)), replace(SLOT, **_COUNTED_SLOT)
    told += [
        claim_exit(part),
        record_exit(part, slot=counted, result=half, sellable=True, now=NOW),
        record_exit(replace(part, reason=Reason.LADDER), slot=SLOT, result=half, sellable=True, now=NOW),
        record_exit(EXIT, slot=counted, result=loss, sellable=False, now=NOW + timedelta(hours=9)),
        close_as_dust(counted, now=NOW),
        reopen(part, to=IntentState.EMPTY, outcome=Reason.NOT_FILLED, now=NOW),
    ]
    agrees("exits", [line for one in told for line in transaction(one)])


def test_orders() -> None:
    told = [
        *update("send gate", send_gate(ENTRY, worker="w", now=NOW)),
        *update("unknown", mark_unknown(ENTRY, look_again_at=NOW)),
        *update("accepted", mark_accepted(ENTRY, venue_order_id="v", look_again_at=NOW)),
        *update("absent", mark_absent(ENTRY, now=TICK, look_again_at=NOW)),
        *update("look again", look_again(ENTRY, at=NOW)),
        *update("rest no longer", rest_no_longer(ENTRY, now=NOW)),
    ]
    agrees("orders", told)


def test_funds() -> None:
    told = [
        *transaction(open_budget(budget(), request_id="r", now=NOW)),
        *transaction(fund("live-binance-main-b", amount=Decimal(5), request_id="r", now=NOW)),
        *transaction(withdraw("live-binance-main-b", amount=Decimal(5), request_id="r", now=NOW)),
        *update("switch", switch_entries("live-binance-main-b", allowed=False)),
    ]
    agrees("funds", told)
