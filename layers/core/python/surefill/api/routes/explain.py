"""Why a bot does what it does, whether it could buy, and what it has brought."""

from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from surefill.api.services import new_router, services_of
from surefill.wire import to_wire

if TYPE_CHECKING:
    from surefill.usecases.explain.explainer import Explainer
    from surefill.usecases.explain.readiness import Readiness
    from surefill.usecases.statistics import StatisticsReader

router = new_router()
Symbol = Annotated[str | None, Query(max_length=200, description="only this symbol")]


@router.get("/bots/<bot_id>/why")
def why(bot_id: str, symbol: Symbol = None) -> dict[str, Any]:
    """The way of a trade, link by link: the first that stopped, since when, on what evidence, and what to do."""
    explanation = _explainer().why(bot_id, symbol or None)
    return {**to_wire(explanation), "healthy": explanation.healthy, "verdict": to_wire(explanation.verdict)}


@router.get("/bots/<bot_id>/readiness")
def readiness(bot_id: str, symbol: Symbol = None) -> dict[str, Any]:
    """Whether the bot could buy now, symbol by symbol; if not, the first check that does not hold, with its numbers."""
    found = _explainer().readiness(bot_id, symbol or None)
    return {"bot_id": bot_id, "ready": all(one.ready for one in found), "items": [_ready(one) for one in found]}


@router.get("/bots/<bot_id>/statistics")
def bot_statistics(bot_id: str) -> dict[str, Any]:
    """A bot's closed trades, profit, fees, drawdown and days."""
    return to_wire(_statistics().of_bot(bot_id))


@router.get("/budgets/<budget_id>/statistics")
def budget_statistics(budget_id: str) -> dict[str, Any]:
    """A budget's figures: of all its bots, those that were deleted too."""
    return to_wire(_statistics().of_budget(budget_id))


@router.get("/accounts/<account_id>/statistics")
def account_statistics(account_id: str) -> dict[str, Any]:
    """An account's figures. An account is paper or live, so the two are never put together."""
    return to_wire(_statistics().of_account(account_id))


# What explains is loaded at its first use: a tenth of the start, for the two routes that are asked least often.
def _explainer() -> "Explainer":
    from surefill.usecases.explain.explainer import Explainer

    services = services_of(router)
    return Explainer(store=services.store, clock=services.clock)


def _statistics() -> "StatisticsReader":
    from surefill.usecases.statistics import StatisticsReader

    services = services_of(router)
    return StatisticsReader(store=services.store, clock=services.clock)


def _ready(one: "Readiness") -> dict[str, Any]:
    return {**to_wire(one), "ready": one.ready, "problem": to_wire(one.problem) if one.problem else None}
