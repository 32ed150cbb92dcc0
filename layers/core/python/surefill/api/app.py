"""The HTTP API: all routes, and how every refusal is answered."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from surefill.api.problems import CONTENT_TYPE, problem
from surefill.api.routes import ROUTERS
from surefill.domain.money import AmountError
from surefill.ports import StoreUnavailableError
from surefill.usecases.control.errors import RequestRefusedError


def make_app(*, logger: Logger) -> APIGatewayHttpResolver:
    """The resolver with all routes. What no route foresees is logged and answered as a problem too."""
    app = APIGatewayHttpResolver(enable_validation=True)
    for router in ROUTERS:
        app.include_router(router)

    def no_route(error: NoRouteError) -> Response[str]:
        method, path = app.current_event.http_method.upper(), app.current_event.path
        allowed = allowed_methods(app, path)
        if allowed:
            message = f"{path} takes {', '.join(allowed)}, not {method}"
            return _answer(405, field="method", message=message, allow=allowed)
        return _answer(404, field="path", message=f"there is no {path}: see docs/api")

    def unavailable(error: StoreUnavailableError) -> Response[str]:
        logger.error("unavailable", extra={"error": str(error)})
        return _answer(503, field="", message="the service is busy, try again")

    def unforeseen(error: Exception) -> Response[str]:
        logger.exception("request failed")
        return _answer(500, field="", message="the service failed; what happened is in its log")

    app.exception_handler(NoRouteError)(no_route)
    app.exception_handler(StoreUnavailableError)(unavailable)
    app.exception_handler(RequestValidationError)(_invalid_shape)
    app.exception_handler(RequestRefusedError)(_refused)
    app.exception_handler(AmountError)(_bad_amount)
    app.exception_handler(Exception)(unforeseen)
    return app


def allowed_methods(app: APIGatewayHttpResolver, path: str) -> list[str]:
    """The methods that some route takes at a path. Reads private lists of Powertools 3.37; a test guards them."""
    routes = [*app._static_routes, *app._dynamic_routes]
    return sorted({route.method for route in routes if route.rule.match(path)})


def _invalid_shape(error: RequestValidationError) -> Response[str]:
    """The request does not have the shape of its route."""
    first = error.errors()[0]
    # Positions in the text of a body that is no JSON are numbers; fields have names.
    where = [str(part) for part in first["loc"] if part not in ("body", "query") and not isinstance(part, int)]
    return _answer(422, field=".".join(where) or "body", message=str(first["msg"]))


def _refused(error: RequestRefusedError) -> Response[str]:
    """The request can't be done as asked."""
    return _answer(error.status, field=error.field, message=str(error))


def _bad_amount(error: AmountError) -> Response[str]:
    """An amount that is none."""
    return _answer(422, field="amount", message=str(error))


def _answer(status: int, *, field: str, message: str, allow: list[str] | None = None) -> Response[str]:
    return Response(
        status_code=status,
        content_type=CONTENT_TYPE,
        body=problem(status=status, field=field, message=message),
        headers={"Allow": ", ".join(allow)} if allow else {},
    )
