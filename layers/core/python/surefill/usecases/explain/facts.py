"""What `why` reads: all that a bot's way of a trade leaves in the tables, in eight requests and one per symbol."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from surefill.domain import identity
from surefill.domain.kinds import BotState, Leg
from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules, ScheduleRow, Stop
from surefill.domain.rows import Account, Bot, Budget, Intent, JournalEntry, Row, Slot
from surefill.domain.states import SlotState
from surefill.ports import Store, StoreUnavailableError
from surefill.usecases.control.schedules import EVERY
from surefill.usecases.control.stops import covers_bot, standing_stops

SCHEDULES = tuple(EVERY)
# Newest orders and journal entries looked at. A decision older than that is known by its reason, not by its numbers.
_ORDERS = 50
_ENTRIES = 100
Answer = TypeVar("Answer")


class UnreadableError(Exception):
    """A table can't be read. `table` is its name."""

    def __init__(self, table: str, message: str) -> None:
        self.table = table
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of a bot: a symbol, or a rung of its grid there. Orders and journal are of this place, newest first."""

    bot: Bot
    symbol: str
    rung: str | None
    slot: Slot
    account: Account | None
    budget: Budget | None
    rules: MarketRules | None
    orders: tuple[Intent, ...]
    journal: tuple[JournalEntry, ...]
    schedules: Mapping[str, ScheduleRow]
    stops: tuple[Stop, ...]
    strategies: frozenset[str]
    now: datetime

    @property
    def unfinished(self) -> datetime | None:
        """The last tick whose evaluation of the market was begun more than once and not finished."""
        row = self.schedules.get(_evaluation_key(self.bot, self.symbol))
        return row.last_tick if row and "finished" not in row.counts else None

    @property
    def decision(self) -> JournalEntry | None:
        """The decision the slot remembers, as it was journalled when it was first made."""
        return next(
            (one for one in self.journal if one.kind == "decision" and one.reason is self.slot.last_reason), None
        )

    def event(self, reason: Reason, *, kind: str) -> JournalEntry | None:
        """The newest entry of this kind and reason."""
        return next((one for one in self.journal if one.kind == kind and one.reason is reason), None)

    def about(self, order: Intent) -> JournalEntry | None:
        """What was last journalled while an order was placed or settled."""
        kinds = (f"place-{order.leg.lower()}", f"claim-{order.leg.lower()}")
        return next((one for one in self.journal if one.kind in kinds and one.intent_id == order.intent_id), None)

    @property
    def entry(self) -> Intent | None:
        """The newest buy."""
        return next((one for one in self.orders if one.leg is not Leg.EXIT), None)

    @property
    def exit(self) -> Intent | None:
        """The newest sale."""
        return next((one for one in self.orders if one.leg is Leg.EXIT), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads the places of a bot."""

    store: Store
    strategies: frozenset[str]

    def bot(self, bot_id: str) -> Bot | None:
        """The bot, None when there is none."""
        return _read(Bot, lambda: self.store.get(Bot, bot_id))

    def places(self, bot: Bot, *, symbols: Sequence[str], now: datetime) -> list[Place]:
        """One place per symbol, and one per rung of a grid that is not empty."""
        store = self.store
        account = _read(Account, lambda: store.get(Account, bot.account_id))
        budget = _read(Budget, lambda: store.get(Budget, bot.budget_id))
        keys = {symbol: identity.market_key(venue=bot.venue, symbol=symbol) for symbol in symbols}
        rules = _read(MarketRules, lambda: store.get_many(MarketRules, [(key,) for key in keys.values()]))
        names = [*SCHEDULES, *(_evaluation_key(bot, symbol) for symbol in symbols)]
        schedules = _read(ScheduleRow, lambda: store.get_many(ScheduleRow, [(name,) for name in names]))
        orders = _read(Intent, lambda: store.intents_of_bot(bot.bot_id, limit=_ORDERS))
        journal = _read(JournalEntry, lambda: store.journal_of(bot.bot_id, limit=_ENTRIES))
        slots = [(symbol, slot) for symbol, key in keys.items() for slot in self._slots(bot, key)]
        stops = self._stops(bot) if _something_is_off(bot, budget, [slot for _, slot in slots]) else ()
        return _in_order(
            [
                Place(
                    bot=bot,
                    symbol=symbol,
                    rung=slot.rung,
                    slot=slot,
                    account=account,
                    budget=budget,
                    rules=next((one for one in rules if one.symbol == symbol), None),
                    orders=tuple(one for one in orders if (one.symbol, one.rung) == (symbol, slot.rung)),
                    journal=tuple(one for one in journal if one.symbol == symbol),
                    schedules={one.schedule_name: one for one in schedules},
                    stops=stops,
                    strategies=self.strategies,
                    now=now,
                )
                for symbol, slot in slots
            ]
        )

    def _slots(self, bot: Bot, market_key: str) -> list[Slot]:
        """The bot's own slot of a market, stored or not, and its rungs there that are not empty."""
        owner = identity.owner_key(account_id=bot.account_id, bot_id=bot.bot_id)
        found = list(_read(Slot, lambda: self.store.slots_of_market(market_key, owner=owner, consistent=True)))
        own = next((slot for slot in found if slot.owner_key == owner), Slot(market_key=market_key, owner_key=owner))
        return [own, *(slot for slot in found if slot.owner_key != owner and slot.state is not SlotState.EMPTY)]

    def _stops(self, bot: Bot) -> tuple[Stop, ...]:
        """The uses of the kill switch that stand for this bot, newest first."""
        standing = _read(Stop, lambda: list(standing_stops(self.store)))
        return tuple(
            sorted((stop for stop in standing if covers_bot(stop, bot)), key=lambda stop: stop.at, reverse=True)
        )


def _evaluation_key(bot: Bot, symbol: str) -> str:
    return identity.evaluation_key(venue=bot.venue, symbol=symbol, timeframe=bot.timeframe)


def _in_order(places: Iterable[Place]) -> list[Place]:
    """Symbols as the bot lists them; of a grid its own place, then its sales, then its buys nearest the market."""
    return sorted(places, key=lambda one: (one.bot.symbols.index(one.symbol), one.rung is not None, -_level(one)))


def _level(place: Place) -> Decimal:
    """The price the newest order of a rung waits for."""
    price = place.orders[0].limit_price if place.orders else None
    return price or ZERO


def _something_is_off(bot: Bot, budget: Budget | None, slots: Iterable[Slot]) -> bool:
    """Whether a person may have stopped something: only then the stops are read."""
    entries_off = budget is not None and not budget.entries_allowed
    return bot.state is not BotState.ACTIVE or entries_off or any(slot.frozen for slot in slots)


def _read(row: type[Row], read: Callable[[], Answer]) -> Answer:
    """A read; a store that refuses for good (a missing table, a missing permission) raises a RuntimeError."""
    try:
        return read()
    except (StoreUnavailableError, RuntimeError) as error:
        raise UnreadableError(row.TABLE, str(error)[:200]) from error
