"""Logs and metrics of a function: Powertools JSON lines with the coded reason as `event`, metrics as EMF."""

import logging
import warnings
from datetime import datetime

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from surefill.domain.reasons import Reason
from surefill.domain.times import format_time

# Most invocations have no metric of their own; Powertools would warn in the log each time.
warnings.filterwarnings("ignore", message="No application metrics to publish")

# Names that a log record has itself and refuses to take from outside.
_RESERVED = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_ERRORS = frozenset(
    {Reason.INTERNAL_ERROR, Reason.OVERRUN, Reason.SLOT_HELD, Reason.UNPROTECTED, Reason.ORPHAN, Reason.NOTIFY_FAILED}
)
_WARNINGS = frozenset(
    {
        Reason.UNKNOWN, Reason.REJECTED, Reason.CREDENTIALS_REJECTED, Reason.RECONCILE_DIFFERENCE, Reason.TICK_LATE,
        Reason.VENUE_DOWN, Reason.MAINTENANCE, Reason.RATE_LIMITED, Reason.STRATEGY_FAILED, Reason.DATA_STALE,
        Reason.NO_DATA, Reason.NO_PRICE, Reason.PRICE_STALE, Reason.RECOVERED, Reason.ADOPTED, Reason.NOTIFY_DROPPED,
    }
)  # fmt: skip


class PowertoolsObserver:
    """Observer that writes to CloudWatch through standard output. Decision events are never below INFO (N05)."""

    def __init__(self, *, logger: Logger, metrics: Metrics) -> None:
        self._logger = logger
        self._metrics = metrics

    def event(self, reason: Reason, **fields: object) -> None:
        """One JSON line; `event` is the reason's code."""
        write = self._logger.info
        if reason in _ERRORS:
            write = self._logger.error
        elif reason in _WARNINGS:
            write = self._logger.warning
        shown = {
            f"{name}_" if name in _RESERVED else name: format_time(value) if isinstance(value, datetime) else value
            for name, value in fields.items()
            if value is not None
        }
        write(str(reason), extra={"event": str(reason), **shown})

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        """One EMF metric of the function's namespace."""
        unit = MetricUnit.Seconds if name.endswith("Seconds") else MetricUnit.Count
        if not dimensions:
            self._metrics.add_metric(name=name, unit=unit, value=value)
            return
        with single_metric(name=name, unit=unit, value=value, namespace=self._metrics.namespace) as line:
            for key, of in {"service": self._metrics.service or "", **dimensions}.items():
                line.add_dimension(key, of)
