"""Accounts at venues."""

from typing import Any

from surefill.api.bodies import AccountBody
from surefill.api.pages import Limit, Next, cursor_of, shown_page
from surefill.api.services import new_router, services_of
from surefill.wire import to_wire

router = new_router()


@router.post("/accounts")
def create_account(body: AccountBody) -> dict[str, Any]:
    """Register an account at a venue."""
    return to_wire(services_of(router).accounts.create_account(**body.model_dump()))


@router.get("/accounts")
def list_accounts(limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """All accounts, with their state and the differences the last comparison found."""
    page = services_of(router).directory.account_page(limit=limit, after=cursor_of(after, sizes=(1, 2)))
    return shown_page(page)


@router.get("/accounts/<account_id>")
def read_account(account_id: str) -> dict[str, Any]:
    """One account."""
    return to_wire(services_of(router).accounts.account(account_id))
