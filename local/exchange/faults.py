"""Faults a test or a person can switch on, and which requests they hit.

A fault hits a request when everything it names fits: method, path, symbol, account, API key, client order id. It is
used up after `count` hits, ends after `for_seconds`, and with a `probability` below 1 a seeded draw decides.
Admin endpoints are never hit; /api/v3/time only by a fault that names it, so clients can always tell the time.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from local.exchange.money import finite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

_DRAW = 10**9
_SPENT_KEPT = 200
_TIME_PATH = "/api/v3/time"
_ORDER = "/api/v3/order"


class FaultKind(StrEnum):
    """What goes wrong."""

    ACCEPT_THEN_DROP = "accept_then_drop"  # processed, connection closed without a reply
    DROP_REQUEST = "drop_request"  # connection closed, nothing processed
    CONNECT_TIMEOUT = "connect_timeout"  # no connection within the client's timeout; nothing arrives
    CONNECTION_REFUSED = "connection_refused"  # nothing arrives
    TRUNCATED_REPLY = "truncated_reply"  # processed, the reply breaks off half way
    DELAY = "delay"  # before_seconds: processed late; after_seconds: replied late
    STATUS = "status"  # that HTTP status; `execute` true processes the request all the same
    GARBAGE = "garbage"  # processed, HTTP 200 with a useless body
    BAD_GZIP = "bad_gzip"  # processed, the reply can't be unpacked
    VISIBILITY_LAG = "visibility_lag"  # new orders and their trades can't be looked up for `seconds`
    RATE_LIMIT = "rate_limit"  # 429, or 418 with `ban` true
    MAINTENANCE = "maintenance"  # 503, and the system status says so
    PARTIAL_FILL_THEN_EXPIRE = "partial_fill_then_expire"  # a new order fills `ratio` and expires
    PARTIAL_FILL = "partial_fill"  # resting orders fill up to `ratio` while this is on
    REJECT = "reject"  # that error code and message, nothing processed
    FILL_AFTER_CANCEL = "fill_after_cancel"  # a cancel crosses a fill of `ratio`; `reply` "canceled" or "unknown"
    STALE_PRICES = "stale_prices"  # market data stands still at the moment this was switched on
    NO_DATA = "no_data"  # klines are empty
    REVOKE_KEY = "revoke_key"  # the API key is refused


@dataclass(frozen=True, slots=True)
class _Shape:
    """Options of a kind with their defaults, where it strikes by default, and whether it stays on by default."""

    options: Mapping[str, Any] = field(default_factory=dict)
    method: str | None = None
    path: str | None = None
    stays: bool = False


_HALF = Decimal("0.5")
_SHAPES: dict[FaultKind, _Shape] = {
    FaultKind.ACCEPT_THEN_DROP: _Shape(),
    FaultKind.DROP_REQUEST: _Shape(),
    FaultKind.CONNECT_TIMEOUT: _Shape(),
    FaultKind.CONNECTION_REFUSED: _Shape(),
    FaultKind.TRUNCATED_REPLY: _Shape(),
    FaultKind.DELAY: _Shape({"before_seconds": Decimal(0), "after_seconds": Decimal(0)}),
    FaultKind.STATUS: _Shape({"status": 500, "body": "", "execute": False}),
    FaultKind.GARBAGE: _Shape({"body": "empty", "execute": True}),
    FaultKind.BAD_GZIP: _Shape({"execute": True}),
    FaultKind.VISIBILITY_LAG: _Shape({"seconds": Decimal(5)}, "POST", _ORDER, stays=True),
    FaultKind.RATE_LIMIT: _Shape({"ban": False, "retry_after_seconds": 30}),
    FaultKind.MAINTENANCE: _Shape({"status": 503}, stays=True),
    FaultKind.PARTIAL_FILL_THEN_EXPIRE: _Shape({"ratio": _HALF}, "POST", _ORDER),
    FaultKind.PARTIAL_FILL: _Shape({"ratio": _HALF}, stays=True),
    FaultKind.REJECT: _Shape({"code": -2010, "msg": "NEW_ORDER_REJECTED", "status": None}, "POST", _ORDER),
    FaultKind.FILL_AFTER_CANCEL: _Shape({"ratio": Decimal(1), "reply": "canceled"}, "DELETE", _ORDER),
    FaultKind.STALE_PRICES: _Shape(method="GET", stays=True),
    FaultKind.NO_DATA: _Shape(method="GET", path="/api/v3/klines", stays=True),
    FaultKind.REVOKE_KEY: _Shape(stays=True),
}
GARBAGE_BODIES = ("empty", "html", "truncated", "object")
_SCOPE = ("kind", "method", "path", "symbol", "account", "api_key", "client_order_id", "count", "probability")
_ENDING = ("for_seconds",)


@dataclass(frozen=True, slots=True)
class Target:
    """What a fault can look at in a request."""

    method: str
    path: str
    symbol: str | None = None
    account: str | None = None
    api_key: str | None = None
    client_order_id: str | None = None


@dataclass(slots=True)
class Fault:
    """One fault that is switched on; `left` is how often it may still strike (None: without end)."""

    fault_id: int
    kind: FaultKind
    scope: dict[str, str]
    options: dict[str, Any]
    left: int | None
    probability: Decimal
    created_ms: int
    until_ms: int | None
    fired: int = 0

    def fits(self, target: Target, *, now_ms: int) -> bool:
        """True when the fault may hit that request now."""
        if self.left == 0 or (self.until_ms is not None and now_ms >= self.until_ms):
            return False
        if target.path == _TIME_PATH and self.scope.get("path") != _TIME_PATH:
            return False
        return all(getattr(target, name) == wanted for name, wanted in self.scope.items())

    def shown(self) -> dict[str, Any]:
        """As the admin endpoint lists it."""
        return {
            "id": self.fault_id,
            "kind": self.kind.value,
            **self.scope,
            **self.options,
            "count": self.left,
            "probability": self.probability,
            "until_ms": self.until_ms,
            "fired": self.fired,
        }


class Faults:
    """All faults that are switched on."""

    def __init__(self, *, random: Random) -> None:
        self._random = random
        self._faults: dict[int, Fault] = {}
        self._spent: deque[Fault] = deque(maxlen=_SPENT_KEPT)
        self._made = 0
        self.fired: Counter[str] = Counter()

    def shown(self) -> list[dict[str, Any]]:
        """All faults that are on, and the latest ones that are used up (count 0)."""
        return [fault.shown() for fault in (*self._spent, *self._faults.values())]

    def add(self, wanted: Mapping[str, Any], *, now_ms: int) -> Fault:
        """Switch a fault on. Raises ValueError with one sentence on anything it does not understand."""
        kind = _kind(wanted.get("kind"))
        shape = _SHAPES[kind]
        unknown = sorted(set(wanted) - set(_SCOPE) - set(_ENDING) - set(shape.options))
        if unknown:
            allowed = sorted((*_SCOPE, *_ENDING, *shape.options))
            raise ValueError(f"fault {kind.value} has no {', '.join(unknown)}, expected some of {', '.join(allowed)}")
        scope = {name: wanted.get(name) for name in _SCOPE[1:7]}
        if scope["method"] is None and scope["path"] is None:
            scope |= {"method": shape.method, "path": shape.path}
        seconds = wanted.get("for_seconds")
        count = wanted.get("count", None if shape.stays or seconds is not None else 1)
        if count is not None and (type(count) is not int or count < 1):
            raise ValueError(f"count of a fault must be a whole number above 0, or null for no end, was {count!r}")
        self._made += 1
        fault = Fault(
            fault_id=self._made,
            kind=kind,
            scope={name: _scope_text(name, value) for name, value in scope.items() if value is not None},
            options=_options(kind, {**shape.options, **{n: wanted[n] for n in shape.options if n in wanted}}),
            left=count,
            probability=_number("probability", wanted.get("probability", 1), most=Decimal(1)),
            created_ms=now_ms,
            until_ms=None if seconds is None else now_ms + milliseconds(_number("for_seconds", seconds)),
        )
        self._faults[fault.fault_id] = fault
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Switch one fault off, or all. Raises ValueError on an unknown number."""
        if fault_id is None:
            self._faults.clear()
            self._spent.clear()
        elif self._faults.pop(fault_id, None) is None:
            raise ValueError(f"there is no fault {fault_id}, expected one of {sorted(self._faults)}")

    def take(self, target: Target, *, now_ms: int) -> dict[FaultKind, Fault]:
        """The faults that hit this request, at most one of each kind; each hit counts."""
        hits: dict[FaultKind, Fault] = {}
        for fault in tuple(self._faults.values()):
            if fault.kind in hits or fault.kind is FaultKind.PARTIAL_FILL or not fault.fits(target, now_ms=now_ms):
                continue
            if fault.probability < 1 and self._random.randrange(_DRAW) >= fault.probability * _DRAW:
                continue
            fault.fired += 1
            self.fired[fault.kind.value] += 1
            hits[fault.kind] = fault
            if fault.left is not None:
                fault.left -= 1
                if fault.left == 0:
                    self._spent.append(self._faults.pop(fault.fault_id))
        return hits

    def standing(self, kind: FaultKind, accept: Callable[[Fault], bool], *, now_ms: int) -> Fault | None:
        """A fault of that kind that is on, without using it up."""
        for fault in self._faults.values():
            if fault.kind is kind and (fault.until_ms is None or now_ms < fault.until_ms) and accept(fault):
                return fault
        return None


def milliseconds(seconds: Decimal) -> int:
    """Whole milliseconds of a number of seconds."""
    return int(seconds * 1_000)


def _kind(name: object) -> FaultKind:
    try:
        return FaultKind(str(name))
    except ValueError:
        raise ValueError(f"unknown fault {name!r}, expected one of {', '.join(FaultKind)}") from None


def _scope_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} of a fault must be a text, was {value!r}")
    if name == "symbol":
        return value.replace("/", "")
    return value.upper() if name == "method" else value


def _number(name: str, value: object, *, most: Decimal | None = None) -> Decimal:
    number = finite(f"{name} of a fault", value)
    if number < 0 or (most is not None and number > most):
        raise ValueError(f"{name} of a fault must be from 0 to {most if most is not None else 'any'}, was {value}")
    return number


def _options(kind: FaultKind, options: dict[str, Any]) -> dict[str, Any]:
    checked = dict(options)
    for name in ("before_seconds", "after_seconds", "seconds"):
        if name in checked:
            checked[name] = _number(name, checked[name])
    if "ratio" in checked:
        checked["ratio"] = _number("ratio", checked["ratio"], most=Decimal(1))
    if kind is FaultKind.GARBAGE and checked["body"] not in GARBAGE_BODIES:
        raise ValueError(f"body of a garbage fault must be one of {', '.join(GARBAGE_BODIES)}, was {checked['body']!r}")
    if kind is FaultKind.FILL_AFTER_CANCEL and checked["reply"] not in ("canceled", "unknown"):
        raise ValueError(f"reply of a fill_after_cancel fault must be canceled or unknown, was {checked['reply']!r}")
    status = checked.get("status")
    if status is not None and (type(status) is not int or not 100 <= status <= 599):
        raise ValueError(f"status of a fault must be an HTTP status, was {status!r}")
    return checked
