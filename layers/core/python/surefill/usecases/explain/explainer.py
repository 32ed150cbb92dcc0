"""Explain: walk the way of a trade and say where it stopped, since when, and what to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot
from surefill.ports import Clock, Store
from surefill.strategies import STRATEGIES
from surefill.strategies.base import Strategy
from surefill.usecases.control.errors import NotFoundError, RequestRefusedError
from surefill.usecases.explain.evaluation import data_link, gates_link, signal_link
from surefill.usecases.explain.facts import Place, Reader, UnreadableError
from surefill.usecases.explain.making import said
from surefill.usecases.explain.model import Explanation, Link, Story
from surefill.usecases.explain.orders import claim_link, place_link, settle_link
from surefill.usecases.explain.positions import exit_link, protection_link
from surefill.usecases.explain.readiness import Readiness, readiness_of
from surefill.usecases.explain.schedule import schedule_link

_WALK: tuple[Callable[[Place], Link], ...] = (
    schedule_link,
    data_link,
    signal_link,
    gates_link,
    claim_link,
    place_link,
    settle_link,
    protection_link,
    exit_link,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """Answers from the tables alone; writes nothing, asks no venue, reads no logs."""

    store: Store
    clock: Clock
    strategies: Mapping[str, type[Strategy]] = field(default_factory=lambda: STRATEGIES)

    def why(self, bot_id: str, symbol: str | None = None) -> Explanation:
        """Why the bot does what it does on its symbols, or on one. NotFoundError without such a bot.

        A table that can't be read is itself the answer.
        """
        now = self.clock.now()
        try:
            bot = self._bot(bot_id)
            places = self._places(bot, symbol)
        except UnreadableError as error:
            broken = said(Reason.TABLE_UNREADABLE, {"table": error.table, "error": str(error)})
            return Explanation(bot_id=bot_id, at=now, stories=(Story(symbol="", links=(broken,)),))
        return Explanation(
            bot_id=bot.bot_id,
            at=now,
            account_id=bot.account_id,
            budget_id=bot.budget_id,
            mode=places[0].account.mode if places[0].account else None,
            stories=tuple(
                Story(symbol=place.symbol, rung=place.rung, links=tuple(link(place) for link in _WALK))
                for place in places
            ),
        )

    def readiness(self, bot_id: str, symbol: str | None = None) -> tuple[Readiness, ...]:
        """Whether the bot could buy now, symbol by symbol. NotFoundError without such a bot."""
        return tuple(readiness_of(place) for place in self._places(self._bot(bot_id), symbol) if place.rung is None)

    def _bot(self, bot_id: str) -> Bot:
        bot = self._reader().bot(bot_id)
        if bot is None:
            raise NotFoundError("bot_id", f"bot {bot_id!r} does not exist")
        return bot

    def _places(self, bot: Bot, symbol: str | None) -> list[Place]:
        if symbol is not None and symbol not in bot.symbols:
            known = ", ".join(bot.symbols)
            raise RequestRefusedError("symbol", f"symbol must be one of {known} (bot {bot.bot_id}), was {symbol!r}")
        symbols = bot.symbols if symbol is None else (symbol,)
        return self._reader().places(bot, symbols=symbols, now=self.clock.now())

    def _reader(self) -> Reader:
        return Reader(store=self.store, strategies=frozenset(self.strategies))
