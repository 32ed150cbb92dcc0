"""Claim, place and settle: how far the last order came."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from surefill.domain.kinds import Leg
from surefill.domain.money import plain
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent, JournalEntry
from surefill.domain.states import UNFINISHED, IntentState, SlotState
from surefill.usecases.explain.facts import Place
from surefill.usecases.explain.making import fine, lasting, moment, recent, remembered, said, unknown
from surefill.usecases.explain.model import Link, LinkName, LinkState
from surefill.usecases.explain.readiness import budget_link, held_numbers
from surefill.usecases.settle import is_resting

# From claim to record takes seconds; after this an order is late.
_LATE = timedelta(minutes=2)
# Endings of a posted order that are the settlement's, not the post's.
_LOOKED_UP = frozenset({Reason.PROVEN_ABSENT, Reason.NOT_FILLED})


def claim_link(place: Place) -> Link:
    """Whether the money and the place could be taken."""
    told = remembered(place, name=LinkName.CLAIM)
    if told is not None:
        return told
    refused = _claim_refused(place)
    if refused is not None:
        return said(refused.reason, refused.numbers, name=LinkName.CLAIM, since=refused.at)
    order = _current(place)
    if order is not None:
        taken = f"{plain(order.reserved)} reserved" if order.leg is not Leg.EXIT else f"{plain(order.quantity)} to sell"
        return fine(LinkName.CLAIM, f"claim: {taken} at {moment(order.created_at)}", evidence=_shown(order))
    if place.slot.state is not SlotState.EMPTY:
        return fine(LinkName.CLAIM, f"claim: the place is {place.slot.state}")
    short = budget_link(place)
    if short is not None:
        return short
    return unknown(LinkName.CLAIM, "claim: not reached")


def place_link(place: Place) -> Link:
    """Whether the order left, and what the venue said at once."""
    order = _current(place)
    if order is None or order.leg is Leg.EXIT:
        return unknown(LinkName.PLACE, "place: not reached")
    if _refused(order):
        return _not_placed(place, order, said_then=place.about(order))
    if order.state is IntentState.RESERVED:
        age = place.now - order.created_at
        state = LinkState.STOPPED if age > _LATE else LinkState.WAITING
        return _waiting(place, order, name=LinkName.PLACE, state=state)
    sent = moment(order.sent_at) if order.sent_at else "?"
    return fine(LinkName.PLACE, f"place: sent at {sent}", evidence=_shown(order))


def settle_link(place: Place) -> Link:
    """Whether it is known what became of the order."""
    order = _current(place)
    if order is None or order.sent_at is None or _refused(order):
        return unknown(LinkName.SETTLE, "settle: not reached")
    if order.state in UNFINISHED:
        return _unfinished(place, order)
    return _finished(place, order)


def _refused(order: Intent) -> bool:
    """Whether it was given up before the venue had it."""
    return order.state is IntentState.VOID and order.outcome not in _LOOKED_UP


def venue_said(entry: JournalEntry | None, order: Intent) -> dict[str, str]:
    """Code and words of the venue, as far as they were kept."""
    numbers = dict(entry.numbers) if entry else {}
    return {"code": "none", "error": str(order.outcome or "no reason is kept"), **numbers}


def _current(place: Place) -> Intent | None:
    """The newest order, as long as it matters: unfinished, of the position that is open, or of just now."""
    order = next(iter(place.orders), None)
    if order is None:
        return None
    ours = place.slot.state is not SlotState.EMPTY and order.intent_id in (
        place.slot.entry_intent_id,
        place.slot.tranche_intent_id,
        place.slot.exit_intent_id,
    )
    return order if ours or order.state in UNFINISHED or recent(place, order.finished_at) else None


def _claim_refused(place: Place) -> JournalEntry | None:
    """A claim that was refused after the newest order was made."""
    entry = next((one for one in place.journal if one.kind.startswith("claim-")), None)
    if entry is None or not recent(place, entry.at) or entry.kind == "claim-exit":
        return None
    newest = next(iter(place.orders), None)
    return entry if newest is None or newest.tick < entry.at else None


def _not_placed(place: Place, order: Intent, *, said_then: JournalEntry | None) -> Link:
    if order.outcome is Reason.ENTRIES_OFF:
        numbers = {"who": "the budget's switch", "when": "?", "why": ""}
        return said(Reason.ENTRIES_OFF, numbers, name=LinkName.PLACE, since=order.finished_at, evidence=_shown(order))
    told = venue_said(said_then, order)
    reason = said_then.reason if said_then is not None else order.outcome or Reason.NEVER_SENT
    if reason is Reason.NEVER_SENT:
        told["error"] = f": {said_then.numbers.get('error', '')}" if said_then else ""
    evidence = {**_shown(order), **(dict(said_then.numbers) if said_then else {})}
    numbers = {**told, "account": told["error"], "until": "?"}
    return said(reason, numbers, name=LinkName.PLACE, since=order.finished_at, evidence=evidence)


def _unfinished(place: Place, order: Intent) -> Link:
    if is_resting(order, now=place.now):
        return resting_link(order)
    late = place.now - order.created_at > _LATE
    return _waiting(place, order, name=LinkName.SETTLE, state=LinkState.STOPPED if late else LinkState.WAITING)


def resting_link(order: Intent) -> Link:
    """An order that waits for its price, as it was meant to."""
    price = plain(order.limit_price) if order.limit_price is not None else "?"
    if order.rung is not None:
        numbers = {"level": f"{order.rung} ({order.side.lower()}) at {price}"}
        return said(Reason.GRID_WAITING, numbers, name=LinkName.SETTLE, since=order.sent_at, evidence=_shown(order))
    numbers = {"price": price, "until": moment(order.rests_until) if order.rests_until else "?"}
    return said(Reason.RESTING, numbers, since=order.sent_at, evidence=_shown(order))


def _waiting(place: Place, order: Intent, *, name: LinkName, state: LinkState) -> Link:
    entry = place.about(order)
    error = entry.numbers.get("error", "") if entry else ""
    numbers = {"age": lasting(place.now - order.created_at), "state": order.state.value}
    numbers["error"] = f": {error}" if error else ""
    reason = Reason.UNKNOWN if order.state is IntentState.UNKNOWN else Reason.WAITING_ON_VENUE
    evidence = {**_shown(order), "age": numbers["age"], "state": numbers["state"]}
    return said(reason, numbers, name=name, state=state, since=order.created_at, evidence=evidence)


def _finished(place: Place, order: Intent) -> Link:
    outcome = order.outcome or Reason.FILLED
    numbers = {
        "filled": plain(order.filled_quantity),
        "asked": plain(order.quantity),
        "cost": plain(order.filled_cost),
        "price": plain(order.limit_price) if order.limit_price is not None else "market",
        "age": lasting((order.finished_at or place.now) - order.created_at),
        "state": order.state.value,
        **venue_said(place.about(order), order),
        **held_numbers(place),
    }
    unhappy = outcome in _LOOKED_UP or outcome is Reason.OVERRUN
    return said(
        outcome,
        numbers,
        name=LinkName.SETTLE,
        state=LinkState.STOPPED if unhappy and order.leg is not Leg.EXIT else LinkState.OK,
        since=order.finished_at,
        evidence={**_shown(order), "filled": numbers["filled"], "asked": numbers["asked"], "cost": numbers["cost"]},
    )


def _shown(order: Intent) -> Mapping[str, str]:
    shown = {"order": order.intent_id, "venue_order": order.venue_order_id or "", "sent": _time(order.sent_at)}
    return {name: value for name, value in shown.items() if value}


def _time(at: datetime | None) -> str:
    return moment(at) if at else ""
