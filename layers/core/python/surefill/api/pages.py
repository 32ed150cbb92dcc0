"""Pages of a list: how many rows, and an opaque token that says where to go on."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from surefill.listings import AnyRow, Cursor, Page
from surefill.usecases.control.errors import RequestRefusedError
from surefill.wire import to_wire

Limit = Annotated[int, Query(ge=1, le=100, description="rows per page")]
Next = Annotated[str | None, Query(alias="next", max_length=2_048, description="token of the next page")]
_LONGEST = 512


def cursor_of(token: str | None, *, sizes: Iterable[int]) -> Cursor | None:
    """Where a page ended; `sizes` are the numbers of values such a place may have."""
    if token is None:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) not in sizes or not all(map(_is_place, values)):
        raise RequestRefusedError("next", "next must be the token that came with the last page, as it was")
    return tuple(values)


def _is_place(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()


def shown_page(page: Page[AnyRow], show: Callable[[AnyRow], dict[str, Any]] = to_wire) -> dict[str, Any]:
    """A page as it is answered."""
    return {"items": [show(row) for row in page.rows], "next": token_of(page.next)}


def token_of(cursor: Cursor | None) -> str | None:
    """The token of a place."""
    if cursor is None:
        return None
    text = json.dumps(list(cursor), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")
