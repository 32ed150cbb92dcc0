"""One connection, hence one botocore client, for all tables; it can report what every request cost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.connection import Connection

CONNECT_TIMEOUT = 1.0  # seconds
READ_TIMEOUT = 3.0  # seconds
# One resend by botocore for lost replies and throttling; a transaction carries its token, so both count once.
_RETRIES: Any = {"mode": "standard", "total_max_attempts": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One request to DynamoDB: what was asked, and the capacity units it consumed (0 when it failed)."""

    operation: str
    units: float


OnCall = Callable[[ApiCall], None]


class SharedConnection(Connection):
    """pynamodb's connection with short timeouts and few resends; the endpoint comes from the AWS environment.

    Capacity is asked for only while somebody listens (`on_call`): pynamodb by itself would with every request.
    """

    def __init__(
        self, *, on_call: OnCall | None = None, endpoint_url: str | None = None, region: str | None = None
    ) -> None:
        super().__init__(
            region=region,
            host=endpoint_url,
            connect_timeout_seconds=CONNECT_TIMEOUT,
            read_timeout_seconds=READ_TIMEOUT,
            retry_configuration=_RETRIES,
        )
        self.on_call = on_call

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Send one request. Raises pynamodb's VerboseClientError or a BotoCoreError."""
        listener = self.on_call
        operation_kwargs["ReturnConsumedCapacity"] = "TOTAL" if listener else "NONE"
        units = 0.0
        try:
            answer: dict[str, Any] = super().dispatch(operation_name, operation_kwargs)
            units = _units(answer)
            return answer
        finally:
            if listener:
                listener(ApiCall(operation=operation_name, units=units))


def _units(answer: Mapping[str, Any]) -> float:
    consumed = answer.get("ConsumedCapacity") or []
    tables = [consumed] if isinstance(consumed, Mapping) else consumed
    return sum(float(table.get("CapacityUnits", 0)) for table in tables)
