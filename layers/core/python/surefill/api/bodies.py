"""Request bodies, one per kind of request."""

from decimal import Decimal
from typing import Any

from pydantic import Field

from surefill.api.amounts import Amount, Body, Id, Percent, Words
from surefill.api.rules import ExitsBody, GatesBody, SizingBody, rules_from
from surefill.domain.kinds import Mode, Scope, StopKind
from surefill.domain.rules import ExitRules, GateRules, SizingRules
from surefill.strategies.base import Action
from surefill.usecases.control.accounts import LIMITS, Limits
from surefill.usecases.control.positions import LevelChange
from surefill.usecases.control.specs import BotSpec


class AccountBody(Body):
    """An account at a venue: paper, or live with the secret that holds its API keys."""

    name: str
    venue: str
    mode: Mode
    currency: str = Field(min_length=2, max_length=10, pattern="^[A-Za-z0-9]+$")
    secret_name: Id | None = None
    paper_balance: Amount | None = None


class ImportBody(Body):
    """Whose past trades to read from the venue: symbols of the account, since an ISO 8601 time with a zone."""

    symbols: list[Id] = Field(min_length=1, max_length=20)
    since: str = Field(max_length=40, examples=["2026-01-31T00:00:00Z"])


class LimitsBody(Body):
    """Limits of a budget; they hold inside every claim. null takes one away."""

    max_open_positions: int | None = Field(None, ge=1, le=10**9)
    max_trades_per_day: int | None = Field(None, ge=1, le=10**9)
    max_daily_loss: Amount | None = None
    max_exposure_per_asset: Amount | None = None
    max_drawdown: Amount | None = None
    time_zone: Id | None = None

    def changes(self) -> dict[str, Any]:
        """The limits that were given."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set & set(LIMITS))}


class BudgetBody(LimitsBody):
    """Money of an account for bots, with its limits."""

    account_id: Id
    name: str
    amount: Amount

    def limits(self) -> Limits:
        """The limits alone."""
        return Limits(**self.changes())


class AmountBody(Body):
    """An amount to move, under an id that makes a repetition harmless (the Idempotency-Key, when absent)."""

    amount: Amount
    request_id: str | None = Field(None, min_length=1, max_length=64)


class ShrinkBody(Body):
    """How much of a budget's funds shall be left."""

    to: Amount
    request_id: str | None = Field(None, min_length=1, max_length=64)


class _Definition(Body):
    params: dict[str, str | int | float | bool] = Field(default_factory=dict, max_length=100)
    timeframe: str | None = None
    interval_seconds: int | None = None
    budget_percent: Percent = Decimal(20)
    take_profit_percent: Percent | None = None
    stop_loss_percent: Percent | None = None
    slippage_percent: Percent = Decimal("0.5")
    confirmation_seconds: int = 300
    cooldown_seconds: int = 900
    sizing: SizingBody | None = None  # type: ignore[valid-type]
    gates: GatesBody | None = None  # type: ignore[valid-type]
    exit_rules: ExitsBody | None = None  # type: ignore[valid-type]
    accept_risk_ratio: bool = False

    def given(self) -> dict[str, Any]:
        """What was given, in the product's words; absent rules are the default ones."""
        values = {name: getattr(self, name) for name in sorted(self.model_fields_set)}
        if "sizing" in values:
            values["sizing"] = rules_from(SizingRules, _plain(values["sizing"]), field="sizing")
        if "gates" in values:
            values["gates"] = rules_from(GateRules, _plain(values["gates"]), field="gates")
        if "exit_rules" in values:
            values["exit_rules"] = rules_from(ExitRules, _plain(values["exit_rules"]), field="exit_rules")
        return values


def _plain(body: Body | None) -> dict[str, Any]:
    return {} if body is None else body.model_dump(mode="json", exclude_unset=True)


class BotBody(_Definition):
    """A bot. Percentages in per cent, durations in seconds; absent timeframe and interval are the strategy's own."""

    name: str
    budget_id: Id
    symbols: list[Id] = Field(max_length=100)
    strategy: Id
    auto_start: bool = False

    def spec(self) -> BotSpec:
        """The request in the product's words."""
        return BotSpec(**{"params": {}, **self.given()})


class BotChangeBody(_Definition):
    """What to change of a bot; what is absent stays as it is."""

    symbols: list[Id] = Field(default_factory=list, max_length=100)
    strategy: Id = ""


class PositionBody(Body):
    """Which position: the bot, the symbol, and the rung of a grid."""

    bot_id: Id
    symbol: Id
    rung: Id | None = None


class LevelsBody(PositionBody):
    """New levels of a position, in per cent of its average cost. Absent: as it is; 0: none."""

    take_profit_percent: Percent | None = None
    stop_loss_percent: Percent | None = None
    trailing_percent: Percent | None = None

    def change(self) -> LevelChange:
        """The request in the product's words."""
        return LevelChange(
            take_profit_percent=self.take_profit_percent,
            stop_loss_percent=self.stop_loss_percent,
            trailing_percent=self.trailing_percent,
        )


class EvaluateBody(Body):
    """Evaluate now: for real, or dry."""

    dry: bool = False


class SimulateBody(Body):
    """What would the bot do; `signal` takes the place of what its strategy would say."""

    signal: Action | None = None
    symbol: Id | None = None


class PanicBody(Body):
    """What to stop: everything, or one account, or one bot (`target` is its id)."""

    kind: StopKind
    scope: Scope
    target: Id | None = None
    why: Words = ""


class ResumeBody(Body):
    """Which stop to lift, and why."""

    stop_id: Id
    why: Words = ""


class ReconcileBody(Body):
    """dry: tell the differences as last stored; otherwise settle and compare now."""

    dry: bool = True


class AlertBody(Body):
    """What a charting service sends."""

    action: str = Field(max_length=20)
    token: str = Field(max_length=200)
    price: str | float | None = Field(None, description="the price it saw, as text or number")
    symbol: Id | None = None
