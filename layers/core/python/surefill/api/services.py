"""What the routes work with: the use cases, put together once per process, and who is asking."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from surefill.ports import Clock, Functions, Store
from surefill.usecases.control.accounts import AccountControl
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.directory import Directory
from surefill.usecases.control.health import Health
from surefill.usecases.control.hooks import Hooks
from surefill.usecases.control.positions import PositionControl
from surefill.usecases.control.requests import Requests
from surefill.usecases.control.stop import KillSwitch

_KEY = "services"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything behind the API."""

    store: Store
    clock: Clock
    accounts: AccountControl
    bots: BotControl
    positions: PositionControl
    directory: Directory
    stops: KillSwitch
    hooks: Hooks
    health: Health
    requests: Requests
    functions: Functions

    def as_context(self) -> dict[str, Any]:
        """As the routers find it."""
        return {_KEY: self}


def new_router() -> APIGatewayHttpRouter:
    """A router; Powertools leaves its constructor untyped."""
    return APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


def services_of(router: APIGatewayHttpRouter) -> Services:
    """The use cases of the request that is being answered."""
    found = router.context[_KEY]
    if not isinstance(found, Services):
        raise TypeError(f"the context must hold the services, held {found!r}")
    return found


def caller_of(event: dict[str, Any]) -> str:
    """The ARN of who signed the request; "unknown" where nobody signs."""
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    return str((authorizer.get("iam") or {}).get("userArn") or "unknown")
