"""The rows of one paper account, and the transactions that change them: filled once, never below zero.

An order and the balances it moves change together or not at all; the guards are on the rows themselves, so two workers
with the same order, or two orders with the same money, can't both win.
"""

from collections.abc import Mapping
from decimal import Decimal
from uuid import uuid4

from surefill.adapters.paper.orders import PaperOrder, given_and_taken, order_key
from surefill.domain.money import ZERO, add
from surefill.domain.orders import Balance
from surefill.domain.records import PaperEntry
from surefill.domain.rows import Fill
from surefill.ports import Store
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Put, Transaction, Update

COVERED = "free_covers"
STILL_OPEN = "still_open"
_ASSETS = "assets"
_TRIES = 20


class PaperBook:
    """Balances and orders of one paper account. Raises what the store raises."""

    def __init__(self, *, store: Store, account_id: str, currency: str, opening: Decimal) -> None:
        self._store = store
        self._account_id = account_id
        self._currency = currency
        self._opening = opening
        self._known: set[str] = set()

    def order(self, client_order_id: str) -> PaperOrder | None:
        """The order as it is stored."""
        row = self._store.get(PaperEntry, self._account_id, order_key(client_order_id))
        return PaperOrder.from_row(row) if row is not None else None

    def balances(self) -> Mapping[str, Balance]:
        """Everything the account holds, by asset; zero rows are left out."""
        self.open_balance(self._currency)
        assets = self._store.get(PaperEntry, self._account_id, _ASSETS)
        keys = [(self._account_id, _balance_key(asset)) for asset in (assets.body if assets is not None else ())]
        rows = self._store.get_many(PaperEntry, keys)
        return {
            row.entry_key.partition("#")[2]: Balance(free=row.free, locked=row.locked)
            for row in sorted(rows, key=lambda row: row.entry_key)
            if row.free or row.locked
        }

    def open_balance(self, asset: str) -> None:
        """Make sure the asset has a row and is in the list of assets; the currency starts with the opening balance."""
        for _ in range(_TRIES):
            if asset in self._known:
                return
            if self._store.get(PaperEntry, self._account_id, _balance_key(asset)) is None:
                self._list(asset)
            else:
                self._known.add(asset)
        raise RuntimeError(f"balance of {asset} of {self._account_id} can't be opened after {_TRIES} tries")

    def place(self, order: PaperOrder, *, needed: Decimal) -> None:
        """Write a new order with its fills so far and move its money.

        GuardFailedError: "is_new" when the client id is taken, COVERED when the account has less than `needed` free.
        """
        given, taken = _moved(order.fills, order=order)
        self._commit(
            "paper_place",
            Put(row=order.as_row(account_id=self._account_id)),
            Update(
                key=self._balance(order.pays),
                add={"free": -add(given, order.held), "locked": order.held},
                guards=(Guard(name=COVERED, field="free", op=Op.AT_LEAST, value=needed),),
            ),
            Update(key=self._balance(order.receives), add={"free": taken}),
        )

    def change(self, *, before: PaperOrder, after: PaperOrder) -> None:
        """Fill or close a resting order. GuardFailedError STILL_OPEN when it is not as it was read."""
        given, taken = _moved(after.fills[len(before.fills) :], order=after)
        released = add(before.held, -after.held, -given)
        row = after.as_row(account_id=self._account_id)
        self._commit(
            "paper_change",
            Update(
                key=Key(PaperEntry, (self._account_id, row.entry_key)),
                set={"free": row.free, "locked": row.locked, "body": row.body},
                guards=(Guard(name=STILL_OPEN, field="free", op=Op.EQUAL, value=before.open_quantity),),
            ),
            Update(key=self._balance(after.pays), add={"locked": add(after.held, -before.held), "free": released}),
            Update(key=self._balance(after.receives), add={"free": taken}),
        )

    def _commit(self, name: str, *writes: Put | Update) -> None:
        # A token per attempt: the store's own resends are harmless, but a second attempt must meet the guards.
        self._store.commit(Transaction(name=name, token=str(uuid4()), writes=writes))

    def _balance(self, asset: str) -> Key:
        return Key(PaperEntry, (self._account_id, _balance_key(asset)))

    def _list(self, asset: str) -> None:
        """Add the asset to the list and write its balance row, unless somebody else just did."""
        assets = self._store.get(PaperEntry, self._account_id, _ASSETS)
        version = assets.free if assets is not None else ZERO
        listed = {**(assets.body if assets is not None else {}), asset: ""}
        opening = self._opening if asset == self._currency else ZERO
        row = PaperEntry(account_id=self._account_id, entry_key=_balance_key(asset), free=opening)
        unchanged = Guard(name="assets_unchanged", field="free", op=Op.EQUAL, value=version, or_missing=not version)
        update = Update(
            key=Key(PaperEntry, (self._account_id, _ASSETS)),
            set={"body": listed},
            add={"free": Decimal(1)},
            guards=(unchanged,),
        )
        try:
            self._commit("paper_list", Put(row=row), update)
        except GuardFailedError:
            return


def _moved(fills: tuple[Fill, ...], *, order: PaperOrder) -> tuple[Decimal, Decimal]:
    """What fills took of the paying asset, and brought of the other one."""
    moves = [given_and_taken(fill, side=order.side) for fill in fills]
    return add(*(given for given, _ in moves)), add(*(taken for _, taken in moves))


def _balance_key(asset: str) -> str:
    return f"balance#{asset}"
