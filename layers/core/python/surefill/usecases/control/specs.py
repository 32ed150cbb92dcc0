"""What a bot must be before it is stored: every number in its range, every part fitting the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from surefill.domain.bots import check_interval
from surefill.domain.gates import check_gates
from surefill.domain.money import ZERO, add
from surefill.domain.rows import Bot
from surefill.domain.rules import ExitRules, GateRules, SizingMode, SizingRules
from surefill.domain.times import timeframe_seconds
from surefill.strategies import STRATEGIES
from surefill.strategies.base import Strategy
from surefill.usecases.control.errors import RequestRefusedError

_HUNDRED = Decimal(100)
_DAY = 86_400
_RANGES: tuple[tuple[str, Decimal, Decimal], ...] = (
    ("budget_percent", ZERO, _HUNDRED),
    ("take_profit_percent", ZERO, Decimal(1_000)),
    ("stop_loss_percent", ZERO, Decimal(99)),
)
# Levels a strategy that holds on purpose may do without.
_TAKE_PROFIT, _STOP_LOSS = Decimal(3), Decimal(2)
_LEVELS = frozenset({"take_profit_percent", "stop_loss_percent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSpec:
    """What an operator asks for. Percentages in per cent, durations in seconds; None is the strategy's own default."""

    name: str
    budget_id: str
    symbols: Sequence[str]
    strategy: str
    params: Mapping[str, str | int | float | bool]
    timeframe: str | None = None
    interval_seconds: int | None = None
    budget_percent: Decimal = Decimal(20)
    take_profit_percent: Decimal | None = None
    stop_loss_percent: Decimal | None = None
    slippage_percent: Decimal = Decimal("0.5")
    confirmation_seconds: int = 300
    cooldown_seconds: int = 900
    sizing: SizingRules = field(default_factory=SizingRules)
    gates: GateRules = field(default_factory=GateRules)
    exit_rules: ExitRules = field(default_factory=ExitRules)
    accept_risk_ratio: bool = False
    auto_start: bool = False


def spec_of(bot: Bot) -> BotSpec:
    """The request that would create this bot."""
    return BotSpec(
        name=bot.bot_id,
        budget_id=bot.budget_id,
        symbols=bot.symbols,
        strategy=bot.strategy,
        params=bot.params,
        timeframe=bot.timeframe,
        interval_seconds=bot.interval_seconds,
        budget_percent=bot.budget_percent,
        take_profit_percent=bot.take_profit_percent,
        stop_loss_percent=bot.stop_loss_percent,
        slippage_percent=bot.slippage_percent,
        confirmation_seconds=bot.confirmation_seconds,
        cooldown_seconds=bot.cooldown_seconds,
        sizing=bot.sizing,
        gates=bot.gates,
        exit_rules=bot.exit_rules,
    )


def checked(spec: BotSpec) -> BotSpec:
    """The request with the strategy's defaults in it; RequestRefusedError names the first field that does not fit."""
    strategy = _strategy(spec)
    spec = replace(
        spec,
        timeframe=spec.timeframe or strategy.default_timeframe,
        interval_seconds=spec.interval_seconds or strategy.default_interval_seconds,
        take_profit_percent=_level(spec.take_profit_percent, usual=_TAKE_PROFIT, strategy=strategy),
        stop_loss_percent=_level(spec.stop_loss_percent, usual=_STOP_LOSS, strategy=strategy),
    )
    _check_percentages(spec, strategy=strategy)
    _check_times(spec)
    _check_sizing(spec)
    _check_gates(spec.gates)
    _check_exits(spec.exit_rules)
    return spec


def _level(asked: Decimal | None, *, usual: Decimal, strategy: type[Strategy]) -> Decimal:
    """A level nobody asked for is the usual one, and none for a strategy that holds on purpose."""
    if asked is not None:
        return asked
    return ZERO if strategy.holds_without_stop else usual


def _strategy(spec: BotSpec) -> type[Strategy]:
    strategy = STRATEGIES.get(spec.strategy)
    if strategy is None:
        known = ", ".join(sorted(STRATEGIES))
        raise RequestRefusedError("strategy", f"strategy must be one of {known}, was {spec.strategy!r}")
    try:
        made = strategy(spec.params)
    except ValueError as error:
        raise RequestRefusedError("params", _first_problem(error)) from None
    try:
        for symbol in spec.symbols:
            made.needs(tuple(spec.symbols), symbol)
    except ValueError as error:
        raise RequestRefusedError("symbols", str(error)) from None
    return strategy


def _check_percentages(spec: BotSpec, *, strategy: type[Strategy]) -> None:
    for name, low, high in _RANGES:
        value: Decimal = getattr(spec, name)
        may_be_zero = name in _LEVELS and strategy.holds_without_stop
        if not low <= value <= high or (value == low and not may_be_zero):
            least = f"{low} (none)" if may_be_zero else f"above {low}"
            why = "" if may_be_zero or value or name not in _LEVELS else f"; {spec.strategy} may not hold without one"
            raise RequestRefusedError(name, f"{name} must be {least} and at most {high}, was {value}{why}")
    if not ZERO <= spec.slippage_percent <= Decimal(5):
        raise RequestRefusedError("slippage_percent", f"slippage_percent must be 0 to 5, was {spec.slippage_percent}")
    if spec.budget_percent > spec.sizing.max_percent:
        raise RequestRefusedError(
            "budget_percent",
            f"budget_percent must be at most sizing.max_percent ({spec.sizing.max_percent}), was {spec.budget_percent}:"
            " lower it, or raise the cap",
        )


def check_ratio(spec: BotSpec) -> None:
    """Refuse a take profit below the stop, unless it was insisted on."""
    profit, loss = spec.take_profit_percent, spec.stop_loss_percent
    if spec.accept_risk_ratio or not profit or not loss or profit >= loss:
        return
    raise RequestRefusedError(
        "take_profit_percent",
        f"take_profit_percent ({spec.take_profit_percent}) is below stop_loss_percent ({spec.stop_loss_percent}): one"
        " stop loses more than one profit wins; raise it, or set accept_risk_ratio to true",
    )


def _check_times(spec: BotSpec) -> None:
    for name in ("confirmation_seconds", "cooldown_seconds"):
        value = getattr(spec, name)
        if not 0 <= value <= 30 * _DAY:
            raise RequestRefusedError(name, f"{name} must be 0 to {30 * _DAY} (30 days), was {value}")
    assert spec.timeframe is not None
    assert spec.interval_seconds is not None
    try:
        timeframe_seconds(spec.timeframe)
    except ValueError as error:
        raise RequestRefusedError("timeframe", str(error)) from None
    try:
        check_interval(interval_seconds=spec.interval_seconds, timeframe=spec.timeframe)
    except ValueError as error:
        raise RequestRefusedError("interval_seconds", str(error)) from None


def _check_sizing(spec: BotSpec) -> None:
    rules = spec.sizing
    if rules.mode in (SizingMode.FIXED, SizingMode.HYBRID) and rules.amount is None:
        raise RequestRefusedError("sizing.amount", f"sizing.amount must be given for the sizer {rules.mode}")
    if rules.mode is SizingMode.TIERED and not rules.tiers:
        raise RequestRefusedError("sizing.tiers", "sizing.tiers must hold one or more for the sizer tiered")
    if rules.mode is SizingMode.RISK and not spec.stop_loss_percent:
        raise RequestRefusedError("stop_loss_percent", "stop_loss_percent must be above 0 for the sizer risk")
    for name in ("amount", "max_trade"):
        value = getattr(rules, name)
        if value is not None and value <= ZERO:
            raise RequestRefusedError(f"sizing.{name}", f"sizing.{name} must be above 0, was {value}")
    for name in ("risk_percent", "volatility_percent", "max_percent"):
        _in_range(f"sizing.{name}", getattr(rules, name), above=ZERO, most=_HUNDRED)
    _in_range("sizing.kelly_fraction", rules.kelly_fraction, above=ZERO, most=Decimal(1))
    for name in ("cold_factor", "warm_factor", "hot_factor"):
        _in_range(f"sizing.{name}", getattr(rules, name), least=ZERO, most=Decimal(10))
    _in_range("sizing.minimum_tolerance_percent", rules.minimum_tolerance_percent, least=ZERO, most=_HUNDRED)
    if not 1 <= rules.kelly_trades <= 100:
        raise RequestRefusedError("sizing.kelly_trades", f"sizing.kelly_trades must be 1 to 100: {rules.kelly_trades}")
    for tier in rules.tiers:
        _in_range("sizing.tiers", tier.percent, above=ZERO, most=_HUNDRED)
        _in_range("sizing.tiers", tier.from_equity, least=ZERO)


def _check_gates(rules: GateRules) -> None:
    try:
        check_gates(rules)
    except ValueError as error:
        raise RequestRefusedError("gates", str(error)) from None
    _in_range("gates.max_gap_percent", rules.max_gap_percent, above=ZERO, most=_HUNDRED)
    for name in ("stop_loss_guard", "max_drawdown", "low_profit"):
        rule = getattr(rules, name)
        if rule is not None and (
            rule.trades < 1 or not 0 < rule.lookback_seconds <= 90 * _DAY or not 0 < rule.pause_seconds <= 90 * _DAY
        ):
            message = f"gates.{name} must count 1 or more trades in up to 90 days, and pause up to 90 days"
            raise RequestRefusedError(f"gates.{name}", message)
    if not 1 <= rules.adviser_seconds <= 25:
        raise RequestRefusedError("gates.adviser_seconds", f"must be 1 to 25 seconds, was {rules.adviser_seconds}")
    if rules.adviser_calls_per_day < 0:
        raise RequestRefusedError("gates.adviser_calls_per_day", "must not be negative")


def _check_exits(rules: ExitRules) -> None:
    if rules.trailing_percent is not None:
        _in_range("exit_rules.trailing_percent", rules.trailing_percent, above=ZERO, most=Decimal(99))
    for name in ("trailing_from_percent", "break_even_margin_percent"):
        _in_range(f"exit_rules.{name}", getattr(rules, name), least=ZERO, most=Decimal(1_000))
    for name in ("break_even_from_percent", "atr_stop_multiple"):
        value = getattr(rules, name)
        if value is not None:
            _in_range(f"exit_rules.{name}", value, above=ZERO, most=Decimal(1_000))
    if rules.time_limit_seconds is not None and rules.time_limit_seconds < 1:
        raise RequestRefusedError("exit_rules.time_limit_seconds", "time_limit_seconds must be 1 or more")
    if any(step.after_seconds < 0 for step in rules.roi):
        raise RequestRefusedError("exit_rules.roi", "after_seconds must not be negative")
    if any(not ZERO < step.share <= 1 or step.percent <= ZERO for step in rules.ladder):
        raise RequestRefusedError("exit_rules.ladder", "each step needs a percent above 0 and a share above 0 up to 1")
    if rules.ladder and add(*(step.share for step in rules.ladder)) > 1:
        raise RequestRefusedError("exit_rules.ladder", "the shares of all steps must not be above 1 together")


def _in_range(
    name: str,
    value: Decimal,
    *,
    above: Decimal | None = None,
    least: Decimal | None = None,
    most: Decimal | None = None,
) -> None:
    too_low = (above is not None and value <= above) or (least is not None and value < least)
    if too_low or (most is not None and value > most):
        low = f"above {above}" if above is not None else f"at least {least}"
        high = f" and at most {most}" if most is not None else ""
        raise RequestRefusedError(name, f"{name} must be {low}{high}, was {value}")


def _first_problem(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
