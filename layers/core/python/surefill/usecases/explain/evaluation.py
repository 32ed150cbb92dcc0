"""What the last evaluation said: data, signal, and the gates in front of the claim."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from surefill.domain.kinds import Side
from surefill.domain.reasons import Reason
from surefill.domain.states import SlotState
from surefill.usecases.explain.facts import Place
from surefill.usecases.explain.making import fine, moment, remembered, said, unknown
from surefill.usecases.explain.model import Link, LinkName, LinkState
from surefill.usecases.explain.readiness import account_link, held_link, market_link
from surefill.usecases.explain.remedies import SAYINGS
from surefill.usecases.explain.stopped import stop_link

_ORDER = tuple(LinkName)
_ACTED = frozenset({Reason.BUY, Reason.ADD, Reason.SELL, Reason.REDUCE, Reason.GRID_ARMED})


def data_link(place: Place) -> Link:
    """Whether candles and prices were there."""
    if place.slot.last_reason is None:
        return _of_the_rung(LinkName.DATA) if place.rung else unknown(LinkName.DATA, "data: not asked for yet")
    return remembered(place, name=LinkName.DATA) or fine(
        LinkName.DATA, f"data: {place.bot.timeframe} candles are fresh"
    )


def signal_link(place: Place) -> Link:
    """What the strategy wished."""
    slot = place.slot
    if slot.last_reason is None:
        return _of_the_rung(LinkName.SIGNAL) if place.rung else unknown(LinkName.SIGNAL, "signal: not asked for yet")
    told = remembered(place, name=LinkName.SIGNAL)
    if told is not None:
        # What was acted on is settled by the links behind it.
        return replace(
            told,
            state=LinkState.OK if slot.last_reason in _ACTED else told.state,
            says=told.says + _readings(told.evidence) if slot.last_reason in (Reason.HOLD, *_ACTED) else told.says,
        )
    if _ORDER.index(SAYINGS[slot.last_reason].link) < _ORDER.index(LinkName.SIGNAL):
        return unknown(LinkName.SIGNAL, "signal: not asked for without data")
    side = {Side.BUY: "buy", Side.SELL: "sell"}.get(slot.signal_side or Side.BUY, "buy")
    since = f", stands since {moment(slot.signal_since)}" if slot.signal_since else ""
    return fine(LinkName.SIGNAL, f"signal: {side}{since}", since=slot.signal_since)


def gates_link(place: Place) -> Link:
    """What stands between the signal and the claim: what a person stopped, account, market, and the bot's own gates."""
    if place.slot.state is SlotState.HELD:
        # A person must look, whatever else is so: nothing is sent for this place until then.
        return replace(held_link(place), name=LinkName.GATES)
    standing = stop_link(place) or account_link(place) or market_link(place)
    if standing is not None:
        return standing
    waiting = _waiting(place)
    if waiting is not None:
        return waiting
    told = remembered(place, name=LinkName.GATES)
    if told is not None:
        return told
    return fine(LinkName.GATES, "gates: account, market and stops are open")


def _waiting(place: Place) -> Link | None:
    """Confirmation and cooldown with the time that has passed by now."""
    slot, bot = place.slot, place.bot
    if slot.last_reason is Reason.WAITING_CONFIRMATION and slot.signal_since is not None:
        return _wait(place, Reason.WAITING_CONFIRMATION, since=slot.signal_since, needed=bot.confirmation_seconds)
    cooling = timedelta(seconds=bot.cooldown_seconds)
    since = slot.idle_since if slot.state is SlotState.EMPTY else None
    if since is not None and place.now - since < cooling:
        return _wait(place, Reason.WAITING_COOLDOWN, since=since, needed=bot.cooldown_seconds)
    return None


def _wait(place: Place, reason: Reason, *, since: datetime, needed: int) -> Link:
    stands = min(int((place.now - since).total_seconds()), needed)
    until = moment(since + timedelta(seconds=needed))
    shown = {"seconds": str(stands), "needed": str(needed), "until": until}
    return said(reason, {"stands": _minutes(stands), "needs": _minutes(needed)}, since=since, evidence=shown)


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.1f}".removesuffix(".0")


def _readings(numbers: Mapping[str, str]) -> str:
    shown = ", ".join(f"{name} {value}" for name, value in list(numbers.items())[:4])
    return f" ({shown})" if shown else ""


def _of_the_rung(name: LinkName) -> Link:
    return fine(name, f"{name}: as the bot's on this symbol")
