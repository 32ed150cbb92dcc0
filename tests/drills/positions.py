"""Drills of positions: N08, N32, N34, N35, N36."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from surefill.domain.kinds import Leg, Scope, StopKind
from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.states import IntentState, SlotState
from surefill.usecases.control.directory import Directory
from surefill.usecases.control.stop import KillSwitch
from tests.drills.drill import Attempts, Found
from tests.drills.stage import BOT, Stage
from tests.simulation.world import LIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from surefill.domain.records import Closing
    from surefill.domain.rows import LedgerEntry

# After a sale the bot rests for the remainder of the drill.
_ONCE = {"cooldown_seconds": 3_600}
_TICKER = "/api/v3/ticker/24hr"


def n08() -> Found:
    """A level is crossed and the position stays open: without a level, with an old price, refused by the venue."""
    ticks = [_unprotected(), _old_price()]
    with Stage(bots={BOT: _ONCE}) as stage:
        stage.minute(2)
        stage.fault("reject", code=-1013, msg="Filter failure: MARKET_LOT_SIZE", for_seconds=200)
        stage.price("61000")
        ticks.append(
            stage.until(_exit_says(stage, "exit: venue refused, code -1013"), within=3, what="the venue's refusal")
        )
        said = stage.why().verdict.says
        stage.require_event(Reason.TAKE_PROFIT, bot=BOT)
        stage.require_event(Reason.REJECTED, leg="EXIT")
        stage.until(lambda: stage.ears.metrics["OverdueExits"][-1] > 0, within=3, what="the alarm of the overdue exit")
        stage.until(lambda: stage.slot().state is SlotState.EMPTY, within=6, what="the sale")
        stage.require_rest()
    return Found(ticks=max(ticks), said=said)


def _unprotected() -> int:
    with Stage() as stage:
        stage.minute(2)
        stage.store.replace(replace(stage.slot(), take_profit=None, stop_loss=None))
        stage.price("58000")
        ticks = stage.until(stage.named("exit: no protection", Reason.UNPROTECTED), within=2, what="no protection")
        stage.require_event(Reason.UNPROTECTED, bot=BOT)
        stage.require_alarm("UnprotectedPositions", above=0)
        stage.require_money()
        return ticks


def _old_price() -> int:
    with Stage(bots={BOT: _ONCE}) as stage:
        stage.minute(2)
        stage.fault("stale_prices", path=_TICKER, for_seconds=400)
        ticks = stage.until(_exit_says(stage, "exit: stale price"), within=4, what="the stale price")
        stage.require_event(Reason.PRICE_STALE, bot=BOT)
        stage.price("61000")
        stage.minute()
        assert stage.slot().state is SlotState.OPEN, "nothing is sold at a price of before"
        stage.no_faults()
        stage.until(lambda: stage.slot().state is SlotState.EMPTY, within=3, what="the sale at a fresh price")
        stage.require_rest()
        return ticks


def _exit_says(stage: Stage, text: str) -> Callable[[], bool]:
    def seen() -> bool:
        verdict = stage.why().verdict
        return verdict.name in ("exit", "protection") and text in verdict.says and text in stage.lines()[1]

    return seen


@dataclass(slots=True)
class Closer:
    """The workflow that closes positions: remembers what it was started with."""

    started: list[tuple[str, Sequence[Closing]]] = field(default_factory=list)

    def start_closing(self, name: str, closings: Sequence[Closing]) -> bool:
        """Remember it."""
        self.started.append((name, closings))
        return True


def n32() -> Found:
    """No shell, no restart: one call stops entries, one closes everything, one freezes; who and when are told."""
    calm = {"name": "one", "buys": 0, "sells": 0}
    with Stage(bots={BOT: {"params": calm}}) as stage:
        stage.minute(2)
        directory = Directory(store=stage.store, venues=("binance",))
        closer = Closer()
        switch = KillSwitch(store=stage.store, directory=directory, workflow=closer, clock=stage, observer=stage.ears)
        pressed = switch.press(StopKind.NO_NEW, scope=Scope.ALL, target="", who="ada", why="bad news").stop
        stage.require_named("stopped by: ada, 2026-01-05T12:02:59Z: bad news", Reason.ENTRIES_OFF)
        said = stage.why().verdict.says
        stage.require_event(Reason.STOPPED, who="ada", why="bad news")
        stage.change_bot(params={**calm, "buys": 100})
        stage.minute(3)
        assert not stage.orders(), "no entry after it is acknowledged"
        switch.lift(pressed.stop_id, who="ada", why="over")
        stage.until(lambda: stage.slot().state is SlotState.OPEN, within=2, what="the entry afterwards")
        closing = switch.press(StopKind.CLOSE_ALL, scope=Scope.ACCOUNT, target=LIVE, who="eve", why="").stop
        stage.require_named("stopped by: eve, ", Reason.ENTRIES_OFF)
        assert [one.bot_id for _, closings in closer.started for one in closings] == [BOT]
        switch.lift(closing.stop_id, who="eve", why="over")
        switch.press(StopKind.FREEZE, scope=Scope.BOT, target=BOT, who="bob", why="")
        stage.require_named("stopped by: bob, ", Reason.FROZEN)
        stage.price("61000")
        stage.minute(2)
        assert stage.slot().state is SlotState.OPEN, "a frozen position is not sold"
        assert len(stage.orders(Leg.EXIT)) == 0
        stage.require_money()
        return Found(ticks=0, said=said)


def n34() -> Found:
    """Take profit and a manual close together, the level seen twice in a minute, a close while it is being sold."""
    tried = Attempts()
    for how, meddle in (
        ("a manual close at the same time", _close_twice),
        ("the level seen twice in a minute", lambda one: one.tick("watch_exits")),
        ("a close while the reply of the sale is lost", _close_in_doubt),
        ("take profit and stop loss within one minute", _both_levels),
    ):
        with Stage(bots={BOT: _ONCE}) as stage:
            stage.minute(2)
            bought = stage.slot().quantity
            stage.price("61000")
            meddle(stage)
            stage.minute(3)
            sold = sum(
                (order.executed for order in stage.world.exchange.state.engine.orders.values() if order.executed), ZERO
            )
            sales = [order for order in stage.orders(Leg.EXIT) if order.state is IntentState.FILLED]
            tried.attempt(how, happened=len(sales) != 1 or sales[0].filled_quantity > bought or sold == ZERO)
            assert stage.slot().state is SlotState.EMPTY
            stage.require_rest()
    return tried.found()


def _close_twice(stage: Stage) -> None:
    for seconds in (1.0, 1.05):
        stage.kernel.after(seconds, stage.close)


def _both_levels(stage: Stage) -> None:
    """The sale at the take profit is still in doubt when the stop is reached."""
    stage.fault("accept_then_drop", method="POST", path="/api/v3/order", count=1)
    stage.tick("watch_exits")
    stage.price("50000")
    stage.tick("watch_exits")


def _close_in_doubt(stage: Stage) -> None:
    stage.fault("accept_then_drop", method="POST", path="/api/v3/order", count=1)
    stage.tick("watch_exits")
    stage.close()


def n35() -> Found:
    """Somebody sells half of the coins by hand; then the take profit comes."""
    with Stage() as stage:
        stage.minute(2)
        stage.take_coins("BTC", "-0.001")
        stage.price("61000")
        ticks = stage.until(
            stage.named("position: HELD (position.balance_short), expected 0.002", Reason.SLOT_HELD),
            within=3,
            what="the position that is held",
        )
        stage.until(lambda: "actual 0.001" in stage.why().verdict.says, within=6, what="what the account has")
        stage.require_named("position: HELD", Reason.SLOT_HELD)
        said = stage.why().verdict.says
        stage.require_event(Reason.SLOT_HELD, bot=BOT)
        stage.require_alarm("Quarantined", above=0)
        sales = len(stage.orders(Leg.EXIT))
        stage.minute(3)
        assert len(stage.orders(Leg.EXIT)) == sales, "nothing is sent until a person has looked"
        stage.require_rest()
        return Found(ticks=ticks, said=said)


def n36() -> Found:
    """The fee in coins leaves less than a step: the position is closed, the rest is in the ledger, the bot goes on."""
    with Stage(bots={BOT: {"cooldown_seconds": 120}}) as stage:
        stage.minute(2)
        quantity = stage.slot().quantity
        stage.price("61000")
        ticks = stage.until(lambda: bool(_dust(stage)), within=3, what="the dust")
        text = stage.why().stories[0].links[-1].says
        stage.until(lambda: stage.slot().state is not SlotState.EMPTY, within=4, what="the next position")
        dust = _dust(stage)[0].dust
        assert ZERO < dust < Decimal("0.00001")
        assert dust == quantity - stage.orders(Leg.EXIT)[0].filled_quantity
        assert "dust 0.000007" in text, text
        stage.require_event(Reason.FILLED, leg="EXIT")
        stage.require_rest()
        return Found(ticks=ticks, said=text)


def _dust(stage: Stage) -> list[LedgerEntry]:
    return [entry for entry in stage.store.ledger_of(stage.budget_id) if entry.dust]
