"""Composes the stacks of one stage."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from aws_cdk import App, CliCredentialsStackSynthesizer, DefaultStackSynthesizer, StackSynthesizer, Tags

from infra import nag
from infra.bundling import BuildError
from infra.code import BuiltCode, CodeSource
from infra.settings import SettingsError, Stage, stage_from_context
from infra.stacks.control import ControlStack
from infra.stacks.data import DataStack
from infra.stacks.observability import ObservabilityStack
from infra.stacks.trading import TradingStack


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacks:
    """The four stacks of a stage, in the order they are deployed."""

    data: DataStack
    trading: TradingStack
    control: ControlStack
    observability: ObservabilityStack


def compose(app: App, *, stage: Stage, code: CodeSource) -> Stacks:
    """Add the stacks of ``stage`` to ``app``. They are bound to no account: the caller's credentials decide."""
    data = DataStack(
        app,
        stage.stack("Data"),
        stage=stage,
        synthesizer=_synthesizer(stage),
        termination_protection=stage.is_stable,
        description="Surefill: tables and topics",
    )
    trading = TradingStack(
        app,
        stage.stack("Trading"),
        stage=stage,
        code=code,
        stream_arns=data.stream_arns,
        synthesizer=_synthesizer(stage),
        description="Surefill: functions, order workflow, schedules",
    )
    control = ControlStack(
        app,
        stage.stack("Control"),
        stage=stage,
        code=code,
        evaluations_queue_url=trading.evaluations.queue_url,
        synthesizer=_synthesizer(stage),
        description="Surefill: control API",
    )
    observability = ObservabilityStack(
        app,
        stage.stack("Observability"),
        stage=stage,
        synthesizer=_synthesizer(stage),
        description="Surefill: heartbeats, alarms, dashboards, saved queries",
    )
    trading.add_stack_dependency(data, "tables and topics are addressed by name")
    control.add_stack_dependency(trading)
    observability.add_stack_dependency(trading, "queries name the functions' log groups")
    Tags.of(app).add("project", "surefill")
    Tags.of(app).add("stage", stage.name)
    return Stacks(data=data, trading=trading, control=control, observability=observability)


def _synthesizer(stage: Stage) -> StackSynthesizer:
    # The local AWS deploys with the caller's own credentials; the bootstrap roles would only be one more emulation.
    return CliCredentialsStackSynthesizer() if stage.is_local else DefaultStackSynthesizer()


def main() -> int:
    """Read the stage from the context, compose it, check it and write the templates. Returns the exit status."""
    app = App()
    try:
        stage = stage_from_context(app.node.try_get_context)
        stacks = compose(app, stage=stage, code=BuiltCode(stage=stage))
    except (SettingsError, BuildError) as error:
        sys.stderr.write(f"surefill: {error}\n")
        return 1
    if not stage.is_local:
        nag.check(app, stage=stage, stacks=stacks)
    app.synth()
    return 0
