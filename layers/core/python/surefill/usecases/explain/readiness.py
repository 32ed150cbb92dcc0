"""Readiness: could this bot buy now? What every buy rests on, held against the rows as they are, without a signal.

The guards of the claim are those of the claim itself, asked without writing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from surefill.domain.kinds import AccountState, Leg, OrderKind, Side
from surefill.domain.market import Refusal, rules_problem
from surefill.domain.money import ZERO, add, plain
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, Bot, Budget, Intent, Slot
from surefill.domain.sizing import SizingFacts, spend_for
from surefill.domain.states import SlotState
from surefill.domain.times import day_of
from surefill.protocol.entry import claim_entry
from surefill.usecases.explain.facts import Place
from surefill.usecases.explain.making import fine, moment, said
from surefill.usecases.explain.model import Link, LinkName, LinkState
from surefill.usecases.explain.schedule import schedule_link
from surefill.usecases.explain.stopped import stop_link
from surefill.usecases.refusals import foreseen_refusal

_CIRCUIT = {Reason.RATE_LIMITED, Reason.MAINTENANCE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether a bot could buy a symbol now; `problem` is the first check that does not hold."""

    symbol: str
    checks: tuple[Link, ...]

    @property
    def problem(self) -> Link | None:
        """What stands in the way."""
        return next((check for check in self.checks if check.state is LinkState.STOPPED), None)

    @property
    def ready(self) -> bool:
        """Whether a signal to buy would lead to an order."""
        return self.problem is None


def readiness_of(place: Place) -> Readiness:
    """Every check, in the order in which a buy meets them."""
    return Readiness(
        symbol=place.symbol,
        checks=(
            schedule_link(place),
            stop_link(place) or fine(LinkName.GATES, "stops: none"),
            account_link(place) or fine(LinkName.GATES, f"account: {place.bot.account_id} may trade"),
            market_link(place) or fine(LinkName.GATES, f"market rule: rules of {place.symbol} are fresh"),
            slot_link(place) or fine(LinkName.CLAIM, "position: none, the place is free"),
            budget_link(place) or fine(LinkName.CLAIM, "budget: it covers an order", evidence=_money(place.budget)),
        ),
    )


def account_link(place: Place) -> Link | None:
    """What keeps the account from trading."""
    account = place.account
    if account is None:
        return said(Reason.ACCOUNT_BLOCKED, {"account": f"{place.bot.account_id} does not exist"})
    shown = {"account": account.account_id, "said": account.state_reason}
    if account.reconciled_at is not None:
        shown["last_in_order"] = moment(account.reconciled_at)
    if account.state is AccountState.AUTH_FAILED:
        return said(
            Reason.CREDENTIALS_REJECTED, {"account": account.state_reason}, since=account.trouble_since, evidence=shown
        )
    if account.state is not AccountState.OK:
        differences = {**shown, **account.differences}
        return said(
            Reason.RECONCILE_DIFFERENCE,
            {"account": account.state_reason},
            since=account.trouble_since,
            evidence=differences,
        )
    return _circuit(account, now=place.now, shown=shown)


def _circuit(account: Account, *, now: datetime, shown: dict[str, str]) -> Link | None:
    if account.retry_at is None or now >= account.retry_at:
        return None
    until = moment(account.retry_at)
    numbers = {"until": until, "account": account.state_reason or account.account_id}
    trouble = account.trouble if account.trouble in _CIRCUIT else None
    link = said(
        trouble or Reason.CIRCUIT_OPEN, numbers, name=LinkName.GATES, since=account.trouble_since, evidence=shown
    )
    if trouble is Reason.MAINTENANCE:
        return replace(link, says=f"{link.says}, circuit: open until {until}")
    return link


def market_link(place: Place) -> Link | None:
    """What the market's rules refuse."""
    problem = rules_problem(place.rules, now=place.now)
    if problem is None:
        return None
    return said(problem.reason, {**problem.numbers, "symbol": place.symbol}, evidence=problem.numbers)


def slot_link(place: Place) -> Link | None:
    """Why the place takes no new position."""
    slot = place.slot
    if slot.state is SlotState.EMPTY:
        return None
    if slot.state is SlotState.OPEN:
        return said(Reason.ALREADY_IN_POSITION, {}, name=LinkName.CLAIM, state=LinkState.STOPPED)
    if slot.state is SlotState.HELD:
        return replace(held_link(place), name=LinkName.CLAIM)
    return said(Reason.SLOT_TAKEN, {"slot": slot.state.value})


def held_link(place: Place) -> Link:
    """A position that a person must look at."""
    told = place.event(Reason.SLOT_HELD, kind="exit")
    return said(Reason.SLOT_HELD, held_numbers(place), since=told.at if told else None)


def held_numbers(place: Place) -> dict[str, str]:
    """What a held position should be and what the account has of it."""
    base = place.symbol.partition("/")[0]
    actual = place.account.balances.get(base, "0") if place.account and place.account.reconciled_at else "?"
    return {
        "held": str(place.slot.held_reason or "?"),
        "expected": f"{plain(place.slot.quantity)} {base}",
        "actual": f"{actual} {base}" if actual != "?" else "?",
    }


def budget_link(place: Place) -> Link | None:
    """The guards of the claim, held against budget and place as they are."""
    budget = place.budget
    if budget is None:
        return said(Reason.BUDGET_MISSING, {}, evidence={"budget": place.bot.budget_id})
    intent = _dry(place.bot, symbol=place.symbol, budget=budget, now=place.now)
    minimum = place.rules.min_notional if place.rules else ZERO
    if ZERO < intent.reserved < minimum:
        numbers = {"minimum": plain(minimum), "notional": plain(intent.reserved)}
        return said(Reason.BELOW_MINIMUM, numbers, name=LinkName.CLAIM)
    day = None if budget.day == day_of(place.now, zone=budget.time_zone) else budget.day
    free = Slot(market_key=place.slot.market_key, owner_key=place.slot.owner_key)
    refusal = foreseen_refusal(claim_entry(intent, budget_day=day), rows=(budget, free), intent=intent)
    if refusal is None:
        return None
    return said(refusal.reason, refusal.numbers)


def _dry(bot: Bot, *, symbol: str, budget: Budget, now: datetime) -> Intent:
    """A buy of the bot's usual size that is never made; of no size when the market must be seen to know it."""
    facts = SizingFacts(
        equity=add(budget.available, budget.reserved, budget.deployed),
        available=budget.available,
        price=ZERO,
        stop_loss_percent=bot.stop_loss_percent,
    )
    size = spend_for(bot.sizing, budget_percent=bot.budget_percent, facts=facts)
    return Intent(
        intent_id=f"dry-{bot.bot_id}",
        account_id=bot.account_id,
        bot_id=bot.bot_id,
        budget_id=bot.budget_id,
        venue=bot.venue,
        symbol=symbol,
        leg=Leg.ENTRY,
        side=Side.BUY,
        kind=OrderKind.LIMIT_IOC,
        quantity=ZERO,
        limit_price=None,
        reserved=ZERO if isinstance(size, Refusal) else size.spend,
        reason=Reason.BUY,
        tick=now,
        created_at=now,
        deadline=now,
        time_zone=budget.time_zone,
    )


def _money(budget: Budget | None) -> dict[str, str]:
    return {"available": f"{plain(budget.available)} {budget.currency}"} if budget else {}
