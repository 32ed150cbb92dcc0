"""The control API: HTTP, IAM only, throttled, logged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from constructs import Construct

from infra.constructs.log_group import log_group

if TYPE_CHECKING:
    from infra.constructs.python_function import PythonFunction
    from infra.settings import Stage

# A person and a dashboard, not a crowd.
_RATE_LIMIT = 20  # requests per second
_BURST_LIMIT = 40  # requests

_ACCESS_LOG = json.dumps(
    {
        "request_id": "$context.requestId",
        "time": "$context.requestTime",
        "caller": "$context.identity.userArn",
        "source_ip": "$context.identity.sourceIp",
        "method": "$context.httpMethod",
        "path": "$context.path",
        "status": "$context.status",
        "latency_ms": "$context.responseLatency",
        "integration_error": "$context.integrationErrorMessage",
        "authorizer_error": "$context.authorizer.error",
    }
)


class ControlApi(Construct):
    """Every route needs a SigV4 signature of a principal that may call ``execute-api:Invoke``, but one.

    Charting services can't sign. Their alerts come to a route of their own, and carry a token that the function checks.
    """

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, bot_api: PythonFunction) -> None:
        super().__init__(scope, construct_id)
        self.api = gateway.HttpApi(
            self,
            "Api",
            api_name=stage.resource("control"),
            description=f"Controls the bots of stage {stage.name}",
            create_default_stage=False,
            default_authorizer=authorizers.HttpIamAuthorizer(),
        )
        integration = integrations.HttpLambdaIntegration("BotApi", bot_api.function)
        self.api.add_routes(path="/{proxy+}", methods=[gateway.HttpMethod.ANY], integration=integration)
        self.alerts = self.api.add_routes(
            path="/hooks/{bot_id}",
            methods=[gateway.HttpMethod.POST],
            integration=integration,
            authorizer=gateway.HttpNoneAuthorizer(),
        )
        access_log = log_group(self, stage=stage, name=f"/aws/vendedlogs/apis/{stage.resource('control')}")
        default_stage = gateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=gateway.ThrottleSettings(rate_limit=_RATE_LIMIT, burst_limit=_BURST_LIMIT),
        )
        resource = default_stage.node.default_child
        if not isinstance(resource, gateway.CfnStage):
            raise TypeError(f"an HTTP stage must be made of a CfnStage, was {resource!r}")
        resource.access_log_settings = gateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=Stack.of(self).format_arn(
                service="logs",
                resource="log-group",
                resource_name=access_log.log_group_name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            format=_ACCESS_LOG,
        )
        self.url = self.api.api_endpoint
