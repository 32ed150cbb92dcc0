"""How rows are shown: as they are stored, without what nobody outside needs to see."""

from datetime import datetime
from typing import Any

from surefill.domain.money import plain
from surefill.domain.rows import Bot, Slot
from surefill.domain.times import format_time
from surefill.usecases.control.prices import Prices
from surefill.usecases.control.schedules import next_run
from surefill.wire import to_wire


def shown_bot(bot: Bot, *, now: datetime) -> dict[str, Any]:
    """A bot with its next run; of the token of its alerts only whether there is one."""
    due = next_run(bot, now=now)
    shown = to_wire(bot)
    shown.pop("hook_hash", None)
    shown.pop("cadence_key", None)
    return {**shown, "takes_alerts": bot.hook_hash is not None, "next_run_at": format_time(due) if due else None}


def shown_slot(slot: Slot, *, prices: Prices) -> dict[str, Any]:
    """A place with its symbol and venue; with what it is worth now where a price is known."""
    venue, _, symbol = slot.market_key.partition("|")
    shown = to_wire(slot)
    for name in ("open_key", "slot_key"):
        shown.pop(name, None)
    shown |= {"venue": venue, "symbol": symbol}
    unrealised = prices.unrealised(slot)
    if unrealised is None or prices.at is None:
        return shown
    worth = {"bid": plain(prices.bids[slot.market_key]), "unrealised": plain(unrealised)}
    return {**shown, **worth, "priced_at": format_time(prices.at)}
