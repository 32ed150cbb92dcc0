"""From a signal to the right to act on it: what stands, since when, and the first gate that stays shut. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from surefill.domain.kinds import BotState, Side
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Slot
from surefill.domain.states import IN_FLIGHT, SlotState
from surefill.strategies.base import Action, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a signal asks of the engine: a side (None: nothing), and whether it is more of what is held already."""

    side: Side | None
    adds: bool = False


def wish_of(signal: Signal, *, slot: Slot) -> Wish:
    """The wish behind a signal, as things stand in the slot."""
    side = {Action.BUY: Side.BUY, Action.SELL: Side.SELL}.get(signal.action)
    return Wish(side=side, adds=side is Side.BUY and signal.adds and slot.state is SlotState.OPEN)


def with_signal(slot: Slot, *, wish: Wish, tick: datetime) -> Slot:
    """The slot remembering since when the present signal stands; a different signal starts anew."""
    if wish.side is None or not _usable(slot, wish):
        return replace(slot, signal_side=None, signal_since=None)
    if slot.signal_side is wish.side and slot.signal_since is not None and slot.signal_since <= tick:
        return slot
    return replace(slot, signal_side=wish.side, signal_since=tick)


def _usable(slot: Slot, wish: Wish) -> bool:
    wanted = SlotState.EMPTY if wish.side is Side.BUY and not wish.adds else SlotState.OPEN
    return slot.state is wanted


def gate(bot: Bot, *, slot: Slot, wish: Wish, tick: datetime, confirms: bool) -> Refusal | None:
    """The first gate between signal and claim that stays shut, with its numbers; None when all are open.

    `confirms` is off for strategies whose signal is an appointment or an order from outside, not an observation.
    """
    if wish.side is None:
        return _shut(Reason.HOLD)
    if slot.state in IN_FLIGHT:
        return _shut(Reason.IN_FLIGHT, slot=slot.state)
    if slot.state is SlotState.HELD:
        return _shut(Reason.SLOT_HELD, held=slot.held_reason or "")
    if wish.side is Side.BUY and slot.state is SlotState.OPEN and not wish.adds:
        return _shut(Reason.ALREADY_IN_POSITION, quantity=slot.quantity)
    if wish.side is Side.SELL and slot.state is SlotState.EMPTY:
        return _shut(Reason.NO_POSITION)
    if wish.side is Side.BUY and bot.state is not BotState.ACTIVE:
        return _shut(Reason.BOT_NOT_ACTIVE, state=bot.state)
    return _waiting(bot, slot=slot, wish=wish, tick=tick, confirms=confirms)


def _waiting(bot: Bot, *, slot: Slot, wish: Wish, tick: datetime, confirms: bool) -> Refusal | None:
    since = slot.signal_since or tick
    if confirms and tick - since < timedelta(seconds=bot.confirmation_seconds):
        stands = int((tick - since).total_seconds())
        return _shut(Reason.WAITING_CONFIRMATION, seconds=stands, needed=bot.confirmation_seconds)
    if wish.side is Side.BUY and slot.idle_since is not None:
        idle = int((tick - slot.idle_since).total_seconds())
        if idle < bot.cooldown_seconds:
            return _shut(Reason.WAITING_COOLDOWN, seconds=idle, needed=bot.cooldown_seconds)
    return None


def _shut(reason: Reason, **numbers: object) -> Refusal:
    return Refusal(reason=reason, numbers={name: str(value) for name, value in numbers.items()})
