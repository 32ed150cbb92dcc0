"""bot_api: the operator's HTTP API. Checks the shape of a request, calls one use case, answers JSON."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from surefill.adapters.aws.clients import LateClient
from surefill.adapters.aws.queue import SqsQueue
from surefill.adapters.aws.workflow import OrderWorkflow
from surefill.api.bodies import AccountBody, AmountBody, BotBody, BudgetBody, CloseBody
from surefill.api.problems import problem
from surefill.composition import Base, base
from surefill.domain.money import AmountError
from surefill.domain.rows import Account, Bot, BotState, Budget, ScheduleRow
from surefill.domain.states import SlotState
from surefill.ports import StoreUnavailableError
from surefill.settings import required
from surefill.strategies import STRATEGIES
from surefill.usecases.control.accounts import AccountControl
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.errors import RequestRefusedError
from surefill.wire import to_wire

logger = Logger()
metrics = Metrics()
app = APIGatewayHttpResolver(enable_validation=True)

_VERBS = {"start": BotState.ACTIVE, "pause": BotState.PAUSED, "drain": BotState.DRAINING, "halt": BotState.HALTED}


@cache
def build() -> tuple[Base, AccountControl, BotControl]:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    accounts = AccountControl(
        store=common.store, clock=common.clock, observer=common.observer, venues=sorted(common.settings.venues)
    )
    bots = BotControl(
        store=common.store,
        queue=SqsQueue(sqs=LateClient("sqs"), url=required("EVALUATIONS_QUEUE_URL")),
        workflow=OrderWorkflow(step_functions=LateClient("stepfunctions"), arn=required("ORDER_WORKFLOW_ARN")),
        clock=common.clock,
        observer=common.observer,
    )
    return common, accounts, bots


@app.post("/accounts")
def create_account(body: AccountBody) -> dict[str, Any]:
    """Register an account at a venue."""
    return to_wire(build()[1].create_account(**body.model_dump()))


@app.get("/accounts")
def list_accounts() -> list[dict[str, Any]]:
    """All accounts."""
    return [to_wire(account) for account in build()[0].store.all_rows(Account)]


@app.get("/accounts/<account_id>")
def read_account(account_id: str) -> dict[str, Any]:
    """One account."""
    return to_wire(build()[1].account(account_id))


@app.post("/budgets")
def create_budget(body: BudgetBody) -> dict[str, Any]:
    """Set money of an account aside for bots."""
    return to_wire(build()[1].create_budget(**body.model_dump()))


@app.get("/budgets")
def list_budgets() -> list[dict[str, Any]]:
    """All budgets."""
    return [to_wire(budget) for budget in build()[0].store.all_rows(Budget)]


@app.get("/budgets/<budget_id>")
def read_budget(budget_id: str) -> dict[str, Any]:
    """One budget."""
    return to_wire(build()[1].budget(budget_id))


@app.post("/budgets/<budget_id>/fund")
def fund_budget(budget_id: str, body: AmountBody) -> dict[str, Any]:
    """Add money to a budget, once per request id."""
    return to_wire(build()[1].fund(budget_id, amount=body.amount, request_id=body.request_id))


@app.post("/budgets/<budget_id>/withdraw")
def withdraw_budget(budget_id: str, body: AmountBody) -> dict[str, Any]:
    """Take free money out of a budget, once per request id."""
    return to_wire(build()[1].withdraw(budget_id, amount=body.amount, request_id=body.request_id))


@app.post("/budgets/<budget_id>/entries/<switch>")
def switch_entries(budget_id: str, switch: str) -> dict[str, Any]:
    """Stop ("off") or allow ("on") entries from a budget."""
    if switch not in ("on", "off"):
        raise RequestRefusedError("switch", f"switch must be on or off, was {switch!r}")
    return to_wire(build()[1].switch_entries(budget_id, allowed=switch == "on"))


@app.post("/bots")
def create_bot(body: BotBody) -> dict[str, Any]:
    """Create a bot; it is paused until started."""
    return to_wire(build()[2].create(body.spec()))


@app.get("/bots")
def list_bots() -> list[dict[str, Any]]:
    """All bots."""
    return [to_wire(bot) for bot in build()[0].store.all_rows(Bot)]


@app.get("/bots/<bot_id>")
def read_bot(bot_id: str) -> dict[str, Any]:
    """One bot with its places on its symbols."""
    bots = build()[2]
    bot = bots.bot(bot_id)
    return {**to_wire(bot), "slots": [to_wire(slot) for slot in bots.slots(bot)]}


@app.delete("/bots/<bot_id>")
def delete_bot(bot_id: str) -> dict[str, Any]:
    """Delete a bot that holds nothing."""
    build()[2].delete(bot_id)
    return {"bot_id": bot_id, "deleted": True}


@app.post("/bots/<bot_id>/<verb>")
def change_bot(bot_id: str, verb: str) -> dict[str, Any]:
    """start, pause, drain or halt a bot."""
    if verb not in _VERBS:
        raise RequestRefusedError("verb", f"verb must be one of {', '.join(_VERBS)}, was {verb!r}")
    return to_wire(build()[2].set_state(bot_id, state=_VERBS[verb]))


@app.get("/bots/<bot_id>/decisions")
def bot_decisions(bot_id: str) -> list[dict[str, Any]]:
    """The bot's newest changes of decision, risk and exit events."""
    bots = build()[2]
    return [to_wire(entry) for entry in build()[0].store.journal_of(bots.bot(bot_id).bot_id)]


@app.get("/bots/<bot_id>/orders")
def bot_orders(bot_id: str) -> list[dict[str, Any]]:
    """The bot's newest orders, with their fills."""
    bots = build()[2]
    return [to_wire(intent) for intent in build()[0].store.intents_of_bot(bots.bot(bot_id).bot_id)]


@app.get("/positions")
def positions() -> list[dict[str, Any]]:
    """Every place that holds a position or has an order under way."""
    common, _, bots = build()
    slots = (slot for bot in common.store.all_rows(Bot) for slot in bots.slots(bot))
    return [to_wire(slot) for slot in slots if slot.state is not SlotState.EMPTY]


@app.post("/positions/close")
def close_position(body: CloseBody) -> dict[str, Any]:
    """Sell a position now; asking twice is one sale."""
    return to_wire(build()[2].close(body.bot_id, symbol=body.symbol))


@app.get("/strategies")
def strategies() -> dict[str, Any]:
    """The installed strategies with the JSON Schema of their parameters."""
    return {name: strategy.Params.model_json_schema() for name, strategy in sorted(STRATEGIES.items())}


@app.get("/status")
def status() -> dict[str, Any]:
    """When each schedule last finished."""
    store = build()[0].store
    names = ("dispatch", "watch_exits", "reconcile", "sync_account", "refresh_markets")
    rows = {name: store.get(ScheduleRow, name) for name in names}
    return {"schedules": {name: to_wire(row) if row else None for name, row in rows.items()}}


def invalid_shape(error: RequestValidationError) -> Response[str]:
    """The request does not have the shape of its route."""
    first = error.errors()[0]
    # Positions in the text of a body that is no JSON are numbers; fields have names.
    where = [str(part) for part in first["loc"] if part != "body" and not isinstance(part, int)]
    return _answer(422, field=".".join(where) or "body", message=str(first["msg"]))


def refused(error: RequestRefusedError) -> Response[str]:
    """The request can't be done as asked."""
    return _answer(error.status, field=error.field, message=str(error))


def bad_amount(error: AmountError) -> Response[str]:
    """An amount that is none."""
    return _answer(422, field="amount", message=str(error))


def unavailable(error: StoreUnavailableError) -> Response[str]:
    """The tables or queues did not answer; nothing is known to have changed."""
    logger.error("unavailable", extra={"error": str(error)})
    return _answer(503, field="", message="the service is busy, try again")


def _answer(status: int, *, field: str, message: str) -> Response[str]:
    return Response(
        status_code=status,
        content_type=content_types.APPLICATION_JSON,
        body=problem(status=status, field=field, message=message),
    )


for kind, answer in (
    (RequestValidationError, invalid_shape),
    (RequestRefusedError, refused),
    (AmountError, bad_amount),
    (StoreUnavailableError, unavailable),
):
    app.exception_handler(kind)(answer)


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one HTTP request."""
    build()[0].clock.refresh()
    return app.resolve(event, context)


startup.finish()
