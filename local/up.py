"""`surefill up`: the whole product on this machine, trading in front of you, for a while or until Ctrl-C."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local.demo import set_up_demo
from local.driver import Driver
from local.errors import LocalError
from local.evaluation_log import read_evaluations
from local.frame import build_frame
from local.rows import Rows, read_rows
from local.stage.progress import step
from local.stage.stage import LocalStage, StagePlan
from local.summary import problems, summarise, write_summary
from surefill.ports import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.view import View

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_AWS_PORT = 4566
DEFAULT_EXCHANGE_PORT = 9100
_SETTLING = frozenset({"watch_exits", "reconcile"})
_SETTLING_TICKS = 10
_SHORTEST_REDRAW_SECONDS = 0.5
_FIRST_DECISION_SECONDS = 60.0
FAILED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What was asked for. `for_seconds` counts from the first tick; None runs until Ctrl-C."""

    pace_seconds: float
    for_seconds: float | None = None
    summary: Path | None = None
    folder: Path = REPOSITORY / ".surefill" / "local"
    aws_port: int = DEFAULT_AWS_PORT
    exchange_port: int = DEFAULT_EXCHANGE_PORT
    seed: int = 1
    live: tuple[str, ...] = ()


@dataclass(slots=True)
class _Timed:
    """Passes progress on and remembers how long each step took."""

    view: View
    seconds: dict[str, float] = field(default_factory=dict)

    def begin(self, step: str) -> None:
        self.view.begin(step)

    def detail(self, text: str) -> None:
        self.view.detail(text)

    def end(self, step: str, *, seconds: float) -> None:
        self.seconds[step] = seconds
        self.view.end(step, seconds=seconds)

    def say(self, sentence: str) -> None:
        self.view.say(sentence)


def run_up(options: UpOptions, *, view: View) -> int:
    """Run; the exit code. Raises LocalError when it can't start, KeyboardInterrupt when interrupted."""
    began = time.monotonic()
    progress = _Timed(view)
    plan = StagePlan(
        repository=REPOSITORY,
        folder=options.folder,
        aws_port=options.aws_port,
        exchange_port=options.exchange_port,
        exchange_arguments=_exchange_arguments(options),
    )
    with view, LocalStage(plan, progress=progress) as stage:
        driver = Driver(stage, pace_seconds=options.pace_seconds)
        try:
            return _Run(options=options, view=view, stage=stage, driver=driver, began=began, progress=progress).run()
        finally:
            driver.close()


def _exchange_arguments(options: UpOptions) -> tuple[str, ...]:
    arguments = ["--seed", str(options.seed)]
    for symbol in options.live:
        arguments += ["--live", symbol]
    return tuple(arguments)


class _Run:
    """One run on a started stage."""

    def __init__(
        self, *, options: UpOptions, view: View, stage: LocalStage, driver: Driver, began: float, progress: _Timed
    ) -> None:
        self._options = options
        self._view = view
        self._stage = stage
        self._driver = driver
        self._began = began
        self._progress = progress
        self._first_decision: float | None = None
        self._redrawn_at = 0.0

    def run(self) -> int:
        """Set the demo up, tick, and in the end settle, check and write the summary."""
        with step(self._progress, "accounts, budgets and three bots"):
            bots = set_up_demo(self._stage, self._driver)
            self._stage.checkpoint()
        with step(self._progress, "first decision"):
            self._await_first_decision()
        self._view.say(f"control API {self._stage.outputs['ApiUrl']}, exchange {self._stage.exchange.url}")
        started = time.monotonic()
        until = None if self._options.for_seconds is None else started + self._options.for_seconds
        while until is None or time.monotonic() < until:
            self._driver.next_tick()
            # Ended between two ticks: the next one starts it again.
            with suppress(StoreUnavailableError):
                self._redraw()
        return self._finish(bots, seconds_of_ticking=time.monotonic() - started)

    def _await_first_decision(self) -> None:
        """Started bots are evaluated at once; the first answer shows that the way from API to journal works."""
        self._stage.wait_until_quiet(timeout_seconds=_FIRST_DECISION_SECONDS)
        self._look_for_decision(read_rows(self._stage.store))

    def _look_for_decision(self, rows: Rows) -> None:
        if self._first_decision is None and any(entry.kind == "decision" for entry in rows.journal):
            self._first_decision = time.monotonic() - self._began

    def _redraw(self) -> None:
        if time.monotonic() - self._redrawn_at < _SHORTEST_REDRAW_SECONDS:
            return
        self._redrawn_at = time.monotonic()
        rows = read_rows(self._stage.store, exchange=self._stage.exchange.state())
        self._look_for_decision(rows)
        report = self._driver.report
        self._view.show(
            build_frame(
                rows,
                prices=self._stage.exchange.prices(),
                tick=self._driver.tick,
                ticks=report.ticks,
                pace_seconds=self._driver.pace_seconds,
                late_ticks=report.late_ticks,
                failures=report.last_failures,
            )
        )

    def _finish(self, bots: Sequence[str], *, seconds_of_ticking: float) -> int:
        ticks = self._driver.report.ticks
        with step(self._progress, "letting open orders settle"):
            rows = self._settle(bots)
        evaluations = read_evaluations(self._stage.aws, function=self._stage.function("evaluate"))
        # The ticks that only settled are not part of what was asked for.
        self._driver.report.ticks = ticks
        summary = summarise(
            rows,
            report=self._driver.report,
            evaluations=evaluations.evaluations,
            decisions=evaluations.decisions,
            seconds_to_first_decision=self._first_decision,
            set_up_seconds=self._progress.seconds,
            seconds_of_ticking=seconds_of_ticking,
        )
        if self._options.summary is not None:
            write_summary(summary, self._options.summary)
        self._view.say(
            f"{summary['ticks']} ticks, {summary['evaluations']} evaluations, {summary['decisions']} decisions, "
            f"{summary['entries_recorded']} entries and {summary['exits_recorded']} exits recorded, "
            f"{summary['unfinished_intents']} orders unfinished, {summary['violations']} violations of I1 to I12"
        )
        found = problems(summary)
        for problem in found:
            self._view.say(f"failed: {problem}")
        return FAILED if found else 0

    def _settle(self, bots: Sequence[str]) -> Rows:
        """Stop entries, then drive only what finishes orders until none is open, a bounded number of ticks."""
        for bot in bots:
            with suppress(LocalError):
                self._stage.api.post("bots", bot, "pause")
        for _ in range(_SETTLING_TICKS):
            self._driver.next_tick(only=_SETTLING)
            if not self._stage.store.unfinished_intents(due_until=None, limit=1):
                break
        return read_rows(self._stage.store, exchange=self._stage.exchange.state())
