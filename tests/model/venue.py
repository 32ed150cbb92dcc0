"""The venue and the network between, with everything a venue is known to do (reliability notes, 1 and 3.3 to 3.5).

Its promises, on which the fence rests: a request is refused later than its receive window after its signed time stamp;
what it accepted can be looked up `VISIBILITY_LAG` later. A client id is unique among *open* orders only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from surefill.domain.kinds import OrderKind, Side
from surefill.domain.money import multiply
from surefill.domain.orders import (
    Accepted,
    AlreadyExists,
    NotSent,
    OrderRequest,
    PostOutcome,
    Rejected,
    UnknownOutcome,
    VenueError,
    VenueOrder,
)
from surefill.domain.reasons import Reason
from surefill.domain.rows import Fill
from tests.model.frame import BUY_PRICE, FEE, SYMBOL
from tests.model.process import Answer, Call

_LAG = 10  # seconds: what the venue really takes, whatever the product assumes


class Order(NamedTuple):
    """An order at the venue; `halves` of two are filled."""

    client_id: str
    buys: bool
    quantity: Decimal
    halves: int
    is_open: bool
    accepted_at: datetime
    cancelling: bool = False


class Venue(NamedTuple):
    """The venue and the network at one moment.

    `copy`: its look-ups answer from an old copy until the clock moves. That happens once in a model: who is lied to for
    longer than the time between two looks can prove nothing.
    """

    orders: tuple[Order, ...] = ()
    requests: tuple[OrderRequest, ...] = ()
    posts: tuple[str, ...] = ()
    copy: str = "fresh"

    @property
    def stale(self) -> bool:
        """Whether look-ups answer from an old copy now."""
        return self.copy == "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What this venue may do in a model. The second group breaks the promises above."""

    fills: tuple[int, ...] = (2, 1, 0)
    sell_price: Decimal = Decimal(110)
    faults: frozenset[str] = frozenset({"reply lost", "request lost", "delayed", "not sent", "refused", "look failed"})
    goes_stale: bool = False
    has_window: bool = True
    by_id_blind: bool = False
    lies: bool = False


class Outcome(NamedTuple):
    """One thing that may happen next: what it costs of the faults allowed, the answer, and the venue afterwards."""

    cost: int
    answer: Answer
    after: Venue


@dataclass(slots=True)
class Market:
    """Judges calls and lists events."""

    habits: Habits = field(default_factory=Habits)

    def outcomes(self, call: Call, venue: Venue, now: datetime) -> Iterator[Outcome]:
        """Everything the venue may answer to a call."""
        if call.name == "post":
            yield from self._post(call.argument, venue, now)
        elif call.name == "cancel":
            yield from self._cancel(call.argument, venue)
        else:
            yield from self._look(call, venue, now)

    def _post(self, request: OrderRequest, venue: Venue, now: datetime) -> Iterator[Outcome]:
        faults = self.habits.faults
        posted = venue._replace(posts=(*venue.posts, request.client_order_id))
        if "not sent" in faults:
            yield Outcome(1, _value(NotSent(message="no connection"), "not sent"), venue)
        if "request lost" in faults:
            yield Outcome(1, _unknown("the request is lost"), posted)
        if "delayed" in faults:
            waiting = posted._replace(requests=(*posted.requests, request))
            yield Outcome(1, _unknown("the request hangs in the network"), waiting)
        for text, outcome, after in self._arrive(request, posted, now):
            yield Outcome(0, _value(outcome, text), after)
            if "reply lost" in faults:
                yield Outcome(1, _unknown(f"{text}, the reply is lost"), after)
        if "refused" in faults:
            yield Outcome(1, _refused(), posted)

    def _arrive(self, request: OrderRequest, venue: Venue, now: datetime) -> Iterator[tuple[str, PostOutcome, Venue]]:
        name = request.client_order_id
        if self.habits.has_window and (now - request.signed_at).total_seconds() * 1_000 > request.window_ms:
            late = Rejected(reason=Reason.REJECTED, code="-1021", message="outside of the receive window")
            yield "refused, outside of the window", late, venue
            return
        if any(order.client_id == name and order.is_open for order in venue.orders):
            yield "refused as a duplicate", AlreadyExists(code="-2010", message="Duplicate order sent."), venue
            return
        rests = request.kind is OrderKind.LIMIT
        for halves in (0,) if rests else self.habits.fills:
            order = Order(name, request.side is Side.BUY, request.quantity, halves, rests, now)
            text = "accepted, rests" if rests else f"accepted, {halves} of 2 filled"
            yield text, Accepted(order=self.shown(order)), venue._replace(orders=(*venue.orders, order))

    def _look(self, call: Call, venue: Venue, now: datetime) -> Iterator[Outcome]:
        order = next((one for one in reversed(venue.orders) if one.client_id == call.argument), None)
        blind = venue.stale or (call.name == "find" and self.habits.by_id_blind)
        if order is None or blind:
            yield Outcome(0, _value(None, "not known" + (" (an old copy)" if venue.stale else "")), venue)
        else:
            seen = self.shown(order)
            yield Outcome(0, _value(seen, f"found, {order.halves} of 2 filled"), venue)
            if self.habits.lies or (now - order.accepted_at).total_seconds() <= _LAG:
                yield Outcome(0, _value(None, "not visible yet"), venue)
        if "look failed" in self.habits.faults:
            yield Outcome(1, _raise(VenueError(Reason.VENUE_DOWN, "no answer")), venue)

    def _cancel(self, name: str, venue: Venue) -> Iterator[Outcome]:
        def changed(**changes: bool) -> Venue:
            orders = (one._replace(**changes) if one.client_id == name and one.is_open else one for one in venue.orders)
            return venue._replace(orders=tuple(orders))

        yield Outcome(0, _value(None, "cancelled"), changed(is_open=False, cancelling=False))
        yield Outcome(0, _value(None, "cancel taken, the order still lives"), changed(cancelling=True))

    def events(self, venue: Venue, now: datetime) -> Iterator[tuple[int, str, Venue]]:
        """What happens by itself: requests arrive, resting orders fill, cancels take effect, copies go stale."""
        for index, request in enumerate(venue.requests):
            rest = venue._replace(requests=venue.requests[:index] + venue.requests[index + 1 :])
            for text, _, after in self._arrive(request, rest, now):
                yield 0, f"the delayed request arrives: {text}", after
        for index, order in enumerate(venue.orders):
            if not order.is_open:
                continue
            filled = order._replace(halves=order.halves + 1, is_open=order.halves == 0)
            yield 0, f"the resting order fills to {filled.halves} of 2", _with(venue, index, filled)
            if order.cancelling:
                ended = order._replace(is_open=False, cancelling=False)
                yield 0, "the cancel takes effect", _with(venue, index, ended)
        if self.habits.goes_stale and venue.copy == "fresh":
            yield 1, "the venue's look-ups go stale", venue._replace(copy="stale")

    def shown(self, order: Order) -> VenueOrder:
        """The order as the venue tells it, with the trades it consists of."""
        price = BUY_PRICE if order.buys else self.habits.sell_price
        half = order.quantity / 2
        fills = tuple(
            Fill(
                trade_id=f"{'b' if order.buys else 's'}{index}",
                quantity=half,
                price=price,
                cost=multiply(half, price),
                fee=multiply(half if order.buys else multiply(half, price), FEE),
                fee_asset="BTC" if order.buys else "USDT",
            )
            for index in range(order.halves)
        )
        return VenueOrder(
            client_order_id=order.client_id,
            venue_order_id="v" + order.client_id[:4],
            symbol=SYMBOL,
            side=Side.BUY if order.buys else Side.SELL,
            finished=not order.is_open,
            filled_quantity=multiply(half, Decimal(order.halves)),
            fills=fills,
        )


def later(venue: Venue) -> Venue:
    """The venue when the clock has moved."""
    return venue._replace(copy="was stale") if venue.stale else venue


def _with(venue: Venue, index: int, order: Order) -> Venue:
    return venue._replace(orders=(*venue.orders[:index], order, *venue.orders[index + 1 :]))


def _value(value: object, text: str) -> Answer:
    return Answer(("is", text, value if isinstance(value, VenueOrder | Accepted) else None), lambda: value, text)


def _unknown(text: str) -> Answer:
    return Answer(("unknown",), lambda: UnknownOutcome(message="no answer"), text)


def _refused() -> Answer:
    refused = Rejected(reason=Reason.BALANCE_SHORT, code="-2010", message="insufficient balance")
    return Answer(("refused",), lambda: refused, "refused, the balance is short")


def _raise(error: VenueError) -> Answer:
    def make() -> object:
        raise VenueError(error.reason, str(error))

    return Answer(("down",), make, "no answer")
