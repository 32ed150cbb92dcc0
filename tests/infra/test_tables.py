"""The tables: made from the product's declaration, recoverable, protected, and forgetting only history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from surefill.adapters.dynamodb import TABLES

if TYPE_CHECKING:
    from tests.infra.conftest import Deployment

NAMES = sorted(TABLES)


def table(deployment: Deployment, name: str) -> dict[str, Any]:
    return deployment.data.named("AWS::DynamoDB::GlobalTable", deployment.stage.resource(name))


def keys(schema: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(key["AttributeName"] for key in sorted(schema, key=lambda key: key["KeyType"]))


def test_these_are_the_tables() -> None:
    assert set(NAMES) == {
        "bots", "budgets", "slots", "intents", "ledger", "journal", "accounts", "markets", "schedules", "paper",
        "exposures", "requests", "stops", "closings", "trades",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_keys_and_indexes(prod: Deployment, name: str) -> None:
    made, declared = table(prod, name), TABLES[name]
    assert keys(made["KeySchema"]) == tuple(filter(None, (declared.partition_key, declared.sort_key)))
    indexes = {
        index["IndexName"]: (*keys(index["KeySchema"]), index["Projection"]["ProjectionType"])
        for index in made.get("GlobalSecondaryIndexes", [])
    }
    assert indexes == {
        index.name: (index.partition_key, index.sort_key, index.projection) for index in declared.indexes
    }
    assert {attribute["AttributeType"] for attribute in made["AttributeDefinitions"]} == {"S"}


@pytest.mark.parametrize("name", NAMES)
def test_a_stable_stage_cannot_lose_a_table(prod: Deployment, name: str) -> None:
    made = table(prod, name)
    (replica,) = made["Replicas"]
    assert made["BillingMode"] == "PAY_PER_REQUEST"
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert replica["DeletionProtectionEnabled"] is True
    resource = next(
        resource
        for resource in prod.data.of_type("AWS::DynamoDB::GlobalTable").values()
        if resource["Properties"] is made
    )
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_a_local_stage_can_be_thrown_away(local: Deployment) -> None:
    for resource in local.data.of_type("AWS::DynamoDB::GlobalTable").values():
        assert resource["DeletionPolicy"] == "Delete"
        assert not resource["Properties"]["Replicas"][0].get("DeletionProtectionEnabled")


def test_only_history_expires(prod: Deployment) -> None:
    expiring = {name for name in NAMES if "TimeToLiveSpecification" in table(prod, name)}
    assert expiring == {"journal", "requests"}
    for name in expiring:
        assert table(prod, name)["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_what_is_told_has_a_stream(prod: Deployment) -> None:
    streams = {name: table(prod, name).get("StreamSpecification") for name in NAMES}
    assert {name: stream for name, stream in streams.items() if stream} == {
        name: {"StreamViewType": "NEW_IMAGE"} for name in ("accounts", "intents", "journal")
    }
