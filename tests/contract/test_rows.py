"""Every row comes back as it was put in, whatever its fields hold."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from surefill.adapters.dynamodb.schema import ROWS
from surefill.domain.kinds import Mode
from surefill.domain.rows import Account, Row
from surefill.ports import Store
from surefill.protocol.transaction import Put, Transaction, key_of
from tests.contract.rows import rows_of

# The store is shared by the examples of a test: each writes under a key of its own or over what is there.
shared = settings(
    max_examples=15,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.__name__))
@shared
@given(data=st.data())
def test_a_row_comes_back_as_it_was(store: Store, row: type[Row], data: st.DataObject) -> None:
    one = data.draw(rows_of(row))
    store.replace(one)
    assert store.get(row, *key_of(one).values) == one
    assert one in store.get_many(row, [key_of(one).values])


@pytest.mark.parametrize("asset", ["S", "N", "M", "L", "B", "BOOL", "NULL"])
def test_a_balance_named_like_a_type_of_dynamodb_is_a_balance(store: Store, asset: str) -> None:
    account = Account(
        account_id="live-binance-main", venue="binance", mode=Mode.LIVE, currency="USDT", balances={asset: "5"}
    )
    store.commit(Transaction(name="put", token="t" * 36, writes=(Put(row=account),)))
    assert store.get(Account, "live-binance-main") == account


def test_an_amount_of_28_digits_is_exact(store: Store) -> None:
    account = Account(
        account_id="a",
        venue="binance",
        mode=Mode.PAPER,
        currency="USDT",
        paper_balance=Decimal("12345678.12345678901234567890"),
    )
    store.insert(account)
    stored = store.get(Account, "a")
    assert stored is not None
    assert stored.paper_balance == account.paper_balance
