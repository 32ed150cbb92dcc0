"""Drills of orders, venues and accounts: N04, N17, N18, N20, N21, N25, N26, N29, N33."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from surefill.domain.fills import FillError, order_result
from surefill.domain.kinds import AccountState, Leg, Mode, Side
from surefill.domain.money import ZERO
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Fill, Intent
from surefill.domain.states import IntentState, SlotState
from surefill.usecases.control.errors import RequestRefusedError
from surefill.usecases.statistics import StatisticsReader
from surefill.wire import from_wire, to_wire
from tests.drills.drill import Attempts, Found
from tests.drills.stage import BOT, PAPER, Stage
from tests.simulation.boundary import Fate
from tests.simulation.world import LIVE, BudgetPlan

_ORDER = "/api/v3/order"
# As in infra/stacks/observability.py: an order unfinished for ten minutes rings.
_OLDEST_UNFINISHED = 600


def n04() -> Found:
    """The venue refuses the order: its code and its words reach log, journal and `why`; the money is free again."""
    with Stage(bots={BOT: {"cooldown_seconds": 900}}) as stage:
        stage.fault("reject", code=-1013, msg="Filter failure: LOT_SIZE", count=1)
        ticks = stage.until(
            stage.named("place: refused by the venue, code -1013: Filter failure: LOT_SIZE", Reason.REJECTED),
            within=2,
            what="the refusal",
        )
        stage.require_named("place: refused by the venue, code -1013", Reason.REJECTED)
        stage.require_event(Reason.REJECTED, code="-1013", error="LOT_SIZE")
        assert stage.orders()[0].state is IntentState.VOID
        assert stage.budget().reserved == ZERO
        stage.require_rest()
        return Found(ticks=ticks, said=stage.why().verdict.says)


def n17() -> Found:
    """Bought at the venue, the reply lost, every look refused: ten minutes later it rings, then it is booked."""
    with Stage() as stage:
        stage.fault("accept_then_drop", method="POST", path=_ORDER, count=1)
        for path in (_ORDER, "/api/v3/openOrders", "/api/v3/allOrders", "/api/v3/myTrades"):
            stage.fault("status", method="GET", path=path, status=500, for_seconds=780)
        ticks = stage.until(stage.named("order: waiting on venue, age", Reason.UNKNOWN), within=4, what="the wait")
        stage.until(lambda: _oldest(stage) > _OLDEST_UNFINISHED, within=12, what="the alarm of the oldest order")
        stage.require_named("order: waiting on venue, age 1", Reason.UNKNOWN)
        said = stage.why().verdict.says
        stage.require_event(Reason.UNKNOWN)
        assert stage.budget().reserved > ZERO, "unknown keeps its money"
        assert len(stage.orders()) == 1, "the bot does nothing else there meanwhile"
        stage.until(lambda: stage.slot().state is SlotState.OPEN, within=8, what="the booking")
        stage.require_rest()
        return Found(ticks=ticks, said=said)


def _oldest(stage: Stage) -> float:
    return stage.ears.metrics["OldestUnfinishedAgeSeconds"][-1]


def n18() -> Found:
    """Half of it fills and the rest expires: what was bought is a position, the remainder is released."""
    with Stage() as stage:
        stage.fault("partial_fill_then_expire", ratio="0.5", count=1)
        ticks = stage.until(lambda: Reason.PARTIALLY_FILLED in stage.ears.heard, within=3, what="the partial fill")
        line = next((one for one in stage.lines() if "order: partially filled, 0.0010" in one), None)
        assert line is not None, stage.lines()
        stage.require_event(Reason.PARTIALLY_FILLED, bot=BOT)
        slot, budget = stage.slot(), stage.budget()
        assert slot.state is SlotState.OPEN
        assert budget.reserved == ZERO
        assert budget.deployed == slot.cost < Decimal(70), "half of what was reserved is free again"
        stage.require_rest()
        return Found(ticks=ticks, said=line.split(maxsplit=2)[2])


def n20() -> Found:
    """Paper results among live ones: as one statistic, as one account, as one order."""
    tried = Attempts()
    paper = BudgetPlan(
        name="test", account_id=PAPER, amount=Decimal(500), bots=(("papa", ("BTC/USDT",), {"params": _WINS}),)
    )
    with Stage(bots={BOT: {"params": _WINS}}, more=(paper,)) as stage:
        stage.minute(2)
        stage.price("61000")
        stage.minute(2)
        reader = StatisticsReader(store=stage.store, clock=stage)
        tried.refused("one statistic of both", lambda: reader.of_accounts(LIVE, PAPER), RequestRefusedError)
        own = reader.of_account(LIVE)
        assert own.mode is Mode.LIVE
        assert own.trades == 1, "the live account counts its own trade only"
        assert reader.of_bot("papa").mode is Mode.PAPER
        live = stage.account()
        environment = stage.environment()
        for how, account in (
            ("a live account under a paper id", replace(live, account_id=PAPER)),
            ("a paper account under a live id", replace(live, mode=Mode.PAPER)),
        ):
            tried.refused(how, lambda: environment.kit.venues.of_account(account), VenueError)  # noqa: B023
        posted = {order.account_id for order in stage.orders() if order.intent_id in stage.world.wire.posts}
        tried.attempt("a paper order at the venue", happened=posted != {LIVE})
        stage.require_rest()
    return tried.found()


_WINS = {"name": "one", "buys": 100, "sells": 0}
_NEVER = {"name": "papa", "buys": 0, "sells": 0}


def n21() -> Found:
    """A record without a side, without a quantity, with fills that do not add up."""
    tried = Attempts()
    with Stage() as stage:
        stage.minute()
        stored = stage.orders()[0]
        wire = to_wire(stored)
        sideless = {name: value for name, value in wire.items() if name != "side"}
        tried.refused("an order without a side", lambda: from_wire(Intent, sideless), TypeError, ValueError, KeyError)
        fill = to_wire(stored.fills[0])
        bare = {name: value for name, value in fill.items() if name != "quantity"}
        tried.refused("a fill without a quantity", lambda: from_wire(Fill, bare), TypeError, ValueError, KeyError)
        nothing = replace(stored.fills[0], quantity=ZERO, cost=ZERO)
        tried.refused("a fill of nothing", lambda: _book(stored, (nothing,)), FillError)
        tried.refused("fills that are less than the order says", lambda: _book(stored, ()), FillError)
        stage.require_rest()
    return tried.found()


def _book(order: Intent, fills: tuple[Fill, ...]) -> object:
    return order_result(
        venue_order_id="1",
        side=Side.BUY,
        base="BTC",
        quote="USDT",
        filled_quantity=order.filled_quantity,
        fills=fills,
    )


def n25() -> Found:
    """The key is revoked while a position is open: nothing looks flat, entries stop, the key comes back."""
    with Stage() as stage:
        stage.minute(2)
        held, money = stage.slot(), stage.budget()
        stage.fault("revoke_key")
        ticks = stage.until(
            stage.named("account: credentials rejected", Reason.CREDENTIALS_REJECTED), within=6, what="the key"
        )
        stage.require_named("account: credentials rejected", Reason.CREDENTIALS_REJECTED)
        stage.require_event(Reason.CREDENTIALS_REJECTED, account=LIVE)
        stage.require_alarm("AccountsRejected", above=0)
        said = stage.why().verdict.says
        assert stage.account().state is AccountState.AUTH_FAILED
        assert (stage.slot().quantity, stage.budget().deployed) == (held.quantity, money.deployed)
        stage.no_faults()
        stage.until(lambda: stage.account().state is AccountState.OK, within=6, what="the account back")
        assert stage.why().healthy, stage.lines()
        stage.require_rest()
        return Found(ticks=ticks, said=said)


def n26() -> Found:
    """Maintenance: nothing new, the exit waits its turn and happens when the venue is back."""
    with Stage(bots={BOT: {"cooldown_seconds": 900}}) as stage:
        stage.minute(2)
        stage.fault("maintenance", for_seconds=240)
        ticks = stage.until(stage.named("venue: maintenance", Reason.MAINTENANCE), within=4, what="the maintenance")
        stage.require_named("venue: maintenance", Reason.MAINTENANCE)
        stage.require_event(Reason.MAINTENANCE, bot=BOT)
        said = stage.why().verdict.says
        exits = stage.why().stories[0].links[-1]
        assert exits.reason is Reason.MAINTENANCE, exits
        assert exits.says.startswith("exit: venue: maintenance"), exits
        stage.price("61000")
        stage.minute()
        assert stage.slot().state is SlotState.OPEN, "the venue takes nothing"
        stage.until(lambda: stage.slot().state is SlotState.EMPTY, within=5, what="the sale after the maintenance")
        stage.require_rest()
        return Found(ticks=ticks, said=said)


def n29() -> Found:
    """The account's side of the venue is down: its circuit opens, its exits go on, other accounts trade on."""
    paper = BudgetPlan(
        name="test", account_id=PAPER, amount=Decimal(500), bots=(("papa", ("ETH/USDT",), {"params": _NEVER}),)
    )
    with Stage(more=(paper,)) as stage:
        stage.world.admin("POST", "/admin/prices", symbol="ETHUSDT", price="2500", hold=True)
        stage.minute()
        assert stage.slot().state is SlotState.OPEN
        stage.fault("status", path="/api/v3/account", status=503, for_seconds=900)
        ticks = stage.until(stage.named("circuit: open until 2026", Reason.CIRCUIT_OPEN), within=6, what="the circuit")
        stage.require_named("circuit: open until 2026", Reason.CIRCUIT_OPEN)
        stage.require_event(Reason.VENUE_DOWN, account=LIVE)
        said = stage.why().verdict.says
        stage.change_bot("papa", params={**_WINS, "name": "papa"})
        stage.price("61000")
        stage.minute(3)
        assert len(stage.orders(Leg.EXIT)) == 1, "the exit goes on while the circuit is open"
        live = [order for order in stage.orders(Leg.ENTRY) if order.account_id == LIVE]
        assert len(live) == 1, "no entry while it is open"
        assert stage.slot().state is SlotState.EMPTY
        stage.require_event(Reason.CIRCUIT_OPEN, bot=BOT)
        assert stage.slot("papa", symbol="ETH/USDT").state is SlotState.OPEN, "the other account trades on"
        stage.no_faults()
        stage.until(lambda: stage.slot().state is SlotState.OPEN, within=8, what="the entry when it is closed again")
        stage.require_rest()
        return Found(ticks=ticks, said=said)


def n33() -> Found:
    """A reply lost, a worker dead after posting, the step invoked twice, the request lost: one order each."""
    tried = Attempts()
    for how, spoil in (
        ("the reply is lost", lambda one: one.fault("accept_then_drop", method="POST", path=_ORDER, count=1)),
        (
            "the worker dies after it posted",
            lambda one: one.chaos.fates.update({"place_order venue.POST": Fate.AFTER}),
        ),
        ("the venue answers nonsense", lambda one: one.fault("garbage", method="POST", path=_ORDER, count=1)),
        ("the step is invoked twice", lambda one: setattr(one.chaos, "manner", "twice")),
    ):
        with Stage(bots={BOT: {"cooldown_seconds": 3_600}}) as stage:
            spoil(stage)
            stage.minute()
            stage.chaos.fates.clear()
            stage.minute(4)
            posts = Counter({name: len(stamps) for name, stamps in stage.world.wire.posts.items()})
            made = [order for order in stage.world.exchange.state.engine.orders.values() if order.executed]
            tried.attempt(how, happened=max(posts.values()) > 1 or len(made) > 1)
            assert stage.slot().state is SlotState.OPEN, f"{how}: what was bought is a position"
            assert stage.slot().quantity == stage.free("BTC")
            stage.require_rest()
    return tried.found()
