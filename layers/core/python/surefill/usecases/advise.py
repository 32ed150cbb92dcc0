"""Advise: ask a bot's adviser about a buy that every other gate lets through, within its budget of calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.domain.advice import Advice, AdviceRequest, AdviserLimits, rule_advice
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Slot
from surefill.domain.rules import AdviserPolicy
from surefill.domain.times import day_of, format_time, timeframe_seconds
from surefill.ports import Adviser, AdviserUnavailableError, Store
from surefill.protocol.transaction import Guard, GuardFailedError, Op, Update, key_of
from surefill.strategies.market import MarketView
from surefill.usecases.facts import decimal_of

# All within the candles that `facts` asks for.
_AVERAGE, _BEFORE, _RANGE, _CLOSES = 50, 10, 14, 30
_WHY_LENGTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAdviser:
    """The built-in adviser: no outside call, no cost."""

    limits: AdviserLimits = field(default_factory=AdviserLimits)

    @property
    def metered(self) -> bool:
        """It may be asked as often as one likes."""
        return False

    def advise(self, request: AdviceRequest, *, seconds: int) -> Advice:
        """Judge by trend and volatility."""
        advice = rule_advice(request, limits=self.limits)
        if advice is None:
            raise AdviserUnavailableError("too few candles for the long average and the volatility")
        return advice


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviserGate:
    """Asks the adviser a bot names. What it said, or why it said nothing, goes into the decision's numbers."""

    store: Store
    advisers: Mapping[str, Adviser]

    def ask(self, bot: Bot, *, slot: Slot, request: AdviceRequest) -> Refusal | dict[str, str]:
        """The numbers of an allowed buy (none when the bot has no adviser), or the refusal.

        A block stands until the next candle: the same question is not paid for twice.
        """
        name = bot.gates.adviser
        if name is None:
            return {}
        if _blocked_before(bot, slot=slot, tick=request.tick):
            asked = {"adviser": name, "advice": "block", "asked_at": format_time(slot.advised_at or request.tick)}
            return Refusal(reason=Reason.ADVISER_BLOCKED, numbers=asked)
        try:
            advice = self._advice(bot, name=name, slot=slot, request=request)
        except AdviserUnavailableError as error:
            policy = bot.gates.adviser_policy
            told = {"adviser": name, "advice": "none", "why": str(error)[:_WHY_LENGTH], "policy": policy.value}
            return told if policy is AdviserPolicy.IGNORE else Refusal(reason=Reason.ADVISER_UNAVAILABLE, numbers=told)
        told = {
            "adviser": name,
            "advice": "allow" if advice.allow else "block",
            "why": advice.reason[:_WHY_LENGTH],
            "confidence": str(advice.confidence),
        }
        return told if advice.allow else Refusal(reason=Reason.ADVISER_BLOCKED, numbers=told)

    def _advice(self, bot: Bot, *, name: str, slot: Slot, request: AdviceRequest) -> Advice:
        adviser = self.advisers.get(name)
        if adviser is None:
            known = ", ".join(sorted(self.advisers)) or "none"
            raise AdviserUnavailableError(f"adviser must be one of {known}, was {name!r}")
        if adviser.metered:
            self._count(bot, slot=slot, tick=request.tick)
        return adviser.advise(request, seconds=bot.gates.adviser_seconds)

    def _count(self, bot: Bot, *, slot: Slot, tick: datetime) -> None:
        """Take one call from the day's budget before it is made; who evaluates the same slot at once gets none."""
        today = slot.advised_at is not None and day_of(slot.advised_at) == day_of(tick)
        calls, allowed = slot.advice_calls if today else 0, bot.gates.adviser_calls_per_day
        if calls >= allowed:
            raise AdviserUnavailableError(f"asked {calls} times today, {allowed} are allowed")
        unchanged = Guard(
            name="not_asked_meanwhile",
            field="advised_at",
            op=Op.EQUAL if slot.advised_at else Op.MISSING,
            value=slot.advised_at,
        )
        owner = {"bot_id": bot.bot_id, "account_id": bot.account_id, "budget_id": bot.budget_id}
        counted = {**owner, "advised_at": tick, "advice_calls": calls + 1}
        try:
            self.store.update(Update(key=key_of(slot), set=counted, guards=(unchanged,)))
        except GuardFailedError:
            raise AdviserUnavailableError("another evaluation is asking the same") from None


def advice_request(
    bot: Bot, *, symbol: str, tick: datetime, price: Decimal, market: MarketView | None, signal: Mapping[str, str]
) -> AdviceRequest:
    """The request about buying at `price`; `market` is the history of its facts, None when there are too few."""
    bare = AdviceRequest(
        bot_id=bot.bot_id,
        strategy=bot.strategy,
        symbol=symbol,
        timeframe=bot.timeframe,
        tick=tick,
        price=price,
        signal=dict(signal),
    )
    if market is None:
        return bare
    return replace(
        bare,
        average=decimal_of(market.sma(_AVERAGE)),
        average_before=decimal_of(market.sma(_AVERAGE, ago=_BEFORE)),
        volatility_percent=decimal_of(market.atr(_RANGE) / market.close() * 100),
        closes=tuple(decimal_of(value) for value in market.window("close", _CLOSES)),
    )


def _blocked_before(bot: Bot, *, slot: Slot, tick: datetime) -> bool:
    if slot.last_reason is not Reason.ADVISER_BLOCKED or slot.advised_at is None:
        return False
    return tick - slot.advised_at < timedelta(seconds=timeframe_seconds(bot.timeframe))
