"""Drills of signal, gates and claim: N03, N07, N09, N10, N11, N12, N22, N28, N30, N31."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from surefill.domain.kinds import Leg
from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.rules import AdviserPolicy, GateRules, SizingRules
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.entry import claim_entry
from surefill.protocol.funds import withdraw
from surefill.protocol.transaction import GuardFailedError
from surefill.usecases.control.errors import ConflictError
from tests.drills.drill import Attempts, Found
from tests.drills.stage import BOT, Stage

if TYPE_CHECKING:
    from surefill.domain.rows import Budget, Intent

_ALL_IN = SizingRules(max_percent=Decimal(100))


def n03() -> Found:
    """A gate is shut: the decision names it with its numbers, in log, journal and `why`."""
    with Stage(bots={BOT: {"gates": GateRules(hours=("sat 00:00-01:00",))}}) as stage:
        ticks = stage.until(
            stage.named("gate: outside hours, mon 12:01 UTC, open sat 00:00-01:00", Reason.MARKET_HOURS),
            within=2,
            what="the gate",
        )
        stage.require_named("gate: outside hours", Reason.MARKET_HOURS)
        stage.require_event(Reason.MARKET_HOURS, bot=BOT, numbers="sat 00:00-01:00")
        entry = next(one for one in stage.journal() if one.reason is Reason.MARKET_HOURS)
        assert entry.numbers["hours"] == "sat 00:00-01:00"
        assert not stage.orders()
        stage.require_money()
        return Found(ticks=ticks, said=stage.why().verdict.says)


def n07() -> Found:
    """A strategy that only ever sells, without a position."""
    with Stage(bots={BOT: {"strategy": "seller", "params": {}}}) as stage:
        ticks = stage.until(
            stage.named("signal: no position to sell", Reason.NO_POSITION), within=2, what="the refused sale"
        )
        stage.require_named("signal: no position to sell", Reason.NO_POSITION)
        stage.require_event(Reason.NO_POSITION, bot=BOT)
        assert not stage.orders()
        stage.require_money()
        return Found(ticks=ticks, said=stage.why().verdict.says)


def n09() -> Found:
    """The same bot again: under its own name, under another, with its parameters spelled in another order."""
    tried = Attempts()
    with Stage() as stage:
        params = {"rsi_period": 14, "buy_score": 0.3}
        first = stage.control.create(stage.spec(name="first", params=params))
        same = stage.spec(name="first", params=params)
        tried.refused("the same request again", lambda: stage.control.create(same), ConflictError)
        named = stage.spec(name="second", params=params)
        said = tried.refused("another name", lambda: stage.control.create(named), ConflictError)
        assert "bot 'first' has exactly this definition already" in said, said
        turned = stage.spec(name="third", params=dict(reversed(params.items())))
        said = tried.refused("parameters in another order", lambda: stage.control.create(turned), ConflictError)
        assert first.bot_id in said, said
        stage.require_money()
        return replace(tried.found(), said=f"refused: {said}; {', '.join(tried.made)}")


def n10() -> Found:
    """Spend the same money twice, take out what is not there, claim more than is free."""
    tried = Attempts()
    greedy = {"budget_percent": Decimal(100), "sizing": _ALL_IN}
    with Stage(
        bots={name: {**greedy, "params": {"name": name, "buys": 100}} for name in (BOT, "two", "three")}
    ) as stage:
        stage.minute(2)
        bought = [order for order in stage.orders(Leg.ENTRY) if order.state is IntentState.FILLED]
        tried.attempt(
            "three bots spend all of it in one tick", happened=len(bought) != 1 or stage.budget().available < 0
        )
        amount = stage.budget().available + Decimal("0.01")
        taken = withdraw(stage.budget_id, amount=amount, request_id="r", now=stage.now())
        tried.refused("take out more than is free", lambda: stage.store.commit(taken), GuardFailedError)
        claimed = claim_entry(_wish(stage, reserved=amount), budget_day=None)
        tried.refused("claim more than is free", lambda: stage.store.commit(claimed), GuardFailedError)
        overspent = _wish(stage, reserved=stage.budget().available + stage.budget().deployed)
        tried.refused(
            "claim what is at work already", lambda: stage.store.commit(claim_entry(overspent)), GuardFailedError
        )
        assert min(stage.budget().available, stage.budget().reserved, stage.budget().deployed) >= ZERO
        stage.require_money()
    return tried.found()


def n11() -> Found:
    """Three bots that together want more than there is, approved in the same tick."""
    wants = {"budget_percent": Decimal(60), "sizing": _ALL_IN}
    bots = {name: {**wants, "params": {"name": name, "buys": 100}} for name in (BOT, "two", "three")}
    with Stage(bots=bots, amount="84.54") as stage:
        ticks = stage.until(
            lambda: stage.ears.heard[Reason.BUDGET_TOO_SMALL] > 0, within=2, what="the money that is not there"
        )
        without = sorted(name for name in bots if stage.slot(name).state is SlotState.EMPTY)
        assert len(without) == 2, f"one of three may buy, {without} did not"
        for name in without:
            stage.require_named("budget: need 50.", Reason.BUDGET_TOO_SMALL, name=name)
            assert "have 3" in stage.why(name).verdict.says, stage.lines(name)
        stage.require_money()
        return Found(ticks=ticks, said=stage.why(without[0]).verdict.says)


def n12() -> Found:
    """Orders that the venue would refuse are refused here, and so are purchases that could not be sold again."""
    with Stage(amount="15") as stage:
        ticks = stage.until(
            stage.named("market rule: min notional", Reason.BELOW_MINIMUM), within=2, what="the minimum"
        )
        stage.require_named("market rule: min notional 5", Reason.BELOW_MINIMUM)
        stage.require_event(Reason.BELOW_MINIMUM, bot=BOT)
        said = stage.why().verdict.says
        assert not stage.orders(), "the venue is never asked"
        stage.require_money()
    with Stage(amount="21.8") as stage:
        stage.until(lambda: stage.ears.heard[Reason.EXIT_BELOW_MINIMUM] > 0, within=2, what="the minimum of the sale")
        stage.require_named("a sale at the stop would be", Reason.EXIT_BELOW_MINIMUM)
        assert not stage.orders()
        stage.require_money()
    return Found(ticks=ticks, said=said)


def n22() -> Found:
    """A grid: a fill of one level is followed by the next order at once, and `why` names the level it waits for."""
    grid = {
        "strategy": "spot_grid",
        "params": {"lower": "54000", "upper": "64000", "levels": 6},
        "interval_seconds": 86_400,
        "take_profit_percent": ZERO,
        "stop_loss_percent": ZERO,
        "budget_percent": Decimal(10),
        "state": "PAUSED",
    }
    with Stage(bots={BOT: grid}, amount="2000") as stage:
        stage.change_bot(cadence_key=None)
        stage.minute()
        stage.start_bot()
        stage.until(stage.named("grid: waiting for fill of", Reason.GRID_WAITING), within=3, what="the armed grid")
        waiting = stage.why().verdict.says
        stage.require_event(Reason.GRID_ARMED, bot=BOT)
        buys = len(stage.orders(Leg.ENTRY))
        assert buys > 1, "the levels below the price rest at the venue"
        stage.price("58500")
        ticks = stage.until(lambda: bool(stage.orders(Leg.EXIT)), within=4, what="the sale of what was bought")
        stage.until(stage.named("grid: waiting for fill of", Reason.GRID_WAITING), within=3, what="the next level")
        resting = [one for one in stage.orders() if one.state is IntentState.ACCEPTED and one.rests_until]
        assert any(one.leg is Leg.EXIT for one in resting), "what was bought rests to be sold"
        stage.require_money()
        return Found(ticks=ticks, said=waiting)


def n28() -> Found:
    """The adviser a bot names is not there: block is a reason, ignore trades and says so."""
    gates = GateRules(adviser="oracle")
    ignoring = replace(gates, adviser_policy=AdviserPolicy.IGNORE)
    with Stage(
        bots={BOT: {"gates": gates}, "two": {"gates": ignoring, "params": {"name": "two", "buys": 100}}}
    ) as stage:
        ticks = stage.until(
            stage.named("adviser: unavailable", Reason.ADVISER_UNAVAILABLE), within=2, what="the adviser"
        )
        stage.require_named("adviser: unavailable", Reason.ADVISER_UNAVAILABLE)
        stage.require_event(Reason.ADVISER_UNAVAILABLE, bot=BOT)
        assert stage.slot().state is SlotState.EMPTY
        assert stage.slot("two").state is SlotState.OPEN
        bought = next(one for one in stage.journal("two") if one.reason is Reason.BUY)
        assert bought.numbers["policy"] == "ignore", bought.numbers
        stage.require_money()
        return Found(ticks=ticks, said=stage.why().verdict.says)


def n30() -> Found:
    """Positions, trades and losses at their limits, with two bots that push at once."""
    bots = {name: {"params": {"name": name, "buys": 100}} for name in (BOT, "two")}
    with Stage(bots=bots, limits={"max_open_positions": 1}) as stage:
        ticks = stage.until(lambda: stage.ears.heard[Reason.LIMIT_OPEN_POSITIONS] > 0, within=2, what="the limit")
        out = next(name for name in bots if stage.slot(name).state is SlotState.EMPTY)
        stage.require_named("limit: open positions 1 of 1", Reason.LIMIT_OPEN_POSITIONS, name=out)
        assert stage.budget().open_positions == 1
        said = stage.why(out).verdict.says
        stage.require_money()
    with Stage(bots=bots, limits={"max_trades_per_day": 1}) as stage:
        stage.minute(2)
        out = next(name for name in bots if stage.slot(name).state is SlotState.EMPTY)
        stage.require_named("limit: trades today 1 of 1", Reason.LIMIT_TRADES, name=out)
        assert stage.budget().trades_today == 1
        stage.require_money()
    with Stage(bots=bots, limits={"max_exposure_per_asset": Decimal(150)}) as stage:
        stage.minute(2)
        out = next(name for name in bots if stage.slot(name).state is SlotState.EMPTY)
        stage.require_named("limit: exposure of BTC: 124.", Reason.LIMIT_EXPOSURE, name=out)
        stage.require_money()
    with Stage(limits={"max_daily_loss": Decimal("0.1")}) as stage:
        stage.minute(2)
        stage.price("59000")
        stage.until(lambda: stage.budget().loss_today > 0, within=2, what="a loss")
        stage.until(lambda: stage.ears.heard[Reason.LIMIT_LOSS] > 0, within=2, what="the limit")
        stage.require_named("limit: loss today", Reason.LIMIT_LOSS)
        stage.until(lambda: stage.ears.metrics["DailyLossReached"][-1] > 0, within=5, what="its alarm")
        assert stage.budget().trades_today == 1
        stage.require_money()
    return Found(ticks=ticks, said=said)


def n31() -> Found:
    """A signal that must stand for five minutes, then a cooldown of ten."""
    slow = {"confirmation_seconds": 300, "cooldown_seconds": 600, "take_profit_percent": Decimal("0.5")}
    with Stage(bots={BOT: slow}) as stage:
        ticks = stage.until(lambda: Reason.WAITING_CONFIRMATION in stage.ears.heard, within=2, what="the confirmation")
        stage.minute(2)
        stage.require_named("waiting: confirmation 3 of 5 min", Reason.WAITING_CONFIRMATION, stopped=False)
        said = stage.why().verdict.says
        stage.require_event(Reason.WAITING_CONFIRMATION, bot=BOT)
        assert not stage.orders()
        stage.until(lambda: stage.slot().state is SlotState.OPEN, within=4, what="the purchase")
        stage.price("61000")
        stage.until(lambda: stage.slot().state is SlotState.EMPTY, within=3, what="the sale")
        stage.minute(6)
        stage.require_named("waiting: cooldown", Reason.WAITING_COOLDOWN, stopped=False)
        assert "of 10 min" in stage.why().verdict.says, stage.lines()
        stage.require_money()
        return Found(ticks=ticks, said=said)


def _wish(stage: Stage, *, reserved: Decimal) -> Intent:
    """A purchase nobody planned."""
    budget: Budget = stage.budget()
    model = next(order for order in stage.orders(Leg.ENTRY) if order.state is IntentState.FILLED)
    return replace(
        model,
        intent_id="f" * 32,
        bot_id="three",
        state=IntentState.RESERVED,
        reserved=reserved,
        budget_id=budget.budget_id,
        finished_at=None,
        outcome=None,
        fills=(),
        filled_quantity=ZERO,
        filled_cost=ZERO,
        work_key="work",
    )
