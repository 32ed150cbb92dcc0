"""Amounts and ids in requests. Amounts are text ("12.5"), never JSON floats; unknown fields are refused."""

from decimal import Decimal
from functools import partial
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from surefill.domain.money import to_decimal

_LARGEST = Decimal(10) ** 15


def _decimal(value: object, *, places: int) -> Decimal:
    amount = to_decimal(value)  # type: ignore[arg-type]
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > places or abs(amount) >= _LARGEST:
        raise ValueError(f"must have at most {places} decimals and be below {_LARGEST:,}, was {value!r}")
    return amount


def _schema(places: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": rf"^-?\d{{1,15}}(\.\d{{1,{places}}})?$", "examples": ["12.5"]})


_TEXT = PlainSerializer(str, return_type=str, when_used="json")
Amount = Annotated[Decimal, BeforeValidator(partial(_decimal, places=8)), _TEXT, _schema(8)]
Percent = Annotated[Decimal, BeforeValidator(partial(_decimal, places=4)), _TEXT, _schema(4)]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[str, Field(max_length=500)]


class Body(BaseModel):
    """Base of all bodies. Built at their first use: a start pays only for the routes that are called."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
