"""Budgets: money of an account for bots, and every change of it."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from surefill.api.bodies import AmountBody, BudgetBody, LimitsBody, ShrinkBody
from surefill.api.pages import Limit, Next, cursor_of, shown_page
from surefill.api.services import new_router, services_of
from surefill.listings import LEDGER_OF_BUDGET
from surefill.usecases.control.errors import RequestRefusedError
from surefill.usecases.control.lists import filtered
from surefill.wire import to_wire

router = new_router()
Account = Annotated[str | None, Query(max_length=200, description="only those of this account")]


@router.post("/budgets")
def create_budget(body: BudgetBody) -> dict[str, Any]:
    """Set money of an account aside for bots."""
    accounts = services_of(router).accounts
    return to_wire(
        accounts.create_budget(account_id=body.account_id, name=body.name, amount=body.amount, limits=body.limits())
    )


@router.get("/budgets")
def list_budgets(account: Account = None, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """The budgets of one account or of all."""
    directory = services_of(router).directory
    page = directory.budget_page(account_id=account, limit=limit, after=cursor_of(after, sizes=(1, 2)))
    return shown_page(page)


@router.get("/budgets/<budget_id>")
def read_budget(budget_id: str) -> dict[str, Any]:
    """One budget."""
    return to_wire(services_of(router).accounts.budget(budget_id))


@router.patch("/budgets/<budget_id>")
def change_budget(budget_id: str, body: LimitsBody) -> dict[str, Any]:
    """Change a budget's limits; null takes one away."""
    return to_wire(services_of(router).accounts.change_limits(budget_id, body.changes()))


@router.post("/budgets/<budget_id>/fund")
def fund_budget(budget_id: str, body: AmountBody) -> dict[str, Any]:
    """Add money of the account to a budget, once per request id."""
    accounts = services_of(router).accounts
    return to_wire(accounts.fund(budget_id, amount=body.amount, request_id=_request_id(body.request_id)))


@router.post("/budgets/<budget_id>/withdraw")
def withdraw_budget(budget_id: str, body: AmountBody) -> dict[str, Any]:
    """Take free money out of a budget, once per request id."""
    accounts = services_of(router).accounts
    return to_wire(accounts.withdraw(budget_id, amount=body.amount, request_id=_request_id(body.request_id)))


@router.post("/budgets/<budget_id>/shrink")
def shrink_budget(budget_id: str, body: ShrinkBody) -> dict[str, Any]:
    """Take free money out of a budget until so much of its funds is left."""
    accounts = services_of(router).accounts
    return to_wire(accounts.shrink(budget_id, to=body.to, request_id=_request_id(body.request_id)))


@router.post("/budgets/<budget_id>/entries/<switch>")
def switch_entries(budget_id: str, switch: str) -> dict[str, Any]:
    """Stop ("off") or allow ("on") entries from a budget."""
    if switch not in ("on", "off"):
        raise RequestRefusedError("switch", f"switch must be on or off, was {switch!r}")
    return to_wire(services_of(router).accounts.switch_entries(budget_id, allowed=switch == "on"))


@router.get("/budgets/<budget_id>/ledger")
def ledger(budget_id: str, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """Every change of a budget, in the order of its keys (the order's id, then what happened to it)."""
    services = services_of(router)
    services.accounts.budget(budget_id)
    return shown_page(services.store.page(LEDGER_OF_BUDGET, budget_id, limit=limit, after=cursor_of(after, sizes=(1,))))


@router.get("/budgets/<budget_id>/dust")
def dust(budget_id: str, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """What was left over by sales and is too small to be sold: ledger entries with a quantity of dust."""
    services = services_of(router)
    services.accounts.budget(budget_id)
    start = cursor_of(after, sizes=(1,))
    page = filtered(
        services.store, LEDGER_OF_BUDGET, budget_id, keep=lambda entry: bool(entry.dust), limit=limit, after=start
    )
    return shown_page(page)


def _request_id(given: str | None) -> str:
    headers = router.current_event.headers
    request_id = given or headers.get("idempotency-key")
    if not request_id:
        raise RequestRefusedError("request_id", "give a request_id or an Idempotency-Key: money moves once per id")
    return request_id[:64]
