"""What an error of DynamoDB means: come back, nobody knows, or a defect that no retry cures."""

from enum import Enum, auto
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import CancellationReason, PynamoDBException, VerboseClientError

# Everything a request through pynamodb can raise.
ERRORS = (PynamoDBException, BotoCoreError, ClientError)
CONDITION_FAILED = "ConditionalCheckFailed"
# As codes of errors and as codes of cancellation reasons: nothing was written, and the same request may pass later.
_CONTENDED = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingError",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
    }
)
_SERVER_SIDE = frozenset(
    {"InternalServerError", "InternalFailure", "ServiceUnavailable", "ServiceUnavailableException"}
)


class StoreRefusedError(RuntimeError):
    """DynamoDB refused a request for good (permission, missing table, malformed request): a defect. Nothing written."""


class Meaning(Enum):
    """What an error says about the write it answers."""

    CONDITION_FAILED = auto()
    CONTENDED = auto()
    UNAVAILABLE = auto()
    REFUSED = auto()


def root_of(error: Exception) -> Exception:
    """The botocore error inside pynamodb's wrapping."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, Exception) else error


def told(error: Exception) -> str:
    """The error with what pynamodb leaves out of its text: why each write of a transaction was cancelled."""
    reasons = [f"{reason.code} ({reason.message})" for reason in reasons_of(error) if reason is not None]
    return f"{root_of(error)} {'; '.join(reasons)}".strip()


def meaning_of(error: Exception) -> Meaning:
    """Classify an error of a request. A reply that never came, or a 5xx, is UNAVAILABLE: it may have been applied."""
    root = root_of(error)
    if not isinstance(root, ClientError):
        return Meaning.UNAVAILABLE
    code = root.response.get("Error", {}).get("Code", "")
    if code == "TransactionCanceledException":
        return _meaning_of_reasons(reasons_of(root))
    if code == f"{CONDITION_FAILED}Exception":
        return Meaning.CONDITION_FAILED
    if code in _CONTENDED:
        return Meaning.CONTENDED
    return Meaning.UNAVAILABLE if code in _SERVER_SIDE or _status(root) >= 500 else Meaning.REFUSED


def reasons_of(error: Exception) -> tuple[CancellationReason | None, ...]:
    """Why a transaction was cancelled, one entry for each write in the order of the wire (None: not its fault)."""
    root = root_of(error)
    return tuple(root.cancellation_reasons) if isinstance(root, VerboseClientError) else ()


def old_item_of(error: Exception) -> dict[str, dict[str, Any]] | None:
    """The item that a refused single write met; None when there was none."""
    # pynamodb's VerboseClientError keeps only code and text; the whole answer is in what it was raised from.
    source = root_of(error).__cause__
    item: dict[str, dict[str, Any]] | None = getattr(source, "response", {}).get("Item")
    return item or None


def _meaning_of_reasons(reasons: tuple[CancellationReason | None, ...]) -> Meaning:
    codes = {reason.code for reason in reasons if reason is not None}
    if CONDITION_FAILED in codes:
        return Meaning.CONDITION_FAILED
    # A retry is right only when nothing else than contention stood in the way.
    return Meaning.CONTENDED if codes and codes <= _CONTENDED else Meaning.REFUSED


def _status(error: ClientError) -> int:
    # pynamodb drops the metadata of the answer; the error it was raised from still has them.
    response: Any = getattr(error.__cause__, "response", error.response)
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
