"""The kill switch."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from surefill.api.bodies import PanicBody, ResumeBody
from surefill.api.pages import Limit, Next, cursor_of, shown_page
from surefill.api.services import caller_of, new_router, services_of
from surefill.domain.kinds import Scope
from surefill.listings import CLOSINGS_OF_STOP, STOPS_OF_SCOPE
from surefill.usecases.control.errors import RequestRefusedError
from surefill.usecases.control.stops import standing_stops
from surefill.wire import to_wire

router = new_router()
OfScope = Annotated[Scope, Query(description="stops of a bot, of an account, or of everything")]


@router.post("/panic")
def panic(body: PanicBody) -> dict[str, Any]:
    """Stop. When this is answered, no reservation commits any more in what it covers."""
    if body.scope is Scope.ALL and body.target is not None:
        raise RequestRefusedError("target", "scope all has no target")
    if body.scope is not Scope.ALL and body.target is None:
        raise RequestRefusedError("target", f"target must be the id of the {body.scope}")
    pressed = services_of(router).stops.press(
        body.kind,
        scope=body.scope,
        target=body.target or Scope.ALL,
        who=caller_of(router.current_event.raw_event),
        why=body.why,
    )
    return {**to_wire(pressed.stop), "taken_back": pressed.taken_back, "at_venue": pressed.at_venue}


@router.post("/resume")
def resume(body: ResumeBody) -> dict[str, Any]:
    """Lift a stop: what it changed is as it was before, as far as no other stop covers it."""
    who = caller_of(router.current_event.raw_event)
    return to_wire(services_of(router).stops.lift(body.stop_id, who=who, why=body.why))


@router.get("/panic")
def list_stops(scope: OfScope = Scope.ALL, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """The stops of a scope, newest first, and every stop that stands now."""
    store = services_of(router).store
    page = store.page(STOPS_OF_SCOPE, scope, limit=limit, after=cursor_of(after, sizes=(1,)))
    return {**shown_page(page), "standing": [stop.stop_id for stop in standing_stops(store)]}


@router.get("/panic/<stop_id>")
def read_stop(stop_id: str, limit: Limit = 100, after: Next = None) -> dict[str, Any]:
    """One stop, with the result of each position it closes, page by page."""
    services = services_of(router)
    stop = services.stops.stop(stop_id)
    page = services.store.page(CLOSINGS_OF_STOP, stop_id, limit=limit, after=cursor_of(after, sizes=(1,)))
    return {"stop": to_wire(stop), **shown_page(page)}
