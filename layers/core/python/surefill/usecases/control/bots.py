"""Create, start, stop and read bots; close positions by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.domain import identity
from surefill.domain.bots import cadence_key, check_interval, definition_hash
from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, BotState, Budget, Intent, MarketRules, Slot
from surefill.domain.states import SlotState
from surefill.ports import Clock, Observer, Queue, Store, Workflow
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Update
from surefill.strategies import STRATEGIES
from surefill.usecases.batches import encode
from surefill.usecases.control.accounts import check_name
from surefill.usecases.control.errors import ConflictError, NotFoundError, RequestRefusedError
from surefill.usecases.dispatch import batches
from surefill.usecases.exits import exit_intent


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSpec:
    """What an operator asks for when creating a bot. Percentages in per cent, durations in seconds."""

    name: str
    budget_id: str
    symbols: Sequence[str]
    strategy: str
    params: Mapping[str, str | int | float | bool]
    timeframe: str = "1m"
    interval_seconds: int = 60
    budget_percent: Decimal = Decimal(20)
    take_profit_percent: Decimal = Decimal(3)
    stop_loss_percent: Decimal = Decimal(2)
    slippage_percent: Decimal = Decimal("0.5")
    confirmation_seconds: int = 300
    cooldown_seconds: int = 900
    accept_risk_ratio: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BotControl:
    """Everything an operator does to bots."""

    store: Store
    queue: Queue
    workflow: Workflow
    clock: Clock
    observer: Observer

    def create(self, spec: BotSpec) -> Bot:
        """Create a bot, paused. Refused when it could never trade, or when its twin exists already."""
        check_name(spec.name)
        budget = self.store.get(Budget, spec.budget_id)
        if budget is None:
            raise NotFoundError("budget_id", f"budget {spec.budget_id!r} does not exist")
        venue = budget.account_id.split("-")[1]
        self._check_strategy(spec)
        self._check_numbers(spec)
        self._check_symbols(spec.symbols, venue=venue, currency=budget.currency)
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
            take_profit_percent=spec.take_profit_percent,
            stop_loss_percent=spec.stop_loss_percent,
            slippage_percent=spec.slippage_percent,
            confirmation_seconds=spec.confirmation_seconds,
            cooldown_seconds=spec.cooldown_seconds,
            state=BotState.PAUSED,
            definition_hash="",
            created_at=self.clock.now(),
        )
        bot = replace(bot, definition_hash=definition_hash(bot))
        twin = next((other for other in self.store.all_rows(Bot) if other.definition_hash == bot.definition_hash), None)
        if twin is not None:
            raise ConflictError("name", f"bot {twin.bot_id!r} has exactly this definition already")
        try:
            self.store.insert(bot)
        except GuardFailedError:
            raise ConflictError("name", f"bot {bot.bot_id!r} exists already with another definition") from None
        return bot

    def bot(self, bot_id: str) -> Bot:
        """The bot, or NotFoundError."""
        bot = self.store.get(Bot, bot_id)
        if bot is None:
            raise NotFoundError("bot_id", f"bot {bot_id!r} does not exist")
        return bot

    def set_state(self, bot_id: str, *, state: BotState) -> Bot:
        """Start (ACTIVE), pause, drain or halt a bot. A started bot is evaluated at once, not at its next interval."""
        bot = self.bot(bot_id)
        changed = replace(bot, state=state)
        row = self.store.update(
            Update(
                key=Key(Bot, (bot_id,)),
                set={"state": state, "cadence_key": cadence_key(changed)},
                guards=(Guard(name="bot_exists", field="bot_id", op=Op.PRESENT),),
            )
        )
        assert isinstance(row, Bot)
        self.observer.event(
            Reason.BOT_NOT_ACTIVE if state is not BotState.ACTIVE else Reason.TICK, bot=bot_id, state=state
        )
        if state is BotState.ACTIVE and bot.state is not BotState.ACTIVE:
            tick = _minute_of(self.clock.now())
            self.queue.send([body for batch in batches([row], tick=tick) for body in encode(batch)])
        return row

    def delete(self, bot_id: str) -> None:
        """Delete a bot that holds nothing; its orders, ledger and journal stay."""
        bot = self.bot(bot_id)
        holding = [slot.market_key for slot in self.slots(bot) if slot.state is not SlotState.EMPTY]
        if holding:
            raise ConflictError("bot_id", f"bot {bot_id!r} still holds {', '.join(holding)}: close or drain it first")
        self.store.delete(Key(Bot, (bot_id,)))

    def slots(self, bot: Bot) -> list[Slot]:
        """The bot's places, one per symbol it has ever looked at."""
        owner = identity.owner_key(account_id=bot.account_id, bot_id=bot.bot_id)
        return self.store.get_many(
            Slot, [(identity.market_key(venue=bot.venue, symbol=symbol), owner) for symbol in bot.symbols]
        )

    def close(self, bot_id: str, *, symbol: str) -> Intent:
        """Sell a position now. Asking twice is one sale: both compute the same exit."""
        bot = self.bot(bot_id)
        key = identity.market_key(venue=bot.venue, symbol=symbol)
        slot = self.store.get(Slot, key, identity.owner_key(account_id=bot.account_id, bot_id=bot_id))
        if slot is None or slot.state is not SlotState.OPEN:
            state = slot.state if slot else SlotState.EMPTY
            raise ConflictError("symbol", f"bot {bot_id!r} must have an open position on {symbol}, slot is {state}")
        rules = self.store.get(MarketRules, key)
        if rules is None:
            raise ConflictError("symbol", f"the rules of {symbol} are not known: refresh the markets first")
        now = self.clock.now()
        intent = exit_intent(slot, reason=Reason.MANUAL_EXIT, tick=_minute_of(now), now=now, rules=rules)
        self.workflow.start(intent)
        return intent

    def _check_strategy(self, spec: BotSpec) -> None:
        strategy = STRATEGIES.get(spec.strategy)
        if strategy is None:
            known = ", ".join(sorted(STRATEGIES))
            raise RequestRefusedError("strategy", f"strategy must be one of {known}, was {spec.strategy!r}")
        try:
            strategy(spec.params)
        except ValueError as error:
            raise RequestRefusedError("params", _first_problem(error)) from None

    def _check_numbers(self, spec: BotSpec) -> None:
        for field, low, high in (
            ("budget_percent", ZERO, Decimal(100)),
            ("take_profit_percent", ZERO, Decimal(1_000)),
            ("stop_loss_percent", ZERO, Decimal(99)),
        ):
            value = getattr(spec, field)
            if not low < value <= high:
                raise RequestRefusedError(field, f"{field} must be above {low} and at most {high}, was {value}")
        if not ZERO <= spec.slippage_percent <= Decimal(5):
            raise RequestRefusedError("slippage_percent", f"must be 0 to 5, was {spec.slippage_percent}")
        if spec.take_profit_percent < spec.stop_loss_percent and not spec.accept_risk_ratio:
            raise RequestRefusedError(
                "take_profit_percent",
                f"take_profit_percent ({spec.take_profit_percent}) is below stop_loss_percent"
                f" ({spec.stop_loss_percent}): one stop loses more than one profit wins; raise it, or set"
                " accept_risk_ratio to true",
            )
        if spec.confirmation_seconds < 0 or spec.cooldown_seconds < 0:
            raise RequestRefusedError("confirmation_seconds", "confirmation and cooldown must not be negative")
        try:
            check_interval(interval_seconds=spec.interval_seconds, timeframe=spec.timeframe)
        except ValueError as error:
            raise RequestRefusedError("interval_seconds", str(error)) from None

    def _check_symbols(self, symbols: Sequence[str], *, venue: str, currency: str) -> None:
        if not symbols or len(set(symbols)) != len(symbols):
            raise RequestRefusedError("symbols", f"symbols must be one or more, each once, was {list(symbols)}")
        for symbol in symbols:
            rules = self.store.get(MarketRules, identity.market_key(venue=venue, symbol=symbol))
            if rules is None:
                raise RequestRefusedError("symbols", f"symbol {symbol!r} is not a market of {venue} known here")
            if rules.quote != currency:
                raise RequestRefusedError("symbols", f"{symbol} is paid in {rules.quote}, the budget is in {currency}")
            if not rules.active:
                raise RequestRefusedError("symbols", f"{symbol} is not trading at {venue}")


def _minute_of(moment: datetime) -> datetime:
    return moment - timedelta(seconds=moment.second, microseconds=moment.microsecond)


def _first_problem(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
