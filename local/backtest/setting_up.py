"""Make the rows a backtest starts from, through the same checks the API makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pydantic

from local.backtest.spec import VENUE
from local.errors import LocalError
from surefill.api.bodies import BotBody
from surefill.domain import identity
from surefill.domain.bots import cadence_key
from surefill.domain.kinds import BotState, Mode
from surefill.domain.records import MarketRules
from surefill.domain.rows import Account, Bot, Budget
from surefill.protocol.funds import open_budget
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.errors import RequestRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.backtest.spec import BacktestSpec, BotPlan, BudgetPlan
    from surefill.domain.reasons import Reason
    from surefill.ports import Clock, Store

# Rules are as old as the wall clock says they are not: they hold for the whole run.
_FOREVER = datetime(9000, 1, 1, tzinfo=UTC)
_FINEST = Decimal("0.00000001")


def permissive_rules(symbol: str, *, fee: Decimal) -> MarketRules:
    """Rules of a venue that takes any order: steps of 8 decimals, no minimum."""
    base, _, quote = symbol.partition("/")
    return MarketRules(
        market_key=identity.market_key(venue=VENUE, symbol=symbol),
        symbol=symbol,
        base=base,
        quote=quote,
        quantity_step=_FINEST,
        price_step=_FINEST,
        min_quantity=Decimal(0),
        min_notional=Decimal(0),
        taker_fee=fee,
        active=True,
        fetched_at=_FOREVER,
    )


def rules_of(spec: BacktestSpec, symbol: str) -> MarketRules:
    """The trading rules of a symbol: those given, or none at all."""
    rules = spec.rules.get(symbol) or permissive_rules(symbol, fee=spec.costs.fee)
    return replace(rules, taker_fee=spec.costs.fee, fetched_at=_FOREVER)


def require_candles(bot: Bot, *, symbol: str, needed: int, due: int, there: int) -> None:
    """Raise LocalError when there are too few candles for a single decision."""
    if not due:
        raise LocalError(
            f"bot {bot.bot_id!r} needs {needed} candles of {bot.timeframe} on {symbol} before its first decision,"
            f" there are {there} to decide on: give more candles"
        )


def set_up(
    store: Store, spec: BacktestSpec, *, budgets: Sequence[BudgetPlan], clock: Clock, mode: Mode = Mode.PAPER
) -> list[Bot]:
    """Write account, budgets, rules and bots of these budgets; the bots, active. Raises LocalError for a bad bot."""
    account = f"{mode}-{VENUE}-backtest"
    store.insert(Account(account_id=account, venue=VENUE, mode=mode, currency=spec.currency))
    for symbol in spec.files:
        store.insert(rules_of(spec, symbol))
    for plan in budgets:
        budget = Budget(
            budget_id=f"{account}-{plan.name}",
            account_id=account,
            currency=spec.currency,
            funded=plan.amount,
            available=plan.amount,
            **plan.limits,
        )
        store.commit(open_budget(budget, request_id="open", now=clock.now()))
    names = {plan.name for plan in budgets}
    return [_make_bot(store, plan, account=account, clock=clock) for plan in spec.bots if plan.budget in names]


def _make_bot(store: Store, plan: BotPlan, *, account: str, clock: Clock) -> Bot:
    try:
        body = BotBody.model_validate({**plan.body, "budget_id": f"{account}-{plan.budget}"})
        control = BotControl(
            store=store,
            queue=_NoQueue(),
            clock=clock,
            observer=Silent(),
        )
        bot = control.create(body.spec())
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        problem = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}, was {first['input']!r}"
        raise LocalError(f"bot {plan.body.get('name', '')!r}: {problem}") from None
    except RequestRefusedError as error:
        raise LocalError(f"bot {plan.name!r}: {error}") from None
    active = replace(bot, state=BotState.ACTIVE)
    active = replace(active, cadence_key=cadence_key(active))
    store.replace(active)
    return active


class _NoQueue:
    """Implements `ports.Queue`: a bot that is made here is evaluated by the engine alone."""

    def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        raise AssertionError(f"nothing may be queued in a backtest, were {len(bodies)} messages")

    def depth(self) -> int:
        return 0


class Silent:
    """Implements `ports.Observer`: a backtest reads the tables afterwards."""

    def event(self, reason: Reason, **fields: object) -> None:
        """Not told."""

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        """Not counted."""
