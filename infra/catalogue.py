"""The functions and schedules of Surefill as data: what exists, how long it may run, what it may touch.

Everything here is read by the constructs; nothing here knows CDK. ``tables`` names a table or an index relative to
``surefill-<stage>-`` and the DynamoDB actions allowed on exactly that resource. A transaction has no action of its
own in IAM: it needs the item actions of its members, and ``ConditionCheckItem`` where it only checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Layer = Literal["core", "runtime", "exchange", "analysis"]
Capability = Literal[
    "send_evaluations",
    "consume_evaluations",
    "start_orders",
    "start_closing",
    "call_functions",
    "read_queue_depth",
    "read_dead_letters",
    "read_secrets",
    "read_streams",
    "publish_events",
    "tell_people",
    "ask_adviser",
]
TableAccess = Mapping[str, tuple[str, ...]]

# A venue call gives up after this; every function that makes one must outlive it.
VENUE_HTTP_TIMEOUT = 5  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """One Lambda function: limits, layers and the whole of its permissions."""

    name: str
    purpose: str
    timeout: int  # seconds
    memory: int  # MB
    layers: tuple[Layer, ...]
    tables: TableAccess
    may: frozenset[Capability] = frozenset()
    reserved_concurrency: int | None = None
    raises_not_settled: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A schedule that wakes a function with ``{"schedule": name, "scheduled_time": ...}``."""

    function: str
    every_minutes: int
    retries: int
    heartbeat: bool = False


_PUT = ("PutItem",)
_GET = ("GetItem",)
_QUERY = ("Query",)
_READ_SOME = ("GetItem", "BatchGetItem")
_GET_UPDATE = ("GetItem", "UpdateItem")
_ROW = ("GetItem", "PutItem", "UpdateItem")
_GUARDED_ROW = ("GetItem", "PutItem", "UpdateItem", "ConditionCheckItem")

# The order's outcome is written by whoever learns it first: place, settle or reconcile.
_SETTLEMENT: TableAccess = {
    "intents": _ROW,
    "slots": _GET_UPDATE,
    "budgets": _GET_UPDATE,
    "ledger": _PUT,
    "journal": _PUT,
    "accounts": _GET_UPDATE,
    "markets": _GET,
    "paper": (*_ROW, "BatchGetItem", "Query"),
    "exposures": ("UpdateItem",),
}
# What bot_api may ask of other functions: a dry run, and settling and comparing now.
CALLED = ("evaluate", "reconcile", "sync_account")


FUNCTIONS: tuple[FunctionSpec, ...] = (
    FunctionSpec(
        name="dispatch",
        purpose="finds due bots and sends one evaluation per venue, symbol and timeframe",
        timeout=50,
        memory=512,
        layers=("core", "runtime"),
        tables={"bots/index/cadence": _QUERY, "schedules": _ROW},
        may=frozenset({"send_evaluations", "read_queue_depth"}),
        reserved_concurrency=1,
    ),
    FunctionSpec(
        name="evaluate",
        purpose="runs every bot on a symbol: strategy, signal, gates, decision",
        timeout=50,
        memory=512,
        layers=("core", "runtime", "exchange", "analysis"),
        tables={
            "slots": ("Query", "GetItem", "BatchGetItem", "UpdateItem", "PutItem"),
            "budgets": _GET,
            "exposures": _GET,
            "markets": _ROW,
            "accounts": _GET,
            # A bot whose strategy fails is paused.
            "bots": ("UpdateItem",),
            # Protections and Kelly's sizing look at the bot's own trades.
            "intents/index/by_bot": _QUERY,
            "intents": ("BatchGetItem",),
            "journal": ("BatchWriteItem",),
            "schedules": _PUT,
        },
        may=frozenset({"consume_evaluations", "start_orders", "ask_adviser"}),
        # BLAS would start a thread per core before the first candle is read.
        environment={"OPENBLAS_NUM_THREADS": "1"},
    ),
    FunctionSpec(
        name="claim_order",
        purpose="reserves the money or the position of an order in one transaction",
        timeout=15,
        memory=512,
        layers=("core", "runtime"),
        tables={
            "budgets": ("GetItem", "UpdateItem", "ConditionCheckItem"),
            "exposures": ("UpdateItem",),
            "slots": _GUARDED_ROW,
            "intents": _GUARDED_ROW,
            "ledger": _GUARDED_ROW,
            "bots": ("GetItem", "ConditionCheckItem"),
            "journal": _PUT,
            "accounts": _GET,
        },
    ),
    FunctionSpec(
        name="place_order",
        purpose="posts an order at most once and records what is known",
        timeout=25,
        memory=512,
        layers=("core", "runtime", "exchange"),
        tables=_SETTLEMENT,
        may=frozenset({"read_secrets"}),
        raises_not_settled=True,
    ),
    FunctionSpec(
        name="settle_order",
        purpose="looks an order up and records, releases or holds it; never posts",
        timeout=25,
        memory=512,
        layers=("core", "runtime", "exchange"),
        tables=_SETTLEMENT,
        may=frozenset({"read_secrets"}),
        raises_not_settled=True,
    ),
    FunctionSpec(
        name="watch_exits",
        purpose="checks take profit, stop loss, trailing and time exits of every open position",
        timeout=50,
        memory=512,
        layers=("core", "runtime", "exchange"),
        tables={
            "slots": ("Query", "GetItem", "BatchGetItem", "UpdateItem"),
            "slots/index/open": _QUERY,
            "accounts": _READ_SOME,
            "markets": _READ_SOME,
            "bots": _READ_SOME,
            "budgets": _GET_UPDATE,
            "exposures": ("UpdateItem",),
            "ledger": _PUT,
            "intents": _ROW,
            "journal": _PUT,
            "schedules": ("PutItem", "UpdateItem"),
        },
        may=frozenset({"start_orders"}),
        reserved_concurrency=1,
    ),
    FunctionSpec(
        name="reconcile",
        purpose="settles every unfinished intent that the workflow left behind",
        timeout=55,
        memory=512,
        layers=("core", "runtime", "exchange"),
        tables={
            **_SETTLEMENT,
            "intents": (*_ROW, "BatchGetItem"),
            "intents/index/work": _QUERY,
            "schedules": ("PutItem", "UpdateItem"),
        },
        may=frozenset({"read_secrets"}),
        reserved_concurrency=1,
    ),
    FunctionSpec(
        name="sync_account",
        purpose="compares balances and open orders of every account with the tables",
        timeout=50,
        memory=512,
        layers=("core", "runtime", "exchange"),
        tables={
            # A handful of rows, read whole every five minutes: the one Scan of the product.
            "accounts": ("Scan", "GetItem", "UpdateItem"),
            "slots": ("Query", "BatchGetItem"),
            "slots/index/open": _QUERY,
            "schedules": _PUT,
            # What a grid's resting buys reserve may have moved already.
            "intents": ("BatchGetItem",),
            "budgets": ("BatchGetItem", "UpdateItem"),
            "budgets/index/by_account": _QUERY,
            "paper": (*_ROW, "BatchGetItem", "Query"),
            "journal": _PUT,
            "trades": _PUT,
        },
        may=frozenset({"read_secrets"}),
    ),
    FunctionSpec(
        name="refresh_markets",
        purpose="reads the venues' market rules once a day",
        timeout=120,
        memory=1024,
        layers=("core", "runtime", "exchange"),
        tables={"markets": _ROW, "bots/index/cadence": _QUERY, "schedules": _PUT},
    ),
    FunctionSpec(
        name="publish_events",
        purpose="tells what became of orders and what needs a person",
        # One batch to a webhook that takes its time with every message.
        timeout=60,
        memory=256,
        layers=("core", "runtime"),
        # A finished order of a grid wakes its bot.
        tables={"bots": _GET},
        may=frozenset({"read_streams", "publish_events", "tell_people", "send_evaluations"}),
        # It remembers whom it has told what, and how much in this minute.
        reserved_concurrency=1,
    ),
    FunctionSpec(
        name="close_position",
        purpose="does the next step of closing a position for the kill switch",
        timeout=25,
        memory=512,
        layers=("core", "runtime"),
        tables={
            "closings": _GET_UPDATE,
            "slots": _GET_UPDATE,
            "intents": _GET_UPDATE,
            "budgets": _GET_UPDATE,
            "markets": _GET,
            # What was not sent is given back; what is too small to be sold is written off.
            "ledger": _PUT,
            "exposures": ("UpdateItem",),
        },
        may=frozenset({"start_orders"}),
    ),
    FunctionSpec(
        name="bot_api",
        purpose="answers the control API",
        timeout=25,
        # A whole processor: a person who presses stop on thousands of bots must not wait for a third of one.
        memory=1769,
        layers=("core", "runtime"),
        tables={
            "accounts": (*_READ_SOME, "PutItem", "DeleteItem"),
            "bots": (*_ROW, "BatchGetItem", "DeleteItem"),
            "budgets": (*_ROW, "BatchGetItem"),
            # A freeze takes back what was not sent yet: slot, order, money and ledger change together.
            "slots": (*_READ_SOME, "Query", "UpdateItem"),
            "intents": (*_READ_SOME, "UpdateItem"),
            "exposures": ("UpdateItem",),
            "ledger": (*_READ_SOME, "Query", "PutItem"),
            "journal": ("GetItem", "Query", "BatchWriteItem"),
            "markets": _READ_SOME,
            "schedules": _READ_SOME,
            "requests": _ROW,
            "stops": (*_ROW, "Query"),
            "closings": ("GetItem", "PutItem", "Query"),
            "trades": ("GetItem", "Query"),
            "accounts/index/by_venue": _QUERY,
            "bots/index/by_account": _QUERY,
            "bots/index/by_definition": _QUERY,
            "budgets/index/by_account": _QUERY,
            "slots/index/open": _QUERY,
            "intents/index/work": _QUERY,
            "intents/index/by_bot": _QUERY,
        },
        may=frozenset(
            {
                "send_evaluations",
                "start_orders",
                "start_closing",
                "call_functions",
                "read_queue_depth",
                "read_dead_letters",
            }
        ),
    ),
)

TICKS: tuple[Tick, ...] = (
    # The next minute comes anyway; a retry only helps when the invocation itself was refused.
    Tick(function="dispatch", every_minutes=1, retries=2, heartbeat=True),
    Tick(function="watch_exits", every_minutes=1, retries=2, heartbeat=True),
    Tick(function="reconcile", every_minutes=1, retries=0, heartbeat=True),
    Tick(function="sync_account", every_minutes=5, retries=0, heartbeat=True),
    Tick(function="refresh_markets", every_minutes=24 * 60, retries=2),
)


def function(name: str) -> FunctionSpec:
    """The specification of one function.

    Raises:
        LookupError: no function has this name.
    """
    for spec in FUNCTIONS:
        if spec.name == name:
            return spec
    raise LookupError(f"function must be one of {', '.join(spec.name for spec in FUNCTIONS)}, was {name!r}")
