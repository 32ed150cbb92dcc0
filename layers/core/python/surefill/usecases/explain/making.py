"""How links are made: from a reason and its numbers, with times and amounts as people write them."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.domain.money import plain
from surefill.domain.reasons import Reason
from surefill.domain.times import format_time
from surefill.usecases.explain.facts import Place
from surefill.usecases.explain.model import Link, LinkName, LinkState
from surefill.usecases.explain.remedies import SAYINGS

_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")
# What went wrong so long ago is history; a bot with a long interval is given two of its intervals.
_RECENT = timedelta(minutes=15)


def said(
    reason: Reason,
    numbers: Mapping[str, str],
    *,
    since: datetime | None = None,
    name: LinkName | None = None,
    evidence: Mapping[str, str] | None = None,
    state: LinkState | None = None,
) -> Link:
    """The link a reason stands for. `numbers` fill its words; `evidence` is what is shown below (the numbers)."""
    saying = SAYINGS[reason]
    numbers = {key: tidy(value) for key, value in numbers.items()}
    return Link(
        name=name or saying.link,
        state=state or (LinkState.WAITING if saying.waits else LinkState.STOPPED),
        says=saying.said(numbers),
        reason=reason,
        since=since,
        evidence=numbers if evidence is None else {key: tidy(value) for key, value in evidence.items()},
        remedy=saying.advised(numbers),
    )


def fine(
    name: LinkName, says: str, *, since: datetime | None = None, evidence: Mapping[str, str] | None = None
) -> Link:
    """A link that did its part."""
    return Link(name=name, state=LinkState.OK, says=says, since=since, evidence=evidence or {})


def unknown(name: LinkName, says: str) -> Link:
    """A link that nothing has come to."""
    return Link(name=name, state=LinkState.UNKNOWN, says=says)


def remembered(place: Place, *, name: LinkName) -> Link | None:
    """The decision that stands, when it belongs to this link."""
    reason = place.slot.last_reason
    if reason is None or SAYINGS[reason].link is not name:
        return None
    entry = place.decision
    numbers = dict(entry.numbers) if entry else {}
    return said(reason, {**numbers, **_derived(place, numbers)}, since=entry.at if entry else None, evidence=numbers)


def _derived(place: Place, numbers: Mapping[str, str]) -> dict[str, str]:
    """What the words need and no decision carries."""
    made = {"bot": place.bot.bot_id, "symbol": numbers.get("symbol", place.symbol)}
    closed = numbers.get("last_candle_closed")
    if closed is not None:
        made["age"] = lasting(place.now - datetime.fromisoformat(closed))
        made["last_candle_closed"] = moment(datetime.fromisoformat(closed))
    levels = [numbers[name] for name in ("waits_to_buy", "waits_to_sell") if name in numbers]
    if levels:
        made["level"] = " or ".join(levels)
    return made


def tidy(value: str) -> str:
    """A number without the zeros at its end; any other text as it is."""
    return plain(Decimal(value)) if _DECIMAL.fullmatch(value) else value


def recent(place: Place, at: datetime | None) -> bool:
    """Whether something happened so lately that it explains the present."""
    patience = max(_RECENT, 2 * timedelta(seconds=place.bot.interval_seconds))
    return at is not None and place.now - at <= patience


def moment(at: datetime) -> str:
    """A time to the second."""
    return format_time(at.replace(microsecond=0))


def lasting(length: timedelta) -> str:
    """A length of time: "45 s", "12 min", "3 h 5 min", "2 d 4 h"."""
    seconds = max(int(length.total_seconds()), 0)
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
