"""What we rely on inside pynamodb 6.1: one client for all tables, short timeouts, and no request nobody asked for.

These tests are meant to fail when an upgrade of pynamodb moves what the adapter overrides.
"""

import subprocess
import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from pynamodb.connection import Connection
from pynamodb.exceptions import CancellationReason, VerboseClientError

from surefill.adapters.dynamodb import TABLES, ApiCall, DynamoStore, Patience, SharedConnection
from surefill.adapters.dynamodb.failures import Meaning, StoreRefusedError, meaning_of, old_item_of
from surefill.adapters.dynamodb.schema import table_request
from surefill.domain.rows import Bot, Budget, Slot


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def made(store: DynamoStore) -> Any:
    """The client behind a store."""
    return store._gateway.connection.client


def test_all_tables_share_one_connection_and_one_client() -> None:
    store = DynamoStore(table_prefix="surefill-test-")
    tables = store._gateway.tables
    assert tables.keys() == TABLES.keys()
    assert {table.table_name for table in tables.values()} == {f"surefill-test-{name}" for name in TABLES}
    assert {id(table.connection) for table in tables.values()} == {id(store._gateway.connection)}
    assert len({id(table.connection.client) for table in tables.values()}) == 1


def test_two_stages_in_one_process_do_not_mix() -> None:
    one, two = DynamoStore(table_prefix="surefill-one-"), DynamoStore(table_prefix="surefill-two-")
    assert one._gateway.tables["bots"].table_name == "surefill-one-bots"
    assert two._gateway.tables["bots"].table_name == "surefill-two-bots"


def test_timeouts_are_short_and_resends_few() -> None:
    config = made(DynamoStore(table_prefix="surefill-test-")).meta.config
    assert (config.connect_timeout, config.read_timeout) == (1.0, 3.0)
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 2)


def test_the_endpoint_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert made(DynamoStore(table_prefix="surefill-test-")).meta.endpoint_url == "http://127.0.0.1:4566"


def test_one_read_is_one_request_and_capacity_is_asked_for_only_when_counted() -> None:
    with mock_aws():
        connection = SharedConnection()
        client: Any = connection.client
        for schema in TABLES.values():
            client.create_table(**table_request(schema, table_prefix="surefill-test-"))
        sent: list[tuple[str, str | None]] = []

        def watch(params: dict[str, Any], model: Any, **_: Any) -> None:
            sent.append((model.name, params.get("ReturnConsumedCapacity")))

        client.meta.events.register("provide-client-params.dynamodb", watch)
        calls: list[ApiCall] = []
        store = DynamoStore(table_prefix="surefill-test-", connection=connection)
        assert store.get(Bot, "b") is None
        connection.on_call = calls.append
        assert store.get(Slot, "m", "o") is None
        assert sent == [("GetItem", "NONE"), ("GetItem", "TOTAL")]
        assert [call.operation for call in calls] == ["GetItem"]


def test_a_failed_request_is_counted_too() -> None:
    with mock_aws():
        calls: list[ApiCall] = []
        store = DynamoStore(table_prefix="surefill-none-", on_call=calls.append)
        with pytest.raises(StoreRefusedError, match="ResourceNotFoundException"):
            store.get(Budget, "b")
        assert calls == [ApiCall(operation="GetItem", units=0.0)]


def test_nothing_heavy_is_imported() -> None:
    heavy = ("boto3", "pydantic", "ccxt", "requests", "numpy", "moto", "aws_lambda_powertools")
    code = f"import sys, surefill.adapters.dynamodb; print([name for name in {heavy} if name in sys.modules])"
    path = ":".join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    assert done.stdout.strip() == "[]"


def raised(response: dict[str, Any], *, reasons: list[CancellationReason | None] | None = None) -> VerboseClientError:
    """An error as pynamodb raises it: its own, from botocore's."""
    source = ClientError(response, "Operation")  # type: ignore[arg-type]
    wrapped = VerboseClientError({"Error": response["Error"]}, "Operation", cancellation_reasons=reasons or [])
    wrapped.__cause__ = source
    return wrapped


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("ConditionalCheckFailedException", 400, Meaning.CONDITION_FAILED),
        ("TransactionConflictException", 400, Meaning.CONTENDED),
        ("TransactionInProgressException", 400, Meaning.CONTENDED),
        ("ProvisionedThroughputExceededException", 400, Meaning.CONTENDED),
        ("ThrottlingException", 400, Meaning.CONTENDED),
        ("InternalServerError", 500, Meaning.UNAVAILABLE),
        ("SomethingNew", 503, Meaning.UNAVAILABLE),
        ("ValidationException", 400, Meaning.REFUSED),
        ("AccessDeniedException", 400, Meaning.REFUSED),
        ("IdempotentParameterMismatchException", 400, Meaning.REFUSED),
    ],
)
def test_what_an_error_means(code: str, status: int, meaning: Meaning) -> None:
    error = raised({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}})
    assert meaning_of(error) is meaning


@pytest.mark.parametrize(
    ("codes", "meaning"),
    [
        (["TransactionConflict", None], Meaning.CONTENDED),
        (["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"], Meaning.CONTENDED),
        (["TransactionConflict", "ConditionalCheckFailed"], Meaning.CONDITION_FAILED),
        (["TransactionConflict", "ValidationError"], Meaning.REFUSED),
        ([None, None], Meaning.REFUSED),
        ([], Meaning.REFUSED),
    ],
)
def test_a_cancellation_means_what_all_its_reasons_mean(codes: list[str | None], meaning: Meaning) -> None:
    reasons = [CancellationReason(code) if code else None for code in codes]
    error = raised({"Error": {"Code": "TransactionCanceledException"}}, reasons=reasons)
    assert meaning_of(error) is meaning


def test_the_row_a_refused_write_met_is_found_behind_pynamodbs_error() -> None:
    item = {"budget_id": {"S": "b"}}
    assert old_item_of(raised({"Error": {"Code": "ConditionalCheckFailedException"}, "Item": item})) == item
    assert old_item_of(raised({"Error": {"Code": "ConditionalCheckFailedException"}})) is None


def test_pynamodb_still_has_what_is_overridden() -> None:
    assert "dispatch" in vars(Connection)
    assert "add_meta_table" in vars(Connection)


def test_patience_pauses_longer_each_time_and_ends_in_time() -> None:
    pauses: list[float] = []
    patience = Patience(
        deadline=3.0, timer=lambda: sum(pauses), sleep=pauses.append, jitter=lambda: 1.0, longest_pause=0.4
    )
    assert len(list(patience.attempts())) == len(pauses) + 1
    assert pauses[:6] == [0.025, 0.05, 0.1, 0.2, 0.4, 0.4]
    assert 2.6 < sum(pauses) <= 3.0


def test_without_patience_there_is_one_attempt() -> None:
    assert list(Patience(deadline=-1.0).attempts()) == [1]
