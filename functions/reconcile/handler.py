"""reconcile: a schedule's tick settles every order that should have been finished by now."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.composition import InvocationClock, base
from surefill.composition_venues import venues_of
from surefill.domain.times import format_time
from surefill.events import scheduled_tick
from surefill.usecases.directory import AccountDirectory
from surefill.usecases.reconcile import SCHEDULE, Reconciler
from surefill.usecases.settle import Settler

logger = Logger()
metrics = Metrics()


@cache
def build() -> tuple[Reconciler, InvocationClock]:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    settler = Settler(
        store=common.store,
        accounts=AccountDirectory(common.store),
        venues=venues_of(common.settings, store=common.store, clock=common.clock),
        clock=common.clock,
        observer=common.observer,
    )
    reconciler = Reconciler(store=common.store, settler=settler, clock=common.clock, observer=common.observer)
    return reconciler, common.clock


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Settle what is unfinished and due."""
    tick = scheduled_tick(event, schedule=SCHEDULE)
    reconciler, clock = build()
    clock.refresh()
    return {"tick": format_time(tick), "intents": dict(reconciler.reconcile(tick=tick))}


startup.finish()
