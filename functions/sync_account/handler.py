"""sync_account: a schedule's tick compares every account with its venue; also reads past trades that are asked for."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.composition import InvocationClock, base
from surefill.composition_venues import venues_of
from surefill.domain.times import format_time
from surefill.events import ImportRequest, import_request, scheduled_tick
from surefill.usecases.import_trades import TIME, TradeImport
from surefill.usecases.sync_account import SCHEDULE, AccountSync

logger = Logger()
metrics = Metrics()


@cache
def build() -> tuple[AccountSync, InvocationClock]:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    store, clock, observer = common.store, common.clock, common.observer
    venues = venues_of(common.settings, store=store, clock=clock)
    imports = TradeImport(store=store, histories=venues, clock=clock, observer=observer)
    return AccountSync(store=store, venues=venues, clock=clock, observer=observer, imports=imports), clock


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Sync all accounts once and go on with their imports, or begin an import."""
    asked = import_request(event)
    if asked is not None:
        return _begun(asked)
    tick = scheduled_tick(event, schedule=SCHEDULE)
    sync, clock = build()
    clock.refresh()
    until = clock.now() + TIME
    states = dict(sync.sync_all(tick=tick))
    imported = sync.imports.go_on(until=until) if sync.imports else 0
    return {"tick": format_time(tick), "accounts": states, "imported": imported}


def _begun(asked: ImportRequest) -> dict[str, Any]:
    sync, clock = build()
    clock.refresh()
    if sync.imports is None:
        raise LookupError("an import must have something that reads trades, had none")
    sync.imports.begin(asked)
    return {"imported": sync.imports.go_on(until=clock.now() + TIME)}


startup.finish()
