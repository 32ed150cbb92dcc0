"""The simulated exchange's admin side, as the stage uses it: time, faults, prices, balances, state."""

from __future__ import annotations

import json
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

from local.errors import LocalError
from local.stage.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_TIMEOUT_SECONDS = 30


class ExchangeAdmin:
    """Calls the admin endpoints of the exchange on `port`. Numbers of its state come back as Decimal."""

    def __init__(self, *, port: int) -> None:
        self._port = port

    @property
    def url(self) -> str:
        """Where the exchange serves."""
        return f"http://{HOST}:{self._port}"

    @property
    def clock_url(self) -> str:
        """Where the functions read their time."""
        return f"{self.url}/admin/clock"

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            self.call("GET", "/admin/clock")
        except LocalError:
            return False
        return True

    def now_ms(self) -> int:
        """The exchange's time in milliseconds since 1970."""
        return int(self.call("GET", "/admin/clock")["now_ms"])

    def set_clock(self, moment: datetime, *, rate: int) -> None:
        """Go to a moment; `rate` is exchange seconds per real second from there on (0: stands still)."""
        self.call("PUT", "/admin/clock", {"now_ms": round(moment.timestamp() * 1_000), "rate": rate})

    def set_rate(self, rate: int) -> None:
        """Change the speed, not the moment."""
        self.call("PUT", "/admin/clock", {"rate": rate})

    def state(self) -> dict[str, Any]:
        """Balances, orders, trades, counters."""
        state: dict[str, Any] = self.call("GET", "/admin/state")
        return state

    def prices(self) -> dict[str, Decimal]:
        """Last prices by the exchange's own symbol names ("BTCUSDT")."""
        shown: dict[str, Any] = self.call("GET", "/admin/prices")
        return {symbol: Decimal(str(price)) for symbol, price in shown.items() if price is not None}

    def balances(self, account: str = "main") -> dict[str, Decimal]:
        """Free plus locked of every asset of an account."""
        shown = self.call("GET", "/admin/balances").get(account, {})
        return {asset: Decimal(str(held["free"])) + Decimal(str(held["locked"])) for asset, held in shown.items()}

    def add_fault(self, **fault: Any) -> int:
        """Switch a fault on; returns its number."""
        added: list[dict[str, Any]] = self.call("POST", "/admin/faults", fault)
        return int(added[0]["id"])

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self.call("DELETE", "/admin/faults")

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One admin request. Raises LocalError with the exchange's own sentence, or when it does not answer."""
        connection = HTTPConnection(HOST, self._port, timeout=_TIMEOUT_SECONDS)
        try:
            data = json.dumps(body) if body is not None else None
            connection.request(method, path, body=data, headers={"Content-Type": "application/json"} if data else {})
            answer = connection.getresponse()
            content = json.loads(answer.read() or b"{}", parse_float=Decimal)
        except (OSError, HTTPException, ValueError) as error:
            raise LocalError(f"the simulated exchange did not answer {method} {path}: {error}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            told = content.get("error") if isinstance(content, dict) else content
            raise LocalError(f"the simulated exchange refused {method} {path}: {told}")
        return content
