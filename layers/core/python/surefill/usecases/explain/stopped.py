"""What a person stopped: the kill switch, the switch of a budget's entries, or the bot itself."""

from surefill.domain.kinds import BotState, StopKind
from surefill.domain.money import plain
from surefill.domain.reasons import Reason
from surefill.domain.records import Stop
from surefill.domain.rows import Budget
from surefill.usecases.explain.facts import Place
from surefill.usecases.explain.making import moment, said
from surefill.usecases.explain.model import Link, LinkName


def stop_link(place: Place) -> Link | None:
    """What a person stopped: the kill switch, the budget's entries, or the bot's own state."""
    stop = next(iter(place.stops), None)
    if stop is not None:
        reason = Reason.FROZEN if stop.kind is StopKind.FREEZE else Reason.ENTRIES_OFF
        return said(reason, _stopped(stop), since=stop.at, evidence=_stop_shown(stop))
    if place.slot.frozen:
        return said(Reason.FROZEN, {"why": ""}, evidence={"slot": place.slot.owner_key})
    if place.budget is not None and not place.budget.entries_allowed:
        return _entries_off(place, place.budget)
    if place.bot.state is not BotState.ACTIVE:
        return said(
            Reason.BOT_NOT_ACTIVE, {"state": place.bot.state.value, "bot": place.bot.bot_id}, name=LinkName.GATES
        )
    return None


def _stopped(stop: Stop) -> dict[str, str]:
    why = f": {stop.why}" if stop.why else ""
    return {"who": stop.who, "when": moment(stop.at), "why": f"{why} ({stop.kind} of {stop.scope})"}


def _stop_shown(stop: Stop) -> dict[str, str]:
    return {"who": stop.who, "when": moment(stop.at), "kind": stop.kind, "scope": stop.scope, "stop": stop.stop_id}


def _entries_off(place: Place, budget: Budget) -> Link:
    """Switched off without the kill switch: by the budget's own switch, or by an order that cost too much."""
    overrun = next((order for order in place.orders if order.outcome is Reason.OVERRUN), None)
    if overrun is not None:
        return said(
            Reason.OVERRUN,
            {},
            name=LinkName.GATES,
            since=overrun.finished_at,
            evidence={"order": overrun.intent_id, "reserved": plain(overrun.reserved)},
        )
    numbers = {"who": f"the switch of budget {budget.budget_id}", "when": "see its entries", "why": ""}
    return said(Reason.ENTRIES_OFF, numbers, evidence={"budget": budget.budget_id, "entries_allowed": "no"})
