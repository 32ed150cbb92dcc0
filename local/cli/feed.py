"""What is new on a stage since it was last looked at: decisions, exits, stops and orders, each told once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from local.client.api import ApiClient

_JOURNALS = ("decisions", "exit-events", "risk-events")
_PAGE = 50
_ORDERS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that happened: an entry of the journal, or an order in a new state."""

    at: datetime
    bot: str
    order: bool
    item: Mapping[str, Any]


class Feed:
    """Reads the journals and orders of some bots back to where it has read before, or to `since`."""

    def __init__(self, api: ApiClient, *, bots: Sequence[str], since: datetime) -> None:
        self._api = api
        self._bots = bots
        self._since = since
        self._told: set[tuple[str, ...]] = set()

    def news(self) -> list[News]:
        """What is new, oldest first."""
        found = [news for bot in self._bots for news in (*self._journal(bot), *self._orders(bot))]
        return sorted(found, key=lambda news: (news.at, news.bot, news.order))

    def _journal(self, bot: str) -> Iterator[News]:
        for route in _JOURNALS:
            for entry in self._back_to_known(bot, route):
                key = (bot, str(entry["entry_key"]))
                if key not in self._told:
                    self._told.add(key)
                    yield News(at=moment_of(entry["at"]), bot=bot, order=False, item=entry)

    def _back_to_known(self, bot: str, route: str) -> Iterator[Mapping[str, Any]]:
        """Entries, newest first, until one was read before on this route, or is older than what was asked for."""
        following: str | None = None
        while True:
            page = self._api.get("bots", bot, route, limit=_PAGE, next=following)
            for entry in page["items"]:
                key = (route, bot, str(entry["entry_key"]))
                if key in self._told or moment_of(entry["at"]) < self._since:
                    return
                self._told.add(key)
                yield entry
            following = page.get("next")
            if not following:
                return

    def _orders(self, bot: str) -> Iterator[News]:
        """Orders in a state they were not seen in; an order is new again when it comes further."""
        for order in self._api.get("bots", bot, "orders", limit=_ORDERS)["items"]:
            key = ("order", str(order["intent_id"]), str(order["state"]))
            at = moment_of(order.get("finished_at") or order.get("sent_at") or order["created_at"])
            if key not in self._told and at >= self._since:
                self._told.add(key)
                yield News(at=at, bot=bot, order=True, item=order)


def moment_of(text: Any) -> datetime:
    """A time of the API."""
    return datetime.fromisoformat(str(text))
