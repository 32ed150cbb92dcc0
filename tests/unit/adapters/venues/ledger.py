"""A venue's memory that answers as Binance does, and its answer when it knows no such order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from surefill.domain.rows import Fill
from tests.unit.adapters.venues.helpers import Reply, Seen, error, said

NOT_FOUND = error(-2013, "Order does not exist.")
FILL = Fill(
    trade_id="900",
    quantity=Decimal("0.00123"),
    price=Decimal("65000"),
    cost=Decimal("79.95"),
    fee=Decimal("0.00000123"),
    fee_asset="BTC",
)


class Ledger:
    """A venue's memory: orders and trades, served as Binance does."""

    def __init__(
        self,
        *,
        orders: list[dict[str, Any]] | None = None,
        trades: list[dict[str, Any]] | None = None,
        page: int = 1_000,
    ) -> None:
        self.orders = orders or []
        self.trades = trades or []
        self.listed = list(self.orders)
        self.page = page
        self.asked: list[str] = []

    def __call__(self, seen: Seen) -> Reply:
        asked, name = seen.parameters, seen.path.rsplit("/", 1)[1]
        self.asked.append(name)
        if name == "order":
            found = [
                row
                for row in self.orders
                if asked.get("origClientOrderId") == row["clientOrderId"] or asked.get("orderId") == str(row["orderId"])
            ]
            return said(found[0]) if found else NOT_FOUND
        if name == "openOrders":
            return said([row for row in self.listed if row["status"] in ("NEW", "PARTIALLY_FILLED")])
        return said(self._within(self.listed if name == "allOrders" else self.trades, asked))

    def _within(self, rows: list[dict[str, Any]], asked: Any) -> list[dict[str, Any]]:
        if "orderId" in asked:
            rows = [row for row in rows if str(row["orderId"]) == asked["orderId"]]
        rows = [row for row in rows if row.get("id", 0) >= int(asked.get("fromId", 0))]
        if "startTime" in asked:
            assert int(asked["endTime"]) - int(asked["startTime"]) < 86_400_000
            rows = [row for row in rows if int(asked["startTime"]) <= row["time"] <= int(asked["endTime"])]
        return rows[: min(int(asked["limit"]), self.page)]
