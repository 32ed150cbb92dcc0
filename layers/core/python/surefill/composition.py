"""What every function is made of. Each handler's `build()` adds what only it needs."""

from dataclasses import dataclass
from typing import Protocol

from aws_lambda_powertools import Logger, Metrics

from surefill.adapters.clocks import RemoteClock, WallClock
from surefill.adapters.dynamodb import DynamoStore
from surefill.observability import PowertoolsObserver
from surefill.ports import Clock, Observer, Store
from surefill.settings import Settings


class InvocationClock(Clock, Protocol):
    """A clock that is read anew when an invocation begins."""

    def refresh(self) -> None:
        """Read the time now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Settings, tables, time and voice of a function."""

    settings: Settings
    store: Store
    clock: InvocationClock
    observer: Observer


def base(*, logger: Logger, metrics: Metrics) -> Base:
    """Put the common part together from the environment."""
    settings = Settings.from_environment()
    return Base(
        settings=settings,
        store=DynamoStore(table_prefix=settings.table_prefix),
        clock=RemoteClock(settings.clock_url) if settings.clock_url else WallClock(),
        observer=PowertoolsObserver(logger=logger, metrics=metrics),
    )
