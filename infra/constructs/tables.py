"""The tables of a stage, made from the product's own declaration of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from surefill.adapters.dynamodb import TABLES

if TYPE_CHECKING:
    from infra.settings import Stage
    from surefill.adapters.dynamodb.schema import IndexSchema, TableSchema

_PROJECTIONS = {"ALL": dynamodb.ProjectionType.ALL, "KEYS_ONLY": dynamodb.ProjectionType.KEYS_ONLY}


class Tables(Construct):
    """On-demand tables with point-in-time recovery; protected against deletion where the stage is stable."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self.by_name = {name: self._table(table) for name, table in TABLES.items()}

    def _table(self, table: TableSchema) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            table.name.title(),
            table_name=self._stage.resource(table.name),
            partition_key=_string(table.partition_key),
            sort_key=_string(table.sort_key) if table.sort_key else None,
            billing=dynamodb.Billing.on_demand(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._stage.is_stable,
            removal_policy=RemovalPolicy.RETAIN if self._stage.is_stable else RemovalPolicy.DESTROY,
            global_secondary_indexes=[_index(index) for index in table.indexes] or None,
            time_to_live_attribute=table.ttl_attribute,
            dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE if table.stream else None,
        )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _index(index: IndexSchema) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=index.name,
        partition_key=_string(index.partition_key),
        sort_key=_string(index.sort_key),
        projection_type=_PROJECTIONS[index.projection],
    )
