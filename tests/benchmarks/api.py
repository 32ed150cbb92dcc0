"""`python -m tests.benchmarks.api`: how long the API's routes take with many bots and decisions in the tables.

The function's own handler on a local DynamoDB over HTTP; what API Gateway and Lambda add comes on top.
"""

import argparse
import importlib
import json
import os
import random
import statistics
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from surefill.adapters.dynamodb import TABLES, DynamoStore, SharedConnection
from surefill.adapters.dynamodb.schema import table_request
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, Bot, JournalEntry, Mode, ScheduleRow, Slot
from surefill.domain.states import SlotState
from surefill.domain.times import format_time
from tests.contract.engines import REGION, ministack
from tests.fakes.world import TICK, bot, budget, rules

_REPORT = Path(__file__).resolve().parents[2] / "build" / "api.json"
_PREFIX = "surefill-bench-"
_ACCOUNT = "paper-binance-main"
_BUDGET = f"{_ACCOUNT}-b"
_ENVIRONMENT = {
    "STAGE": "bench", "TABLE_PREFIX": _PREFIX,
    "VENUES": '{"binance": {"endpoint": null, "hosts": ["api.binance.com"]}}',
    "EVALUATIONS_QUEUE_URL": "http://127.0.0.1/queue", "POWERTOOLS_SERVICE_NAME": "bot_api",
    "ORDER_WORKFLOW_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:order",
    "CLOSE_ALL_WORKFLOW_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:close_all",
    "POWERTOOLS_METRICS_NAMESPACE": "Surefill", "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip
LIMIT_MS = 150.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill, measure, print; exit code 1 when a route's p95 is above the limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.api", description=__doc__)
    parser.add_argument("--bots", type=int, default=1_000)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=40, help="per route")
    asked = parser.parse_args(arguments)
    os.environ.update(_ENVIRONMENT)
    with tempfile.TemporaryDirectory(prefix="surefill-api-") as folder, ministack(Path(folder)) as endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        _fill(endpoint, bots=asked.bots, decisions=asked.decisions)
        times = _measure(bots=asked.bots, calls=asked.calls)
    table = Table(title=f"{asked.bots:,} bots, {asked.decisions:,} decisions, {asked.calls} calls per route")
    for column in ("route", "p50 ms", "p95 ms"):
        table.add_column(column, justify="left" if column == "route" else "right")
    report = {}
    for route, taken in times.items():
        p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        report[route] = {"p50_ms": round(p50, 1), "p95_ms": round(p95, 1)}
        table.add_row(route, f"{p50:.0f}", f"{p95:.0f}{' !' if p95 > LIMIT_MS else ''}")
    Console().print(table)
    _REPORT.parent.mkdir(exist_ok=True)
    told = {"bots": asked.bots, "decisions": asked.decisions, "limit_ms": LIMIT_MS, "routes": report}
    _REPORT.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return int(any(one["p95_ms"] > LIMIT_MS for one in report.values()))


def _fill(endpoint: str, *, bots: int, decisions: int) -> None:
    connection = SharedConnection(endpoint_url=endpoint, region=REGION)
    client: Any = connection.client
    for schema in TABLES.values():
        client.create_table(**table_request(schema, table_prefix=_PREFIX))
    store = DynamoStore(table_prefix=_PREFIX, connection=connection)
    store.replace(
        Account(
            account_id=_ACCOUNT, venue="binance", mode=Mode.PAPER, currency="USDT", reconciled_at=TICK,
            balances={"USDT": "1000000"},
        )
    )  # fmt: skip
    store.replace(budget(budget_id=_BUDGET, account_id=_ACCOUNT, entries_allowed=True))
    store.replace(rules())
    store.replace(ScheduleRow(schedule_name="dispatch", last_tick=TICK, finished_at=TICK))
    for number in range(bots):
        _one_bot(store, number, entries=decisions // bots)


def _one_bot(store: DynamoStore, number: int, *, entries: int) -> None:
    made: Bot = bot(bot_id=f"b{number}", account_id=_ACCOUNT, budget_id=_BUDGET, definition_hash=f"h{number}")
    store.replace(made)
    if number % 10 == 0:
        owner = f"{_ACCOUNT}|{made.bot_id}"
        store.replace(
            Slot(
                market_key="binance|BTC/USDT", owner_key=owner, bot_id=made.bot_id, account_id=_ACCOUNT,
                budget_id=_BUDGET, state=SlotState.OPEN, open_key="open", slot_key=f"binance|BTC/USDT|{owner}",
                entry_intent_id="e" * 32, quantity=Decimal(1), cost=Decimal(100), opened_at=TICK,
                take_profit=Decimal(110), stop_loss=Decimal(90),
            )
        )  # fmt: skip
    store.journal(
        [
            JournalEntry(
                bot_id=made.bot_id, entry_key=f"{format_time(TICK + timedelta(minutes=minute))}#decision#BTC/USDT",
                at=TICK + timedelta(minutes=minute), kind="decision", symbol="BTC/USDT",
                reason=Reason.HOLD if minute % 2 else Reason.WAITING_CONFIRMATION, numbers={"rsi": "47.31"},
            )
            for minute in range(entries)
        ]
    )  # fmt: skip


def _measure(*, bots: int, calls: int) -> dict[str, list[float]]:
    handler = importlib.import_module("functions.bot_api.handler").handler
    chance = random.Random(1)
    routes = (
        "/bots", "/bots/{bot}", "/bots/{bot}/decisions", "/bots/{bot}/risk-events", "/bots/{bot}/orders",
        "/bots/{bot}/why", "/bots/{bot}/readiness", "/bots/{bot}/statistics", "/positions", "/accounts", "/budgets",
        "/schedules", "/panic", "/reservations",
    )  # fmt: skip
    times: dict[str, list[float]] = {}
    for route in routes:
        _call(handler, route.replace("{bot}", "b0"))  # what is loaded at the first use is not a route's time
        times[route] = []
        for _ in range(calls):
            path = route.replace("{bot}", f"b{chance.randrange(bots)}")
            began = perf_counter()
            _call(handler, path)
            times[route].append((perf_counter() - began) * 1_000)
    return times


def _call(handler: Any, path: str) -> None:
    answer = handler(
        {
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": {},
            "requestContext": {"http": {"method": "GET", "path": path}, "stage": "$default", "requestId": "r"},
            "body": None, "isBase64Encoded": False,
        },
        _Context(),
    )  # fmt: skip
    if answer["statusCode"] != 200:
        raise RuntimeError(f"GET {path} must answer 200, answered {answer['statusCode']}: {answer['body'][:300]}")


class _Context:
    function_name = "bot_api"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:bot_api"
    aws_request_id = "r"


if __name__ == "__main__":
    raise SystemExit(main())
