"""Alerts from outside: a token per bot that is shown once, and so many alerts a minute."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from surefill.domain.bots import EVALUATED
from surefill.domain.reasons import Reason
from surefill.domain.records import Request
from surefill.domain.rows import Bot
from surefill.domain.times import format_time, minute_of, to_milliseconds
from surefill.ports import Clock, Observer, Store
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Update
from surefill.strategies import STRATEGIES
from surefill.strategies.base import Action, Alert, AlertStrategy
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.errors import ConflictError, RequestRefusedError, TooManyError, UnknownTokenError

PER_MINUTE = 10
# Compared with when there is nothing to compare with, so that a wrong token and an unknown bot take the same time.
_NOBODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Makes tokens and takes alerts."""

    store: Store
    bots: BotControl
    clock: Clock
    observer: Observer

    def create(self, bot_id: str) -> str:
        """A new token; the one before it is worth nothing any more. Only its hash is kept."""
        bot = self.bots.bot(bot_id)
        strategy = STRATEGIES.get(bot.strategy)
        if strategy is None or not issubclass(strategy, AlertStrategy):
            raise ConflictError("bot_id", f"strategy {bot.strategy!r} of bot {bot_id!r} does not listen to alerts")
        token = secrets.token_urlsafe(32)
        self._keep(bot_id, _hash(token))
        return token

    def remove(self, bot_id: str) -> None:
        """Take no more alerts for the bot."""
        self.bots.bot(bot_id)
        self._keep(bot_id, None)

    def take(self, bot_id: str, *, token: str, action: str, price: Decimal | None, symbol: str | None) -> Alert:
        """Hand an alert to the bot. An unknown bot and a wrong token are the same refusal."""
        bot = self.store.get(Bot, bot_id)
        expected = (bot.hook_hash if bot else None) or _NOBODY
        if not hmac.compare_digest(_hash(token), expected) or bot is None or bot.hook_hash is None:
            raise UnknownTokenError("token", "no bot takes alerts with this token")
        self._count(bot_id)
        wanted = _symbol(bot, symbol)
        if bot.state not in EVALUATED:
            raise ConflictError("bot_id", f"bot {bot_id!r} must be ACTIVE or DRAINING to take alerts, is {bot.state}")
        try:
            wish = Action(action.strip().upper())
        except ValueError:
            raise RequestRefusedError("action", f"action must be buy, sell or hold, was {action!r}") from None
        alert = Alert(action=wish, at=self.clock.now(), price=price)
        self.bots.alert(bot, alert, symbol=wanted)
        self.observer.event(Reason.ALERTED, bot=bot_id, symbol=wanted, action=wish, price=str(price))
        return alert

    def _keep(self, bot_id: str, hashed: str | None) -> None:
        there = Guard(name="bot_exists", field="bot_id", op=Op.PRESENT)
        self.store.update(Update(key=Key(Bot, (bot_id,)), set={"hook_hash": hashed}, guards=(there,)))

    def _count(self, bot_id: str) -> None:
        minute = minute_of(self.clock.now())
        room = Guard(name="below_limit", field="count", op=Op.LESS, value=PER_MINUTE, or_missing=True)
        update = Update(
            key=Key(Request, (f"hook|{bot_id}|{format_time(minute)}",)),
            set={"expires_at": to_milliseconds(minute + timedelta(hours=1)) // 1_000},
            add={"count": 1},
            guards=(room,),
        )
        try:
            self.store.update(update)
        except GuardFailedError:
            raise TooManyError("bot_id", f"a bot takes {PER_MINUTE} alerts a minute: send fewer") from None


def _symbol(bot: Bot, symbol: str | None) -> str:
    if symbol is None and len(bot.symbols) == 1:
        return bot.symbols[0]
    if symbol not in bot.symbols:
        raise RequestRefusedError("symbol", f"symbol must be one of {', '.join(bot.symbols)}, was {symbol!r}")
    return symbol


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
