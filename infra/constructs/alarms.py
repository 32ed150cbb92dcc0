"""Alarms with one shape: a name, a sentence for the person who is woken, one threshold, one topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns

from infra.addresses import Addresses

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import Stage

_TOPIC_ID = "AlarmTopic"


class Alarms:
    """Makes alarms inside ``scope`` that notify the stage's alarm topic.

    The topic belongs to the Data stack. It is addressed by name, so that no stack exports a value for it.
    """

    def __init__(self, scope: Construct, *, stage: Stage) -> None:
        self._scope = scope
        self._stage = stage

    @classmethod
    def of(cls, scope: Construct, *, stage: Stage) -> Alarms:
        return cls(scope, stage=stage)

    def when(
        self,
        construct_id: str,
        *,
        name: str,
        text: str,
        metric: cloudwatch.IMetric,
        above: float | None = None,
        below: float | None = None,
        periods: int = 1,
        missing: cloudwatch.TreatMissingData,
    ) -> cloudwatch.Alarm:
        """Alarm when ``metric`` is above (or below) a threshold for ``periods`` in a row.

        Raises:
            ValueError: not exactly one of ``above`` and ``below`` is given.
        """
        if (above is None) == (below is None):
            raise ValueError(f"exactly one of above and below is needed, was above={above!r} below={below!r}")
        operators = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self._scope,
            construct_id,
            alarm_name=self._stage.resource(name),
            alarm_description=text,
            metric=metric,
            threshold=above if above is not None else below or 0,
            comparison_operator=(
                operators.GREATER_THAN_THRESHOLD if above is not None else operators.LESS_THAN_THRESHOLD
            ),
            evaluation_periods=periods,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic()))
        return alarm

    def _topic(self) -> sns.ITopic:
        stack = Stack.of(self._scope)
        found = stack.node.try_find_child(_TOPIC_ID)
        if found is not None:
            return found  # type: ignore[return-value]
        return sns.Topic.from_topic_arn(stack, _TOPIC_ID, Addresses(stack, stage=self._stage).alarm_topic)
