"""How it runs: schedules, strategies, and the comparison of accounts with the tables."""

from typing import Any

from surefill.api.bodies import ReconcileBody
from surefill.api.services import new_router, services_of
from surefill.domain.times import format_time, minute_of
from surefill.strategies import STRATEGIES
from surefill.strategies.base import AlertStrategy
from surefill.usecases.control.errors import NotFoundError
from surefill.usecases.control.schedules import schedules
from surefill.wire import to_wire

router = new_router()
_COMPARED = ("account_id", "state", "state_reason", "reconciled_at", "differences", "balances")


@router.get("/schedules")
def read_schedules() -> dict[str, Any]:
    """Whether each schedule runs: its last tick, its lag in seconds, and what that tick did."""
    services = services_of(router)
    states = schedules(services.store, now=services.clock.now())
    return {"running": all(state.running for state in states), "items": [to_wire(state) for state in states]}


@router.get("/strategies")
def strategies() -> dict[str, Any]:
    """The installed strategies with the JSON Schema of their parameters, and files that could not be loaded."""
    items = [_shown(name) for name in sorted(STRATEGIES)]
    return {"items": items, "problems": [to_wire(problem) for problem in STRATEGIES.problems]}


@router.get("/strategies/<name>")
def strategy(name: str) -> dict[str, Any]:
    """One strategy."""
    if name not in STRATEGIES:
        raise NotFoundError("name", f"strategy {name!r} does not exist: it must be one of {', '.join(STRATEGIES)}")
    return _shown(name)


@router.post("/reconcile")
def reconcile(body: ReconcileBody) -> dict[str, Any]:
    """Dry: the differences as last found. Otherwise settle unfinished orders and compare the accounts now."""
    services = services_of(router)
    accounts = [to_wire(account) for account in services.directory.accounts()]
    shown = [{name: account[name] for name in _COMPARED if name in account} for account in accounts]
    started: list[str] = []
    if not body.dry:
        tick = format_time(minute_of(services.clock.now()))
        for name in ("reconcile", "sync_account"):
            services.functions.wake(name, {"schedule": name, "scheduled_time": tick})
            started.append(name)
    return {"dry": body.dry, "started": started, "accounts": shown}


def _shown(name: str) -> dict[str, Any]:
    found = STRATEGIES[name]
    return {
        "name": name,
        "description": (found.__doc__ or "").strip().partition("\n")[0],
        "source": STRATEGIES.source(name),
        "default_timeframe": found.default_timeframe,
        "default_interval_seconds": found.default_interval_seconds,
        "holds_without_stop": found.holds_without_stop,
        "takes_alerts": issubclass(found, AlertStrategy),
        "params": found.Params.model_json_schema(),
    }
