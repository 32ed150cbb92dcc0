"""From what was asked for on the command line to a backtest that can be run, checked before any candle is read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.backtest.botfile import amount, read_bot_file
from local.backtest.costs import Costs
from local.backtest.spec import VENUE, BacktestSpec, BotPlan, BudgetPlan, EngineKind, FillModel
from local.errors import LocalError
from surefill.domain import identity
from surefill.domain.money import AmountError, to_decimal
from surefill.domain.records import MarketRules
from surefill.domain.times import parse_time, to_milliseconds
from surefill.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from surefill.strategies.base import Strategy

_SYMBOL = re.compile(r"^[A-Z0-9]{1,15}/[A-Z0-9]{2,10}$")
_RULE_FIELDS = ("quantity_step", "price_step", "min_quantity", "min_notional")
_LIMIT_FIELDS = (
    "max_open_positions",
    "max_trades_per_day",
    "max_daily_loss",
    "max_exposure_per_asset",
    "max_drawdown",
    "time_zone",
)
_COUNTS = ("max_open_positions", "max_trades_per_day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options as they were given. File n belongs to symbol n; `bots` are bot files."""

    candles: Sequence[Path]
    symbols: Sequence[str]
    bots: Sequence[Path] = ()
    strategy: str | None = None
    params: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    fields: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    budget: str = "10000"
    fee: str = "0.001"
    slippage: str = "0"
    fill: FillModel = FillModel.NEXT_OPEN
    engine: EngineKind = EngineKind.AUTO
    fee_in_quote: bool = False
    volume_share: str | None = None
    rules: Path | None = None
    since: str | None = None
    until: str | None = None


def make_spec(asked: Asked, *, strategies: Mapping[str, type[Strategy]] = STRATEGIES) -> BacktestSpec:
    """The backtest that was asked for. Raises LocalError with one sentence."""
    files = _files(asked)
    bodies = [read_bot_file(path) for path in asked.bots]
    for path, body in zip(asked.bots, bodies, strict=True):
        body.setdefault("name", _name_of(path.stem))
    if asked.strategy is not None:
        bodies.append({"name": _name_of(asked.strategy), "strategy": asked.strategy})
    if not bodies:
        raise LocalError("nothing to run: give --bot FILE or --strategy NAME")
    budgets: dict[str, BudgetPlan] = {}
    bots = [_bot(body, asked=asked, files=files, strategies=strategies, budgets=budgets) for body in bodies]
    names = [bot.name for bot in bots]
    if len(set(names)) != len(names):
        raise LocalError(f"each bot must have a name of its own, were {', '.join(names)}")
    costs = Costs(
        fee=amount(asked.fee, option="--fee"),
        slippage_percent=amount(asked.slippage, option="--slippage"),
        fee_in_quote=asked.fee_in_quote,
        volume_share=None if asked.volume_share is None else amount(asked.volume_share, option="--volume-share"),
    )
    return BacktestSpec(
        files=files,
        budgets=tuple(budgets.values()),
        bots=tuple(bots),
        fill=asked.fill,
        engine=asked.engine,
        costs=costs,
        rules=read_rules(asked.rules, fee=costs.fee) if asked.rules is not None else {},
        since_ms=_moment(asked.since, option="--since"),
        until_ms=_moment(asked.until, option="--until"),
        strategies=strategies,
    )


def _files(asked: Asked) -> dict[str, Path]:
    if len(asked.candles) != len(asked.symbols) or not asked.candles:
        raise LocalError(
            f"each --candles needs one --symbol, were {len(asked.candles)} files and {len(asked.symbols)} symbols"
        )
    for symbol in asked.symbols:
        if not _SYMBOL.match(symbol):
            raise LocalError(f"--symbol must be base/quote such as BTC/USDT, was {symbol!r}")
    if len(set(asked.symbols)) != len(asked.symbols):
        raise LocalError(f"each symbol may be given once, were {', '.join(asked.symbols)}")
    quotes = sorted({symbol.partition("/")[2] for symbol in asked.symbols})
    if len(quotes) != 1:
        raise LocalError(f"all symbols must be paid in one currency, were in {', '.join(quotes)}")
    return dict(zip(asked.symbols, asked.candles, strict=True))


def _bot(
    body: dict[str, Any],
    *,
    asked: Asked,
    files: Mapping[str, Path],
    strategies: Mapping[str, type[Strategy]],
    budgets: dict[str, BudgetPlan],
) -> BotPlan:
    body = _with_fields(body, asked.fields)
    name = str(body.get("strategy", ""))
    strategy = strategies.get(name)
    if strategy is None:
        raise LocalError(f"strategy must be one of {', '.join(sorted(strategies))}, was {name!r}")
    money = body.pop("budget", None) or {}
    if not isinstance(money, dict):
        raise LocalError(f"bot {body['name']!r}: budget must hold an amount and limits, was {money!r}")
    budget = str(body.pop("budget_id", body["name"]))
    body.setdefault("symbols", list(files))
    body.setdefault("timeframe", strategy.default_timeframe)
    body.setdefault("interval_seconds", strategy.default_interval_seconds)
    body["params"] = {**(body.get("params") or {}), **asked.params}
    budgets.setdefault(budget, _budget(budget, money, asked=asked))
    missing = [symbol for symbol in body["symbols"] if symbol not in files]
    if missing:
        raise LocalError(f"bot {body['name']!r}: candles of {', '.join(map(str, missing))} were not given")
    return BotPlan(budget=budget, body=body)


def _with_fields(body: Mapping[str, Any], fields: Mapping[str, str | int | float | bool]) -> dict[str, Any]:
    """The body with fields set; "sizing.amount" is a field of a field. The API takes amounts as text."""
    changed = dict(body)
    for name, value in fields.items():
        *parents, last = name.split(".")
        place = changed
        for parent in parents:
            inner = place.get(parent) or {}
            if not isinstance(inner, dict):
                raise LocalError(f"--set {name}: {parent} is {inner!r} and has no fields")
            place[parent] = dict(inner)
            place = place[parent]
        place[last] = repr(value) if isinstance(value, float) else value
    return changed


def _budget(name: str, money: Mapping[str, Any], *, asked: Asked) -> BudgetPlan:
    unknown = sorted(set(money) - {"amount", *_LIMIT_FIELDS})
    if unknown:
        expected = ", ".join(("amount", *_LIMIT_FIELDS))
        raise LocalError(f"budget {name!r}: unknown fields {', '.join(unknown)}, expected some of {expected}")
    limits = {
        limit: value if limit in _COUNTS or limit == "time_zone" else amount(str(value), option=f"budget {limit}")
        for limit, value in money.items()
        if limit != "amount"
    }
    if "max_drawdown" in limits:
        limits["realised_floor"] = -limits["max_drawdown"]
    total = amount(str(money.get("amount", asked.budget)), option="--budget")
    if total <= 0:
        raise LocalError(f"--budget must be above 0, was {total}")
    return BudgetPlan(name=name, amount=total, limits=limits)


def read_rules(path: Path, *, fee: Decimal) -> dict[str, MarketRules]:
    """Trading rules from a JSON file: {"BTC/USDT": {"quantity_step": "0.00001", ...}}. Raises LocalError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LocalError(f"{path}: no such file, expected a JSON file of trading rules") from None
    except (OSError, ValueError) as error:
        raise LocalError(f"{path}: can't be read as JSON: {error}") from None
    if not isinstance(content, dict):
        raise LocalError(f"{path}: must hold rules by symbol, holds {type(content).__name__}")
    return {symbol: _rules(path, symbol, fields, fee=fee) for symbol, fields in content.items()}


def _rules(path: Path, symbol: str, fields: Any, *, fee: Decimal) -> MarketRules:
    from local.backtest.setting_up import permissive_rules

    if not isinstance(fields, dict) or set(fields) - set(_RULE_FIELDS):
        raise LocalError(f"{path}: rules of {symbol} must be some of {', '.join(_RULE_FIELDS)}, were {fields!r}")
    base = permissive_rules(symbol, fee=fee)
    try:
        given = {name: to_decimal(value, name=name) for name, value in fields.items()}
    except AmountError as error:
        raise LocalError(f"{path}: rules of {symbol}: {error}") from None
    for name in ("quantity_step", "price_step"):
        if given.get(name, Decimal(1)) <= 0:
            raise LocalError(f"{path}: {name} of {symbol} must be above 0, was {given[name]}")
    return MarketRules(
        market_key=identity.market_key(venue=VENUE, symbol=symbol),
        symbol=symbol,
        base=base.base,
        quote=base.quote,
        quantity_step=given.get("quantity_step", base.quantity_step),
        price_step=given.get("price_step", base.price_step),
        min_quantity=given.get("min_quantity", base.min_quantity),
        min_notional=given.get("min_notional", base.min_notional),
        taker_fee=fee,
        active=True,
        fetched_at=base.fetched_at,
    )


def _moment(text: str | None, *, option: str) -> int | None:
    if text is None:
        return None
    try:
        return to_milliseconds(parse_time(text if "T" in text else f"{text}T00:00:00Z"))
    except ValueError:
        raise LocalError(f"{option} must be a date or an ISO 8601 time with a zone, was {text!r}") from None


def _name_of(text: str) -> str:
    """A bot's name made of a file's or strategy's: lower-case letters, digits and underscores."""
    return re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_")[:32] or "bot"
