"""refresh_markets: once a day copies the trading rules of every symbol of the stage's venues."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.composition import Base, base
from surefill.composition_venues import venues_of
from surefill.domain.times import format_time
from surefill.events import scheduled_tick
from surefill.ports import Venues
from surefill.usecases.refresh_markets import SCHEDULE, refresh_markets

logger = Logger()
metrics = Metrics()


@cache
def build() -> tuple[Base, Venues]:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    return common, venues_of(common.settings, store=common.store, clock=common.clock, public_only=True)


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Refresh the rules of all markets."""
    tick = scheduled_tick(event, schedule=SCHEDULE)
    common, venues = build()
    common.clock.refresh()
    counts = refresh_markets(
        tick=tick,
        names=sorted(common.settings.venues),
        store=common.store,
        venues=venues,
        clock=common.clock,
        observer=common.observer,
    )
    return {"tick": format_time(tick), "markets": dict(counts)}


startup.finish()
