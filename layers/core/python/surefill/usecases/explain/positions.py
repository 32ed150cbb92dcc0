"""Protection and exit: is an open position watched and protected, and does its sale go through."""

from dataclasses import replace
from decimal import Decimal

from surefill.domain.exits import exit_due
from surefill.domain.fills import order_result
from surefill.domain.kinds import Leg
from surefill.domain.money import ZERO, add, divide_down, plain, share_down
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent, JournalEntry, Slot
from surefill.domain.states import IN_FLIGHT, UNFINISHED, IntentState, SlotState
from surefill.usecases.explain.facts import Place
from surefill.usecases.explain.making import fine, lasting, moment, recent, said, unknown
from surefill.usecases.explain.model import Link, LinkName, LinkState
from surefill.usecases.explain.orders import resting_link, venue_said
from surefill.usecases.explain.readiness import held_link, held_numbers
from surefill.usecases.explain.remedies import SAYINGS
from surefill.usecases.explain.schedule import silence
from surefill.usecases.settle import is_resting

_PRICE_STEP = Decimal("0.00000001")
_PERCENT_STEP = Decimal("0.01")
_SOLD = frozenset({IntentState.FILLED, IntentState.ADOPTED})
# What keeps a sale that is due, or even the look at the position, from happening.
_HINDERS = frozenset(
    {
        Reason.NO_PRICE, Reason.PRICE_STALE, Reason.RATE_LIMITED, Reason.MAINTENANCE, Reason.VENUE_DOWN,
        Reason.BOT_NOT_ACTIVE, Reason.FROZEN, Reason.MARKET_UNKNOWN, Reason.INTERNAL_ERROR,
        Reason.CREDENTIALS_REJECTED, Reason.ACCOUNT_BLOCKED,
    }
)  # fmt: skip


def protection_link(place: Place) -> Link:
    """Whether an open position would be sold when its levels are reached."""
    slot = place.slot
    if slot.state in (SlotState.EMPTY, SlotState.OPENING):
        return unknown(LinkName.PROTECTION, "protection: no position")
    if slot.state is SlotState.HELD:
        return held_link(place)
    silent = silence(place.schedules.get("watch_exits"), now=place.now)
    if silent is not None:
        return Link(
            name=LinkName.PROTECTION,
            state=LinkState.STOPPED,
            says=f"exit: not watched, {silent.says}",
            reason=Reason.NO_TICK,
            since=silent.since,
            remedy="Repair watch_exits first of all; close by hand what must not wait.",
        )
    price = _average(slot)
    idle = exit_due(slot, bid=price, now=slot.opened_at or place.now).reason
    if idle is Reason.UNPROTECTED:
        told = place.event(Reason.UNPROTECTED, kind="exit")
        return said(Reason.UNPROTECTED, {}, since=told.at if told else slot.opened_at, evidence=_holding(slot))
    return fine(
        LinkName.PROTECTION, f"protection: {_levels(slot, price=price)}", since=slot.opened_at, evidence=_holding(slot)
    )


def exit_link(place: Place) -> Link:
    """What the position waits for, or why its sale does not come about."""
    slot = place.slot
    if slot.state is SlotState.EMPTY:
        return _closed(place)
    if slot.state in (SlotState.HELD, SlotState.OPENING):
        return unknown(LinkName.EXIT, "exit: not reached")
    if slot.state in IN_FLIGHT:
        return _under_way(place)
    if slot.exit_reason in _HINDERS:
        return _hindered(place, slot.exit_reason)
    failed = _failed_sale(place)
    if failed is not None:
        return failed
    if place.rung is not None:
        return said(Reason.GRID_SELL, {}, since=slot.opened_at)
    levels = {"take_profit": _price(slot.take_profit), "stop_loss": _price(slot.stop_loss)}
    if slot.take_profit is None and slot.stop_loss is None and slot.exit_rules is None:
        return said(Reason.NOT_WANTED, {}, since=slot.opened_at)
    return said(Reason.EXIT_WAITING, levels, since=slot.opened_at, evidence=_holding(slot))


def _closed(place: Place) -> Link:
    """The end of the last position, with the dust it left."""
    tiny = place.event(Reason.DUST, kind="exit")
    sale = next((one for one in place.orders if one.leg is Leg.EXIT and one.state in _SOLD), None)
    base = place.symbol.partition("/")[0]
    if tiny is not None and (sale is None or tiny.at >= (sale.finished_at or tiny.at)):
        numbers = {"dust": f"{tiny.numbers.get('quantity', '?')} {base}"}
        return said(Reason.DUST, numbers, since=tiny.at, state=LinkState.OK, evidence=tiny.numbers)
    if sale is None:
        return unknown(LinkName.EXIT, "exit: nothing to sell")
    dust = _dust(place, sale)
    left = f", dust {plain(dust)} {base}" if dust else ""
    result = f", result {plain(sale.realised)} {place.symbol.partition('/')[2]}" if sale.realised is not None else ""
    says = f"exit: closed by {sale.reason.partition('.')[2]}, sold {plain(sale.filled_quantity)} {base}{result}{left}"
    return fine(LinkName.EXIT, says, since=sale.finished_at, evidence={"order": sale.intent_id})


def _dust(place: Place, sale: Intent) -> Decimal:
    """What was bought and never sold of a position that is closed; 0 when not all of its orders are known."""
    own = [one for one in place.orders if sale.entry_intent_id in (one.intent_id, one.entry_intent_id)]
    if not any(one.intent_id == sale.entry_intent_id for one in own):
        return ZERO
    return max(add(*(_base_change(one) for one in own if one.state in _SOLD)), ZERO)


def _base_change(order: Intent) -> Decimal:
    base, _, quote = order.symbol.partition("/")
    return order_result(
        venue_order_id=order.venue_order_id or "",
        side=order.side,
        base=base,
        quote=quote,
        filled_quantity=order.filled_quantity,
        fills=order.fills,
    ).base_change


def _under_way(place: Place) -> Link:
    if place.slot.state is SlotState.ADDING:
        return unknown(LinkName.EXIT, "exit: waits for the tranche under way")
    sale = place.exit
    if sale is None or sale.state not in UNFINISHED:
        return said(Reason.IN_FLIGHT, {"slot": place.slot.state.value}, name=LinkName.EXIT)
    if sale.rung is not None and is_resting(sale, now=place.now):
        return replace(resting_link(sale), name=LinkName.EXIT)
    return Link(
        name=LinkName.EXIT,
        state=LinkState.WAITING,
        says=f"exit: {sale.reason.partition('.')[2]} order is {sale.state}, age {lasting(place.now - sale.created_at)}",
        reason=sale.reason,
        since=sale.created_at,
        evidence={"order": sale.intent_id},
        remedy="Nothing to do: it is settled first.",
    )


def _hindered(place: Place, reason: Reason) -> Link:
    told = place.event(reason, kind="exit")
    numbers = dict(told.numbers) if told else {}
    words = SAYINGS[reason].said({"symbol": place.symbol, "account": place.bot.account_id, **numbers})
    if reason is Reason.BOT_NOT_ACTIVE:
        words = f"bot is {numbers.get('state', place.bot.state)}"
    due = f" while {numbers['due'].partition('.')[2].replace('_', ' ')} is due" if "due" in numbers else ""
    return Link(
        name=LinkName.EXIT,
        state=LinkState.STOPPED,
        says=f"exit: {words.removeprefix('data: ')}{due}",
        reason=reason,
        since=told.at if told else None,
        evidence=numbers,
        remedy=SAYINGS[reason].advised({"bot": place.bot.bot_id, **numbers}),
    )


def _failed_sale(place: Place) -> Link | None:
    """The last attempt to sell this position, when it came to nothing."""
    sale = place.exit
    of_this = sale is not None and sale.entry_intent_id == place.slot.entry_intent_id
    if sale is None or not of_this or sale.state in _SOLD or sale.state in UNFINISHED:
        return _claim_failed(place)
    if not recent(place, sale.finished_at):
        return None
    entry = place.about(sale)
    told = venue_said(entry, sale)
    refused = entry is not None and entry.reason is Reason.REJECTED
    how = f"venue refused, code {told['code']}: {told['error']}" if refused else f"not sold ({sale.outcome})"
    return Link(
        name=LinkName.EXIT,
        state=LinkState.STOPPED,
        says=f"exit: {how}, attempt {sale.attempt + 1}",
        reason=sale.outcome,
        since=sale.finished_at,
        evidence={"order": sale.intent_id, "why": sale.reason, **_kept(entry)},
        remedy="It is tried again every minute; do what the venue's message says, or close by hand at the venue.",
    )


def _claim_failed(place: Place) -> Link | None:
    entry = next((one for one in place.journal if one.kind == "claim-exit"), None)
    if entry is None or not recent(place, entry.at) or (place.slot.opened_at or entry.at) > entry.at:
        return None
    if place.exit is not None and place.exit.tick >= entry.at:
        return None
    return said(entry.reason, {**held_numbers(place), **entry.numbers}, name=LinkName.EXIT, since=entry.at)


def _kept(entry: JournalEntry | None) -> dict[str, str]:
    return dict(entry.numbers) if entry else {}


def _average(slot: Slot) -> Decimal:
    return divide_down(slot.cost, slot.quantity, step=_PRICE_STEP) if slot.quantity > ZERO else slot.cost


def _levels(slot: Slot, *, price: Decimal) -> str:
    shown = [
        f"{name} {plain(level)} ({_distance(level, price)} %)"
        for name, level in (("take profit", slot.take_profit), ("stop", slot.stop_loss))
        if level is not None
    ]
    rules = slot.exit_rules
    if rules is not None and rules.trailing_percent is not None:
        shown.append(f"trailing {plain(rules.trailing_percent)} % from +{plain(rules.trailing_from_percent)} %")
    if rules is not None and rules.time_limit_seconds is not None and slot.opened_at is not None:
        shown.append(f"time limit {rules.time_limit_seconds} s from {moment(slot.opened_at)}")
    return ", ".join(shown) or "by the bot's rules, no fixed level"


def _distance(level: Decimal, price: Decimal) -> str:
    percent = share_down(abs(level - price), part=Decimal(100), whole=price, step=_PERCENT_STEP)
    return f"{'+' if level >= price else '-'}{plain(percent)}"


def _holding(slot: Slot) -> dict[str, str]:
    base = slot.market_key.partition("|")[2].partition("/")[0]
    return {"quantity": f"{plain(slot.quantity)} {base}", "cost": plain(slot.cost), "average": plain(_average(slot))}


def _price(level: Decimal | None) -> str:
    return plain(level) if level is not None else "none"
