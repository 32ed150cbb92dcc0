"""How people and programs control the bots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput, Stack

from infra.addresses import Addresses
from infra.catalogue import FUNCTIONS, function
from infra.constructs.control_api import ControlApi
from infra.constructs.python_function import Layers, PythonFunction, grants_for
from infra.stacks.trading import API_FUNCTION

if TYPE_CHECKING:
    from constructs import Construct

    from infra.code import CodeSource
    from infra.settings import Stage


class ControlStack(Stack):
    """The HTTP API and the one function behind it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        code: CodeSource,
        evaluations_queue_url: str,
        **kwargs: object,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)  # type: ignore[arg-type]
        spec = function(API_FUNCTION)
        self.bot_api = PythonFunction(
            self,
            "BotApi",
            stage=stage,
            spec=spec,
            code=code,
            layers=Layers(self, "Layers", stage=stage, code=code),
            environment={
                "EVALUATIONS_QUEUE_URL": evaluations_queue_url,
                "DEAD_LETTERS_OF": ",".join(spec.name for spec in FUNCTIONS),
                "ORDER_WORKFLOW_ARN": Addresses(self, stage=stage).order_workflow,
                "CLOSE_ALL_WORKFLOW_ARN": Addresses(self, stage=stage).close_all_workflow,
            },
            grants=grants_for(self, stage=stage, spec=spec),
        )
        self.control = ControlApi(self, "Control", stage=stage, bot_api=self.bot_api)
        CfnOutput(self, "ApiUrl", value=self.control.url)
        CfnOutput(self, "BotApiFunctionName", value=self.bot_api.function.function_name)
