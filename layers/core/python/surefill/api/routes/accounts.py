"""Accounts at venues."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from surefill.api.bodies import AccountBody, ImportBody
from surefill.api.pages import Limit, Next, cursor_of, shown_page
from surefill.api.services import new_router, services_of
from surefill.domain.times import format_time
from surefill.listings import TRADES_OF_ACCOUNT
from surefill.usecases.control.imports import request_import
from surefill.usecases.control.lists import filtered
from surefill.wire import to_wire

router = new_router()
Symbol = Annotated[str | None, Query(max_length=200, description="only those of this symbol")]


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


@router.delete("/accounts/<account_id>")
def delete_account(account_id: str) -> dict[str, Any]:
    """Delete an account that never had a budget."""
    services_of(router).accounts.delete_account(account_id)
    return {"account_id": account_id, "deleted": True}


@router.post("/accounts/<account_id>/import")
def import_trades(account_id: str, body: ImportBody) -> dict[str, Any]:
    """Read a live account's past trades from its venue; `imports` of the account tells how far that is."""
    services = services_of(router)
    asked = request_import(
        services.accounts.account(account_id),
        symbols=body.symbols,
        since=body.since,
        store=services.store,
        functions=services.functions,
        now=services.clock.now(),
    )
    return {
        "account_id": account_id,
        "started": True,
        "symbols": list(asked.symbols),
        "since": format_time(asked.since),
    }


@router.get("/accounts/<account_id>/trades")
def account_trades(account_id: str, symbol: Symbol = None, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """The imported trades of an account under their venue's ids, newest first; `ours` is the order of a bot."""
    services = services_of(router)
    services.accounts.account(account_id)
    page = filtered(
        services.store,
        TRADES_OF_ACCOUNT,
        account_id,
        keep=lambda trade: symbol is None or trade.symbol == symbol,
        limit=limit,
        after=cursor_of(after, sizes=(1,)),
    )
    return shown_page(page)
