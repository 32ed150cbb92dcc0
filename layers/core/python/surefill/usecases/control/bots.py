"""Create, change, start, stop and read bots."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from surefill.domain import identity
from surefill.domain.bots import EVALUATED, cadence_key, definition_hash, scheduled
from surefill.domain.kinds import BotState
from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Bot, Budget, Slot
from surefill.domain.states import SlotState
from surefill.domain.times import minute_of
from surefill.listings import BOTS_OF_DEFINITION
from surefill.ports import Clock, Observer, Queue, Store
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Update
from surefill.strategies.base import Alert
from surefill.usecases.batches import encode
from surefill.usecases.control.accounts import check_name
from surefill.usecases.control.errors import ConflictError, NotFoundError, RequestRefusedError
from surefill.usecases.control.specs import BotSpec, check_ratio, checked, spec_of
from surefill.usecases.control.stops import refuse_while_stopped, standing_stops
from surefill.usecases.dispatch import batches

# What an open position rests on: how its strategy decides about it. Its levels it carries itself.
_RESTS_ON = frozenset({"strategy", "params", "timeframe"})
_FIXED = frozenset({"name", "budget_id"})
_SPEC_FIELDS = (
    "symbols", "strategy", "params", "timeframe", "interval_seconds", "budget_percent", "take_profit_percent",
    "stop_loss_percent", "slippage_percent", "confirmation_seconds", "cooldown_seconds", "sizing", "gates",
    "exit_rules",
)  # fmt: skip
_MOST_SYMBOLS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class BotControl:
    """Everything an operator does to bots."""

    store: Store
    queue: Queue
    clock: Clock
    observer: Observer

    def create(self, spec: BotSpec) -> Bot:
        """Create a bot, paused unless `auto_start`. Refused when it could never trade, or when it has a twin."""
        check_name(spec.name)
        budget = self.store.get(Budget, spec.budget_id)
        if budget is None:
            raise NotFoundError("budget_id", f"budget {spec.budget_id!r} does not exist")
        venue = budget.account_id.split("-")[1]
        spec = checked(spec)
        check_ratio(spec)
        self._check_symbols(spec, venue=venue, currency=budget.currency)
        assert spec.timeframe is not None
        assert spec.interval_seconds is not None
        bot = Bot(
            bot_id=spec.name,
            account_id=budget.account_id,
            budget_id=spec.budget_id,
            venue=venue,
            symbols=tuple(spec.symbols),
            strategy=spec.strategy,
            params=dict(spec.params),
            timeframe=spec.timeframe,
            interval_seconds=spec.interval_seconds,
            budget_percent=spec.budget_percent,
            take_profit_percent=spec.take_profit_percent or ZERO,
            stop_loss_percent=spec.stop_loss_percent or ZERO,
            slippage_percent=spec.slippage_percent,
            confirmation_seconds=spec.confirmation_seconds,
            cooldown_seconds=spec.cooldown_seconds,
            state=BotState.PAUSED,
            definition_hash="",
            created_at=self.clock.now(),
            sizing=spec.sizing,
            gates=spec.gates,
            exit_rules=spec.exit_rules,
        )
        bot = replace(bot, definition_hash=definition_hash(bot))
        self._refuse_twin(bot)
        try:
            self.store.insert(bot)
        except GuardFailedError:
            raise ConflictError("name", f"bot {bot.bot_id!r} exists already with another definition") from None
        return self.set_state(bot.bot_id, state=BotState.ACTIVE) if spec.auto_start else bot

    def bot(self, bot_id: str) -> Bot:
        """The bot, or NotFoundError."""
        bot = self.store.get(Bot, bot_id)
        if bot is None:
            raise NotFoundError("bot_id", f"bot {bot_id!r} does not exist")
        return bot

    def change(self, bot_id: str, changes: Mapping[str, Any]) -> Bot:
        """Change a bot's definition. Open positions keep the levels and exit rules they were opened with.

        Strategy, params and timeframe change only while the bot is not ACTIVE and holds nothing; a symbol is taken
        away only under the same condition on that symbol. So no position is left to rules it was not opened under.
        """
        before = self.bot(bot_id)
        if fixed := sorted(_FIXED & changes.keys()):
            raise RequestRefusedError(fixed[0], f"{fixed[0]} can't be changed: create another bot")
        spec = checked(replace(spec_of(before), **changes))
        if {"take_profit_percent", "stop_loss_percent"} & changes.keys():
            check_ratio(spec)
        if "symbols" in changes:
            budget = self.store.get(Budget, before.budget_id)
            currency = budget.currency if budget else ""
            self._check_symbols(spec, venue=before.venue, currency=currency)
        values = {name: getattr(spec, name) for name in _SPEC_FIELDS}
        values |= {"symbols": tuple(spec.symbols), "params": dict(spec.params)}
        after: Bot = replace(before, **values)
        changed = {name: value for name, value in values.items() if getattr(before, name) != value}
        if not changed:
            return before
        self._refuse_unsafe(before, after, changed=frozenset(changed))
        after = replace(after, definition_hash=definition_hash(after))
        self._refuse_twin(after)
        return self._update(
            before,
            {**changed, "definition_hash": after.definition_hash, **scheduled(after, now=self.clock.now())},
            Guard(name="same_definition", field="definition_hash", op=Op.EQUAL, value=before.definition_hash),
        )

    def set_state(self, bot_id: str, *, state: BotState) -> Bot:
        """Start (ACTIVE), pause, drain or halt a bot. A started bot is evaluated at once, not at its next interval."""
        bot = self.bot(bot_id)
        if state is BotState.ACTIVE:
            # The bot is read before the stops and written under a guard on what was read: a stop pressed in between
            # changes the state first, and then this start is refused.
            refuse_while_stopped(standing_stops(self.store), bot=bot)
        changed = replace(bot, state=state)
        row = self._update(bot, {"state": state, "state_reason": "", **scheduled(changed, now=self.clock.now())})
        self.observer.event(
            Reason.BOT_NOT_ACTIVE if state is not BotState.ACTIVE else Reason.TICK, bot=bot_id, state=state
        )
        if state is BotState.ACTIVE and bot.state is not BotState.ACTIVE:
            self._send(row)
        return row

    def evaluate(self, bot_id: str) -> Bot:
        """Evaluate a bot now, for real, on all its symbols. The same minute again meets its own orders."""
        bot = self.bot(bot_id)
        if bot.state not in EVALUATED:
            raise ConflictError("bot_id", f"bot {bot_id!r} must be ACTIVE or DRAINING to be evaluated, is {bot.state}")
        self._send(bot)
        return bot

    def alert(self, bot: Bot, alert: Alert, *, symbol: str) -> None:
        """Evaluate a bot on one symbol because of an alert."""
        self._send(bot, alert=alert, only=symbol)

    def delete(self, bot_id: str) -> None:
        """Delete a bot that holds nothing; its orders, ledger and journal stay."""
        bot = self.bot(bot_id)
        self._refuse_holding(bot, self.slots(bot))
        # From here on nothing new is claimed, so what is empty now stays so.
        halted = self._update(bot, {"state": BotState.HALTED, "cadence_key": None})
        try:
            self._refuse_holding(bot, self.slots(bot))
        except ConflictError:
            self._update(halted, {"state": bot.state, "cadence_key": cadence_key(bot)})
            raise
        self.store.delete(Key(Bot, (bot_id,)))

    def slots(self, bot: Bot) -> list[Slot]:
        """The bot's places: one per symbol it has ever looked at, and those of its rungs. Strongly consistent."""
        owner = identity.owner_key(account_id=bot.account_id, bot_id=bot.bot_id)
        markets = [identity.market_key(venue=bot.venue, symbol=symbol) for symbol in bot.symbols]
        return [slot for market in markets for slot in self.store.slots_of_market(market, owner=owner, consistent=True)]

    def _send(self, bot: Bot, *, alert: Alert | None = None, only: str | None = None) -> None:
        made = batches([bot], tick=minute_of(self.clock.now()))
        wanted = [replace(batch, alert=alert) for batch in made if only is None or batch.symbol == only]
        self.queue.send([body for batch in wanted for body in encode(batch)])

    def _update(self, before: Bot, changes: Mapping[str, Any], *guards: Guard) -> Bot:
        same = Guard(name="same_state", field="state", op=Op.EQUAL, value=before.state)
        try:
            row = self.store.update(Update(key=Key(Bot, (before.bot_id,)), set=changes, guards=(same, *guards)))
        except GuardFailedError:
            message = f"bot {before.bot_id!r} was changed by somebody else meanwhile: look at it and try again"
            raise ConflictError("bot_id", message) from None
        assert isinstance(row, Bot)
        return row

    def _refuse_twin(self, bot: Bot) -> None:
        found = self.store.page(BOTS_OF_DEFINITION, bot.definition_hash, limit=2).rows
        twin = next((other for other in found if other.bot_id != bot.bot_id), None)
        if twin is not None:
            raise ConflictError("name", f"bot {twin.bot_id!r} has exactly this definition already")

    def _refuse_unsafe(self, before: Bot, after: Bot, *, changed: frozenset[str]) -> None:
        removed = set(before.symbols) - set(after.symbols)
        unsafe = sorted(_RESTS_ON & changed) + (["symbols"] if removed else [])
        if not unsafe:
            return
        if before.state is BotState.ACTIVE:
            raise ConflictError(unsafe[0], f"bot {before.bot_id!r} must be paused before {unsafe[0]} can change")
        slots = self.slots(before)
        if unsafe == ["symbols"]:
            gone = {identity.market_key(venue=before.venue, symbol=symbol) for symbol in removed}
            slots = [slot for slot in slots if slot.market_key in gone]
        self._refuse_holding(before, slots, field=unsafe[0])

    def _refuse_holding(self, bot: Bot, slots: list[Slot], *, field: str = "bot_id") -> None:
        holding = sorted({slot.market_key for slot in slots if slot.state is not SlotState.EMPTY})
        if holding:
            message = f"bot {bot.bot_id!r} still holds {', '.join(holding)}: close or drain it first"
            raise ConflictError(field, message)

    def _check_symbols(self, spec: BotSpec, *, venue: str, currency: str) -> None:
        symbols = spec.symbols
        if not symbols or len(set(symbols)) != len(symbols) or len(symbols) > _MOST_SYMBOLS:
            message = f"symbols must be 1 to {_MOST_SYMBOLS}, each once, was {list(symbols)[:10]}"
            raise RequestRefusedError("symbols", message)
        keys = {symbol: identity.market_key(venue=venue, symbol=symbol) for symbol in symbols}
        found = {
            rules.market_key: rules for rules in self.store.get_many(MarketRules, [(key,) for key in keys.values()])
        }
        for symbol, key in keys.items():
            rules = found.get(key)
            if rules is None:
                raise RequestRefusedError("symbols", f"symbol {symbol!r} is not a market of {venue} known here")
            if rules.quote != currency:
                raise RequestRefusedError("symbols", f"{symbol} is paid in {rules.quote}, the budget is in {currency}")
            if not rules.active:
                raise RequestRefusedError("symbols", f"{symbol} is not trading at {venue}")
