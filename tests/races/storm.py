"""What DynamoDB does to busy clients and no local engine does: conflicts, throttling, server errors, lost replies.

Put in at botocore's last step before the wire, drawn from a seed for each client and round.
"""

import json
import time
from collections import Counter
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from surefill.adapters.dynamodb import SharedConnection
from tests.contract.faults import cancelled, error, lost_reply, never_sent

if TYPE_CHECKING:
    from collections.abc import Callable

# Chances per request.
CHANCES = {"conflict": 0.08, "throttle": 0.05, "lost reply": 0.05, "never sent": 0.02, "server error": 0.02}
_HURRY = 20
_NONE: dict[str, Any] = {"Code": "None"}
_CONFLICT = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}


def shorten_pauses() -> None:
    """In this process botocore waits a twentieth before it sends again: the pauses (up to a second) prove nothing."""
    hurried: Any = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / _HURRY), time=time.time)
    module: Any = botocore.endpoint
    module.time = hurried


class Storm:
    """The weather between one client and DynamoDB; calm until `begin`."""

    def __init__(self, connection: SharedConnection) -> None:
        client: Any = connection.client
        self.send: Callable[[AWSPreparedRequest], AWSResponse] = client._endpoint.http_session.send
        self.fired: Counter[str] = Counter()
        self._random: Random | None = None
        client.meta.events.register("before-send.dynamodb", self.before_send)

    def begin(self, seed: str) -> None:
        """From here on requests meet faults, the same ones for the same seed and the same requests."""
        self._random = Random(seed)

    def end(self) -> None:
        """Calm again."""
        self._random = None

    def before_send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        """Botocore's hook: an answer instead of the request's own, or None to let it go."""
        if self._random is None:
            return None
        drawn = self._random.random()
        for name, chance in CHANCES.items():
            drawn -= chance
            if drawn < 0:
                return self._fault(name, request)
        return None

    def _fault(self, name: str, request: AWSPreparedRequest) -> AWSResponse | None:
        assert self._random is not None
        operation = _operation(request)
        self.fired[name] += 1
        wire: Any = self
        match name:
            case "conflict" if operation == "TransactWriteItems":
                count = len(json.loads(cast("bytes", request.body))["TransactItems"])
                reasons = [_NONE] * count
                reasons[self._random.randrange(count)] = _CONFLICT
                return cancelled(*reasons)(wire, request)
            case "conflict" if operation in ("UpdateItem", "PutItem"):
                return error("TransactionConflictException")(wire, request)
            case "conflict" | "throttle":
                return error("ProvisionedThroughputExceededException")(wire, request)
            case "lost reply":
                return lost_reply(wire, request)
            case "never sent":
                return never_sent(wire, request)
            case "server error":
                # A 5xx proves nothing: half of them come after the write.
                if self._random.random() < 0.5:
                    self.send(request)
                return error("InternalServerError", status=500)(wire, request)
        raise AssertionError(f"a fault must be one of {list(CHANCES)}, was {name!r}")


def _operation(request: AWSPreparedRequest) -> str:
    target: str | bytes = cast("Any", request.headers["X-Amz-Target"])
    text = target.decode() if isinstance(target, bytes) else target
    return text.rpartition(".")[2]
