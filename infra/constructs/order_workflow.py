"""The order workflow: claim, place, settle. Its definition is ``infra/workflows/order.asl.json``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.constructs.workflow import Workflow

if TYPE_CHECKING:
    from constructs import Construct

    from infra.constructs.python_function import PythonFunction
    from infra.settings import Stage

DEFINITION = Path(__file__).resolve().parent.parent / "workflows" / "order.asl.json"


class OrderWorkflow(Workflow):
    """Its executions are named after the intents they carry: the first of the three guards against a second order."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        claim_order: PythonFunction,
        place_order: PythonFunction,
        settle_order: PythonFunction,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            stage=stage,
            name="order",
            definition=DEFINITION,
            functions={"ClaimOrderArn": claim_order, "PlaceOrderArn": place_order, "SettleOrderArn": settle_order},
            failed="quarantined, or settling itself is broken",
        )
