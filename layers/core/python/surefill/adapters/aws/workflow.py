"""The order workflow on Step Functions: executions named after the intents they carry."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from surefill.domain.identity import execution_name
from surefill.domain.rows import Intent, Leg
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
        try:
            self._step_functions.start_execution(stateMachineArn=self._arn, name=name, input=body)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionAlreadyExists":
                return False
            raise StoreUnavailableError(f"workflow of intent {intent.intent_id} did not start: {error}") from error
        except BotoCoreError as error:
            raise StoreUnavailableError(f"workflow of intent {intent.intent_id} did not start: {error}") from error
        return True
