"""Finds accounts, budgets and bots without reading a table whole: venue by venue, account by account."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from surefill.domain.rows import Account, Bot, Budget
from surefill.listings import (
    ACCOUNTS_OF_VENUE,
    BOTS_OF_ACCOUNT,
    BUDGETS_OF_ACCOUNT,
    AnyRow,
    Cursor,
    Listing,
    Page,
)
from surefill.ports import Store

_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The accounts of the configured venues, and what belongs to them. Lists are in the order of their keys."""

    store: Store
    venues: Sequence[str]

    def accounts(self) -> Iterator[Account]:
        """Every account: a handful."""
        for venue in sorted(self.venues):
            yield from self._all(ACCOUNTS_OF_VENUE, venue)

    def budgets_of(self, account_id: str) -> Iterator[Budget]:
        """Every budget of an account."""
        return self._all(BUDGETS_OF_ACCOUNT, account_id)

    def bots_of(self, account_id: str) -> Iterator[Bot]:
        """Every bot of an account."""
        return self._all(BOTS_OF_ACCOUNT, account_id)

    def account_page(self, *, limit: int, after: Cursor | None) -> Page[Account]:
        """A page of all accounts; its end is (venue, account)."""
        return self._over(ACCOUNTS_OF_VENUE, sorted(self.venues), limit=limit, after=after)

    def budget_page(self, *, account_id: str | None, limit: int, after: Cursor | None) -> Page[Budget]:
        """A page of the budgets of one account or of all."""
        return self._over(BUDGETS_OF_ACCOUNT, self._ids(account_id), limit=limit, after=after)

    def bot_page(self, *, account_id: str | None, limit: int, after: Cursor | None) -> Page[Bot]:
        """A page of the bots of one account or of all."""
        return self._over(BOTS_OF_ACCOUNT, self._ids(account_id), limit=limit, after=after)

    def _ids(self, account_id: str | None) -> list[str]:
        return [account_id] if account_id else sorted(account.account_id for account in self.accounts())

    def _over(
        self, listing: Listing[AnyRow], partitions: Sequence[str], *, limit: int, after: Cursor | None
    ) -> Page[AnyRow]:
        """One list after the other as one; a page ends with the partition it ended in, and where in it."""
        rows: list[AnyRow] = []
        start, *rest = after or ("",)
        for place, of in enumerate(partitions):
            if of < start:
                continue
            inner = tuple(rest) if of == start and rest else None
            page = self.store.page(listing, of, limit=limit - len(rows), after=inner)
            rows += page.rows
            if page.next is not None:
                return Page(rows=rows, next=(of, *page.next))
            if len(rows) == limit and place + 1 < len(partitions):
                return Page(rows=rows, next=(partitions[place + 1],))
        return Page(rows=rows, next=None)

    def _all(self, listing: Listing[AnyRow], of: str) -> Iterator[AnyRow]:
        after = None
        while True:
            page = self.store.page(listing, of, limit=_PAGE, after=after)
            yield from page.rows
            if page.next is None:
                return
            after = page.next
