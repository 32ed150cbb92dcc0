"""sync_account: a schedule's tick compares every account with its venue."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.composition import InvocationClock, base
from surefill.composition_venues import venues_of
from surefill.domain.times import format_time
from surefill.events import scheduled_tick
from surefill.usecases.sync_account import SCHEDULE, AccountSync

logger = Logger()
metrics = Metrics()


@cache
def build() -> tuple[AccountSync, InvocationClock]:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    sync = AccountSync(
        store=common.store,
        venues=venues_of(common.settings, store=common.store, clock=common.clock),
        clock=common.clock,
        observer=common.observer,
    )
    return sync, common.clock


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Sync all accounts once."""
    tick = scheduled_tick(event, schedule=SCHEDULE)
    sync, clock = build()
    clock.refresh()
    return {"tick": format_time(tick), "accounts": dict(sync.sync_all(tick=tick))}


startup.finish()
