"""Requests to the tables of one stage: sent, tried again where that is right, and their errors told in our words."""

from collections.abc import Callable
from typing import Any, TypeVar

from surefill.adapters.dynamodb.connection import SharedConnection
from surefill.adapters.dynamodb.failures import ERRORS, Meaning, StoreRefusedError, meaning_of, told
from surefill.adapters.dynamodb.models import tables_of
from surefill.adapters.dynamodb.patience import Patience
from surefill.ports import StoreUnavailableError

Answer = TypeVar("Answer")


class Gateway:
    """The tables of a stage over one connection."""

    def __init__(self, *, table_prefix: str, connection: SharedConnection, patience: Patience) -> None:
        self.connection = connection
        self.tables = tables_of(table_prefix=table_prefix, connection=connection)
        self.patience = patience

    def send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Send one raw request; see `patiently` for errors."""
        return self.patiently(lambda: self.connection.dispatch(operation, dict(request)), what=operation)

    def patiently(self, ask: Callable[[], Answer], *, what: str) -> Answer:
        """Ask again while the store is contended, until patience ends.

        Raises StoreUnavailableError (contended for too long, or no reply: what was written is not known),
        StoreRefusedError (a defect, nothing written), and the original error when a condition failed.
        """
        last: Exception | None = None
        attempts = 0
        for attempt in self.patience.attempts():
            attempts = attempt
            try:
                return ask()
            except ERRORS as error:
                match meaning_of(error):
                    case Meaning.CONTENDED:
                        last = error
                    case Meaning.CONDITION_FAILED:
                        raise
                    case Meaning.UNAVAILABLE:
                        raise StoreUnavailableError(f"{what} must be answered, was not: {told(error)}") from error
                    case Meaning.REFUSED:
                        raise StoreRefusedError(
                            f"{what} must be a request the store takes, was refused: {told(error)}"
                        ) from error
        met = told(last) if last else "nothing"
        raise StoreUnavailableError(f"{what} must pass within its time, met {attempts} times: {met}") from last
