"""Request bodies. Amounts are text ("12.5"), never JSON floats; unknown fields are refused."""

from decimal import Decimal
from functools import partial
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from surefill.domain.money import to_decimal
from surefill.domain.rows import Mode
from surefill.usecases.control.bots import BotSpec

_LARGEST = Decimal(10) ** 15


def _decimal(value: object, *, places: int) -> Decimal:
    amount = to_decimal(value)  # type: ignore[arg-type]
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > places or abs(amount) >= _LARGEST:
        raise ValueError(f"must have at most {places} decimals and be below {_LARGEST:,}, was {value!r}")
    return amount


def _schema(places: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": rf"^-?\d{{1,15}}(\.\d{{1,{places}}})?$", "examples": ["12.5"]})


Amount = Annotated[Decimal, BeforeValidator(partial(_decimal, places=8)), _schema(8)]
Percent = Annotated[Decimal, BeforeValidator(partial(_decimal, places=4)), _schema(4)]


class Body(BaseModel):
    """Base of all bodies. Built at their first use: a start pays only for the routes that are called."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class AccountBody(Body):
    """An account at a venue: paper, or live with the secret that holds its API keys."""

    name: str
    venue: str
    mode: Mode
    currency: str = Field(min_length=2, max_length=10)
    secret_name: str | None = None
    paper_balance: Amount | None = None


class BudgetBody(Body):
    """Money of an account for bots, with limits that hold inside every claim."""

    account_id: str
    name: str
    amount: Amount
    max_open_positions: int | None = Field(None, ge=1)
    max_trades_per_day: int | None = Field(None, ge=1)
    max_daily_loss: Amount | None = None


class AmountBody(Body):
    """An amount to move, under an id that makes a repetition harmless."""

    amount: Amount
    request_id: str = Field(min_length=1, max_length=64)


class BotBody(Body):
    """A bot. Percentages in per cent, durations in seconds."""

    name: str
    budget_id: str
    symbols: list[str]
    strategy: str
    params: dict[str, str | int | float | bool] = Field(default_factory=dict)
    timeframe: str = "1m"
    interval_seconds: int = 60
    budget_percent: Percent = Decimal(20)
    take_profit_percent: Percent = Decimal(3)
    stop_loss_percent: Percent = Decimal(2)
    slippage_percent: Percent = Decimal("0.5")
    confirmation_seconds: int = 300
    cooldown_seconds: int = 900
    accept_risk_ratio: bool = False

    def spec(self) -> BotSpec:
        """The request in the product's words."""
        return BotSpec(**self.model_dump())


class CloseBody(Body):
    """Which position to sell."""

    bot_id: str
    symbol: str
