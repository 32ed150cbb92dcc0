"""Schedules that wake functions with the identity of the tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.constructs.principals import only_for_this_account

if TYPE_CHECKING:
    from infra.catalogue import Tick
    from infra.constructs.python_function import PythonFunction
    from infra.settings import Stage

# A tick that could not be delivered within a minute is late; the next one carries the work.
MAX_TICK_AGE = Duration.seconds(60)


class TickSchedule(Construct):
    """Wakes one function at a fixed rate with ``{"schedule": name, "scheduled_time": ...}``.

    The scheduled time, not the clock of whoever runs, is the identity of a tick: it survives retries, so a tick
    delivered twice is still the same tick. On the local stage schedules exist but are disabled; the local driver
    fires them through their own target and payload.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        tick: Tick,
        target: PythonFunction,
        group: scheduler.ScheduleGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        dead_letters = target.dead_letters.queue
        role = iam.Role(
            self,
            "Role",
            assumed_by=only_for_this_account(self, "scheduler.amazonaws.com"),
            description=f"Wakes Surefill {tick.function} on stage {stage.name}",
            inline_policies={
                "wake": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["lambda:InvokeFunction"], resources=[target.function.function_arn]
                        ),
                        iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[dead_letters.queue_arn]),
                    ]
                )
            },
        )
        self.schedule = scheduler.Schedule(
            self,
            "Schedule",
            schedule_name=tick.function,
            schedule_group=group,
            schedule=scheduler.ScheduleExpression.rate(Duration.minutes(tick.every_minutes)),
            time_window=scheduler.TimeWindow.off(),
            enabled=not stage.is_local,
            description=f"Wakes {tick.function} every {tick.every_minutes} min",
            target=targets.LambdaInvoke(
                target.function,
                role=role.without_policy_updates(),
                dead_letter_queue=dead_letters,
                retry_attempts=tick.retries,
                max_event_age=MAX_TICK_AGE,
                input=scheduler.ScheduleTargetInput.from_object(
                    {"schedule": tick.function, "scheduled_time": scheduler.ContextAttribute.scheduled_time}
                ),
            ),
        )
        # The group is named, so its name is plain text to CloudFormation and would order nothing.
        self.schedule.node.add_dependency(group)
