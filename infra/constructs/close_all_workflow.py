"""The workflow of the kill switch: close positions, a few at a time. See ``infra/workflows/close_all.asl.json``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.constructs.workflow import Workflow

if TYPE_CHECKING:
    from constructs import Construct

    from infra.constructs.python_function import PythonFunction
    from infra.settings import Stage

DEFINITION = Path(__file__).resolve().parent.parent / "workflows" / "close_all.asl.json"


class CloseAllWorkflow(Workflow):
    """Its executions are named after the stop and the part of its positions they close."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, close_position: PythonFunction) -> None:
        super().__init__(
            scope,
            construct_id,
            stage=stage,
            name="close_all",
            definition=DEFINITION,
            functions={"ClosePositionArn": close_position},
            failed="some positions may not have been closed, look at the stop's results",
        )
