"""What the codec refuses, what it leaves out, and what it fills in."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from surefill.adapters.dynamodb import decode
from surefill.adapters.dynamodb.attributes import (
    AmountAttribute,
    CountAttribute,
    FlagAttribute,
    MappingAttribute,
    TextAttribute,
    TimeAttribute,
    WordAttribute,
)
from surefill.adapters.dynamodb.codec import attributes_of, defaults_of, encode, encoded
from surefill.adapters.dynamodb.schema import ROWS, TABLES
from surefill.domain.kinds import Side
from surefill.domain.money import AmountError
from surefill.domain.rows import Bot, Budget, Fill, Intent, Row, Slot
from surefill.domain.states import SlotState


@pytest.mark.parametrize(
    ("amount", "stored"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0E-18", "0"),
        ("1.500", "1.5"),
        ("-0.00000001", "-0.00000001"),
        ("1E-18", "0.000000000000000001"),
        ("1E+20", "100000000000000000000"),
        ("0.12345678901234567890", "0.1234567890123456789"),
        ("1234567890.123456789012345678", "1234567890.123456789012345678"),
    ],
)
def test_an_amount_is_stored_in_plain_digits(amount: str, stored: str) -> None:
    attribute = AmountAttribute()
    assert attribute.serialize(Decimal(amount)) == stored
    assert attribute.deserialize(stored) == Decimal(amount)


@pytest.mark.parametrize(
    "amount",
    [
        0.1,
        1.0,
        True,
        "abc",
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1" * 29),
        Decimal("1E-131"),
        Decimal("1E+126"),
    ],
)
def test_what_is_no_exact_amount_is_refused(amount: Any) -> None:
    with pytest.raises(AmountError):
        AmountAttribute().serialize(amount)


@pytest.mark.parametrize("count", [1.0, True, Decimal(1), "1", None])
def test_a_count_is_an_int(count: Any) -> None:
    with pytest.raises(AmountError):
        CountAttribute().serialize(count)


def test_a_count_stored_as_a_fraction_is_refused() -> None:
    assert CountAttribute().deserialize("1E+1") == 10
    with pytest.raises(AmountError):
        CountAttribute().deserialize("1.5")


def test_flags_texts_and_words_are_what_they_say() -> None:
    with pytest.raises(TypeError):
        FlagAttribute().serialize(1)
    with pytest.raises(TypeError):
        TextAttribute().serialize(b"x")
    with pytest.raises(ValueError, match="'HOLD' is not a valid Side"):
        WordAttribute(Side).deserialize("HOLD")
    with pytest.raises(TypeError):
        MappingAttribute().serialize({"amount": Decimal(1)})
    with pytest.raises(ValueError, match="JSON"):
        MappingAttribute().serialize({"amount": float("nan")})


@pytest.mark.parametrize(
    ("moment", "short", "key"),
    [
        (datetime(2026, 11, 20, 9, tzinfo=UTC), "2026-11-20T09:00:00Z", "2026-11-20T09:00:00.000000Z"),
        (datetime(2026, 11, 20, 9, 0, 0, 5_000, UTC), "2026-11-20T09:00:00.005Z", "2026-11-20T09:00:00.005000Z"),
        (datetime(2026, 11, 20, 9, 0, 0, 1, UTC), "2026-11-20T09:00:00.000001Z", "2026-11-20T09:00:00.000001Z"),
        (
            datetime(2026, 11, 20, 10, tzinfo=timezone(timedelta(hours=1))),
            "2026-11-20T09:00:00Z",
            "2026-11-20T09:00:00.000000Z",
        ),
    ],
)
def test_a_time_is_stored_in_utc_and_whole(moment: datetime, short: str, key: str) -> None:
    for is_key, text in ((False, short), (True, key)):
        attribute = TimeAttribute(is_key=is_key)
        assert attribute.serialize(moment) == text
        assert attribute.deserialize(text) == moment


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="must carry a time zone"):
        TimeAttribute(is_key=False).serialize(datetime(2026, 11, 20))  # noqa: DTZ001


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.__name__))
def test_every_field_is_stored_under_its_own_name(row: type[Row]) -> None:
    attributes = attributes_of(row)
    assert list(attributes) == [field.name for field in fields(row)]
    assert all(attribute.attr_name == name for name, attribute in attributes.items())
    keys = {name for name, attribute in attributes.items() if attribute.is_hash_key or attribute.is_range_key}
    assert keys == set(row.KEY)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.__name__))
def test_what_starts_as_a_number_starts_at_zero(row: type[Row]) -> None:
    """DynamoDB adds to an absent number as to 0, so that must be the default of every number that has one."""
    numbers = [value for value in defaults_of(row).values() if isinstance(value, Decimal | int) and value is not True]
    assert all(value == 0 for value in numbers)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.__name__))
def test_keys_and_index_keys_are_fields_stored_as_text(row: type[Row]) -> None:
    attributes = attributes_of(row)
    assert {attributes[name].attr_type for name in TABLES[row.TABLE].key_names} == {"S"}


def test_only_history_expires() -> None:
    assert {name: table.ttl_attribute for name, table in TABLES.items() if table.ttl_attribute} == {
        "journal": "expires_at",
        "requests": "expires_at",
    }


def test_none_is_absent_and_absent_is_the_default() -> None:
    slot = Slot(market_key="binance|BTC/USDT", owner_key="a|b")
    item = encode(slot)
    assert "open_key" not in item
    assert item["state"] == {"S": "EMPTY"}
    assert decode(Slot, {name: item[name] for name in ("market_key", "owner_key")}) == slot


def test_an_attribute_of_a_later_version_is_left_alone() -> None:
    item = encode(Slot(market_key="m", owner_key="o", state=SlotState.OPEN))
    assert decode(Slot, {**item, "invented_later": {"S": "x"}}).state is SlotState.OPEN


def test_a_field_that_must_have_a_value_is_missed() -> None:
    with pytest.raises(ValueError, match=r"Budget\.account_id must have a value"):
        decode(Budget, {"budget_id": {"S": "b"}})


def test_a_field_stored_as_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="Cannot deserialize 'exit_attempt'"):
        decode(Slot, {"market_key": {"S": "m"}, "owner_key": {"S": "o"}, "exit_attempt": {"S": "1"}})


def test_fills_are_a_short_list() -> None:
    fill = Fill(
        trade_id="7",
        quantity=Decimal("0.0016"),
        price=Decimal("6E+4"),
        cost=Decimal("96.00"),
        fee=Decimal("1E-8"),
        fee_asset="BTC",
    )
    stored = encoded(Intent, "fills", (fill,))
    assert stored == {"S": '[["7","0.0016","60000","96","0.00000001","BTC"]]'}
    assert attributes_of(Intent)["fills"].deserialize(stored["S"]) == (fill,)


def test_a_misspelt_field_is_named() -> None:
    with pytest.raises(AttributeError, match="Bot must have a field 'sate'"):
        encoded(Bot, "sate", "ACTIVE")
