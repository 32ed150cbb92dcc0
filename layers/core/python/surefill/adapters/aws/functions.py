"""Other functions of the stage, invoked by their physical names."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from surefill.ports import StoreUnavailableError


class LambdaFunctions:
    """Invokes `surefill-<stage>-<name>`. Asking waits for the answer, waking does not."""

    def __init__(self, *, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def ask(self, name: str, event: Mapping[str, object]) -> Mapping[str, object]:
        """The function's answer; StoreUnavailableError when it failed or did not answer."""
        answer = self._invoke(name, event, kind="RequestResponse")
        body = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise StoreUnavailableError(f"{name} failed: {body[:300]!r}")
        told: Mapping[str, object] = json.loads(body)
        return told

    def wake(self, name: str, event: Mapping[str, object]) -> None:
        """Start the function; StoreUnavailableError when the call was not taken."""
        self._invoke(name, event, kind="Event")

    def _invoke(self, name: str, event: Mapping[str, object], *, kind: str) -> Any:
        function = f"{self._prefix}{name}"
        try:
            return self._client.invoke(FunctionName=function, InvocationType=kind, Payload=json.dumps(event).encode())
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailableError(f"{name} could not be invoked: {error}") from error
