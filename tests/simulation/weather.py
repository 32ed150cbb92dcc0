"""What befalls the venue: faults of every kind it has, jumps of the price, thin books, new rules, delisting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.exchange.faults import GARBAGE_BODIES, FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from tests.simulation.chaos import RandomChaos
    from tests.simulation.world import World

_ORDER = {"method": "POST", "path": "/api/v3/order"}
_LOOK = {"method": "GET", "path": "/api/v3/order"}
_SYMBOLS = ("BTCUSDT", "ETHUSDT")
# Refusals as the venue words them (profile: binance.py), and others that only sound like it. That a balance does not
# suffice is left to the balance: people take coins away.
_REJECTS: tuple[Mapping[str, Any], ...] = (
    {"code": -2010, "msg": "Market is closed."},
    {"code": -1013, "msg": "Filter failure: LOT_SIZE"},
    {"code": -2010, "msg": "Duplicate order sent."},
    {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."},
    {"code": -1007, "msg": "Timeout waiting for response from backend server.", "status": 408},
    {"code": -1006, "msg": "An unexpected response was received from the message bus.", "status": 500},
    {"code": -1008, "msg": "Server is currently overloaded with other requests.", "status": 503},
)


def change(world: World, chaos: RandomChaos, random: Random) -> None:
    """One minute's weather."""
    if chaos.fault_rate and random.random() < 0.35:
        kind = random.choice(tuple(FaultKind))
        _fault(world, random, kind)
    if random.random() < 0.25:
        percent = random.choice((-5, -2, -1, 1, 2, 5))
        world.admin("POST", "/admin/prices", symbol=random.choice(_SYMBOLS), percent=percent)
        chaos.fired["market jump"] += 1
    if chaos.fault_rate and random.random() < 0.04:
        random.choice(_MARKET_EVENTS)(world, chaos, random)


def clear(world: World) -> None:
    """The sky is blue again: no faults, deep books, everything trades."""
    world.admin("DELETE", "/admin/faults")
    for symbol in _SYMBOLS:
        world.admin("POST", "/admin/markets", symbol=symbol, status="TRADING", book={"depth": "50000", "levels": 20})


def _fault(world: World, random: Random, kind: FaultKind) -> None:
    scope = random.choice((_ORDER, _ORDER, _LOOK, {}))
    wanted: dict[str, Any] = {"kind": kind.value, **(_OPTIONS.get(kind, _nothing)(random))}
    if kind not in (FaultKind.VISIBILITY_LAG, FaultKind.PARTIAL_FILL_THEN_EXPIRE, FaultKind.NO_DATA, FaultKind.REJECT):
        wanted |= scope
    if "for_seconds" not in wanted:
        wanted |= random.choice(({"count": 1}, {"count": 3}, {"for_seconds": 45}, {"for_seconds": 150}))
    world.admin("POST", "/admin/faults", **wanted)


def _nothing(random: Random) -> dict[str, Any]:
    return {}


def _delay(random: Random) -> dict[str, Any]:
    when = random.choice(("before_seconds", "after_seconds"))
    return {when: random.choice((1, 4, 6, 12, 40)), "count": random.choice((1, 2))}


_OPTIONS: Mapping[FaultKind, Callable[[Random], dict[str, Any]]] = {
    FaultKind.DELAY: _delay,
    FaultKind.STATUS: lambda random: {
        "status": random.choice((400, 403, 404, 408, 500, 502, 503, 504, 520, 524)),
        "execute": random.random() < 0.6,
    },
    FaultKind.GARBAGE: lambda random: {"body": random.choice(GARBAGE_BODIES), "execute": random.random() < 0.7},
    FaultKind.BAD_GZIP: lambda random: {"execute": random.random() < 0.7},
    # The venue's lag is the one thing taken on trust: orders show up within ten seconds (settle.VISIBILITY_LAG).
    FaultKind.VISIBILITY_LAG: lambda random: {"seconds": random.choice((1, 4, 9)), "for_seconds": 120},
    FaultKind.RATE_LIMIT: lambda random: {"ban": random.random() < 0.3, "retry_after_seconds": 20},
    FaultKind.PARTIAL_FILL_THEN_EXPIRE: lambda random: {"ratio": random.choice(("0", "0.3", "0.9")), "count": 2},
    FaultKind.PARTIAL_FILL: lambda random: {"ratio": "0.5"},
    FaultKind.REJECT: lambda random: dict(random.choice(_REJECTS)),
    FaultKind.MAINTENANCE: lambda random: {"for_seconds": 70},
    FaultKind.REVOKE_KEY: lambda random: {"for_seconds": random.choice((30, 200))},
    FaultKind.STALE_PRICES: lambda random: {"for_seconds": 150},
    FaultKind.NO_DATA: lambda random: {"for_seconds": 100},
}


def _thin_book(world: World, chaos: RandomChaos, random: Random) -> None:
    chaos.fired["market thin book"] += 1
    book = {"depth": random.choice(("20", "100")), "levels": random.choice((1, 3))}
    world.admin("POST", "/admin/markets", symbol=random.choice(_SYMBOLS), book=book)


def _delist(world: World, chaos: RandomChaos, random: Random) -> None:
    chaos.fired["market delisted"] += 1
    symbol = random.choice(_SYMBOLS)
    world.admin("POST", "/admin/markets", symbol=symbol, status="BREAK")
    world.kernel.after(
        random.choice((30, 400)), lambda: world.admin("POST", "/admin/markets", symbol=symbol, status="TRADING")
    )


def _new_rules(world: World, chaos: RandomChaos, random: Random) -> None:
    chaos.fired["market new rules"] += 1
    symbol = random.choice(_SYMBOLS)
    step = random.choice(("0.001", "0.0001")) if symbol == "ETHUSDT" else random.choice(("0.0001", "0.00001"))
    world.admin("POST", "/admin/markets", symbol=symbol, rules={"step_size": step, "min_quantity": step})
    if random.random() < 0.7:
        event = {"schedule": "refresh_markets", "scheduled_time": world.now.isoformat()}
        world.kernel.after(random.choice((1, 90)), lambda: world.cloud.invoke("refresh_markets", event))


_MARKET_EVENTS = (_thin_book, _thin_book, _delist, _new_rules)
