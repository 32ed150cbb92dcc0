"""What is asked of a venue and what it answers, in the product's own words."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from surefill.domain.kinds import OrderKind, Side
from surefill.domain.reasons import Reason
from surefill.domain.rows import Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """One order to post, signed with the time stamp `signed_at`; the venue refuses it `window_ms` after that."""

    client_order_id: str
    symbol: str
    side: Side
    kind: OrderKind
    quantity: Decimal
    limit_price: Decimal | None
    signed_at: datetime
    window_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order as the venue holds it. Status says only whether it is finished; quantities come from fills.

    `fills` is None when the answer did not carry them all: they must be fetched before anything is booked.
    """

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    finished: bool
    filled_quantity: Decimal
    fills: tuple[Fill, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTrade:
    """A trade of the account. `client_order_id` is None when the venue no longer shows the order it belongs to."""

    symbol: str
    side: Side
    at: datetime
    venue_order_id: str
    client_order_id: str | None
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePage:
    """Some trades of an account, oldest first, and from when on to read further (None: that was all).

    A trade at the border of two pages comes twice.
    """

    trades: tuple[VenueTrade, ...]
    next_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The venue has the order: its own id and our client id came back."""

    order: VenueOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The venue definitely refused it (its code is on the allow-list): nothing exists there."""

    reason: Reason
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """The request provably never left: no connection was made."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyExists:
    """The venue knows this client id: evidence that the order is there, never a failure."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownOutcome:
    """Anything else. The order may or may not exist; only looking can tell."""

    message: str


PostOutcome = Accepted | Rejected | NotSent | AlreadyExists | UnknownOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account holds of one asset: free to use, and locked in open orders."""

    free: Decimal
    locked: Decimal


class VenueError(Exception):
    """A look at the venue failed; nothing is known. `reason` says how, `retry_at` when to come back, if told."""

    def __init__(self, reason: Reason, message: str, *, retry_at: datetime | None = None) -> None:
        self.reason = reason
        self.retry_at = retry_at
        super().__init__(message)
