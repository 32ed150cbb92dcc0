"""Lists that leave rows out: read page by page until enough is found, or enough was looked at."""

from collections.abc import Callable

from surefill.listings import AnyRow, Cursor, Listing, Page
from surefill.ports import Store

# Rows looked at for one answer: at most so many pages of so many.
_PAGES, _PER_PAGE = 10, 100


def filtered(
    store: Store,
    listing: Listing[AnyRow],
    of: str,
    *,
    keep: Callable[[AnyRow], bool],
    limit: int,
    after: Cursor | None,
) -> Page[AnyRow]:
    """Up to `limit` rows that `keep` wants. A page may be short, even empty, and still have a next one."""
    rows: list[AnyRow] = []
    for _ in range(_PAGES):
        page = store.page(listing, of, limit=_PER_PAGE, after=after)
        for place, row in enumerate(page.rows, start=1):
            rows += [row] if keep(row) else []
            if len(rows) == limit:
                more = place < len(page.rows) or page.next is not None
                return Page(rows=rows, next=listing.cursor_of(row) if more else None)
        after = page.next
        if after is None:
            break
    return Page(rows=rows, next=after)
