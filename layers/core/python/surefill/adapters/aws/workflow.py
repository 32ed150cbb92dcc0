"""The workflows on Step Functions: executions named after what they carry, so that each is started once."""

import json
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from surefill.domain.identity import execution_name
from surefill.domain.kinds import Leg
from surefill.domain.records import Closing
from surefill.domain.rows import Intent
from surefill.ports import StoreUnavailableError
from surefill.wire import to_wire


class OrderWorkflow:
    """Starts Standard executions; their names make a second start of the same signal impossible for 90 days."""

    def __init__(self, *, step_functions: Any, arn: str) -> None:
        self._step_functions = step_functions
        self._arn = arn

    def start(self, intent: Intent) -> bool:
        """Start the execution; False when one of this name exists."""
        name = execution_name(intent_id=intent.intent_id, is_exit=intent.leg is Leg.EXIT, tick=intent.tick)
        body = json.dumps({"intent_id": intent.intent_id, "intent": to_wire(intent)})
        return _start(self._step_functions, arn=self._arn, name=name, body=body)


class CloseAllWorkflow:
    """Starts the workflow that closes positions; each item names one row of `closings`."""

    def __init__(self, *, step_functions: Any, arn: str) -> None:
        self._step_functions = step_functions
        self._arn = arn

    def start_closing(self, name: str, closings: Sequence[Closing]) -> bool:
        """Start the execution; False when one of this name exists."""
        positions = [{"stop_id": one.stop_id, "position_key": one.position_key} for one in closings]
        body = json.dumps({"positions": positions})
        return _start(self._step_functions, arn=self._arn, name=name, body=body)


def _start(step_functions: Any, *, arn: str, name: str, body: str) -> bool:
    try:
        step_functions.start_execution(stateMachineArn=arn, name=name, input=body)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ExecutionAlreadyExists":
            return False
        raise StoreUnavailableError(f"workflow {name} did not start: {error}") from error
    except BotoCoreError as error:
        raise StoreUnavailableError(f"workflow {name} did not start: {error}") from error
    return True
