"""A trading floor: the functions' own handlers on moto and the simulated exchange, and every line they wrote."""

import importlib.util
import io
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import botocore.session

from local.exchange.core import Exchange
from local.exchange.server import RunningServer, serve
from local.exchange.settings import LOCAL_KEY
from surefill.adapters.dynamodb.codec import encode
from surefill.domain.rows import Account, Bot, Intent, JournalEntry, Row
from surefill.domain.times import format_time, from_milliseconds
from tests.fakes.rows import bot, budget
from tests.insights import run as insights
from tests.insights.values import events
from tests.integration.conftest import PREFIX, Cloud, Context
from tests.unit.exchange.helpers import admin, coin_exchange, fault

SYMBOL = "COIN/USDT"
SECRET_NAME = "surefill/test/main"
REPOSITORY = Path(__file__).resolve().parents[2]
_FALLING_MINUTES = 60
# RSI alone buys in a falling market and never sells.
_PARAMS = {
    "rsi_period": 2, "macd_fast": 2, "macd_slow": 3, "macd_signal": 2, "average_fast": 2, "average_slow": 3,
    "weight_rsi": 0.6, "weight_macd": 0.0, "weight_averages": 0.4, "buy_score": 0.1, "sell_score": 1.0,
}  # fmt: skip


@cache
def handler_module(name: str) -> ModuleType:
    """A function's module as Lambda loads it: its logger and metrics carry the function's own name."""
    before = os.environ.get("POWERTOOLS_SERVICE_NAME")
    os.environ["POWERTOOLS_SERVICE_NAME"] = name
    try:
        path = REPOSITORY / "functions" / name / "handler.py"
        spec = importlib.util.spec_from_file_location(f"floor_{name}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        if before is None:
            del os.environ["POWERTOOLS_SERVICE_NAME"]
        else:
            os.environ["POWERTOOLS_SERVICE_NAME"] = before


@dataclass
class Floor:
    """One bot on one falling market; `tick` carries a minute through all functions as AWS would."""

    cloud: Cloud
    exchange: Exchange
    server: RunningServer
    workflows: Any
    secrets: Any
    lines: list[tuple[str, str]] = field(default_factory=list)
    carried: set[str] = field(default_factory=set)
    sent: int = 0

    @property
    def now(self) -> datetime:
        return from_milliseconds(self.exchange.clock.now_ms())

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """One invocation; what it printed and logged is kept, and the platform's line about an error it raised."""
        module = handler_module(name)
        written = io.StringIO()
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(written)
        try:
            with redirect_stdout(written), _environment(POWERTOOLS_SERVICE_NAME=name):
                return module.handler(event, Context())
        except Exception as error:
            shown = {"level": "ERROR", "errorType": type(error).__name__, "errorMessage": str(error)}
            written.write(json.dumps({"timestamp": format_time(self.now), "logType": "error", **shown}) + "\n")
            raise
        finally:
            self.lines += [(name, line) for line in written.getvalue().splitlines() if line]

    def schedule(self, name: str) -> Any:
        tick = self.now.replace(second=0, microsecond=0)
        return self.invoke(name, {"schedule": name, "scheduled_time": format_time(tick)})

    def pass_time(self, seconds: int) -> None:
        self.exchange.clock.advance(seconds * 1_000)

    def tick(self, *, settle: bool = True) -> None:
        """The next minute: dispatch, evaluate, orders, exits, and what is told of them."""
        self.pass_time(60 - self.now.second)
        self.schedule("dispatch")
        self.evaluate()
        self.carry_orders(settle=settle)
        self.schedule("watch_exits")
        self.carry_orders(settle=settle)

    def evaluate(self) -> None:
        while records := self.cloud.messages():
            self.invoke("evaluate", {"Records": records})

    def carry_orders(self, *, settle: bool = True) -> None:
        """Every execution that was started, through claim, place and (once, when place says so) settle."""
        found = self.workflows.list_executions(stateMachineArn=os.environ["ORDER_WORKFLOW_ARN"])["executions"]
        for execution in found:
            if execution["name"] not in self.carried:
                self.carried.add(execution["name"])
                shown = self.workflows.describe_execution(executionArn=execution["executionArn"])
                self.carry(json.loads(shown["input"]), settle=settle)

    def carry(self, event: dict[str, Any], *, settle: bool = True) -> None:
        event = {**event, "claim": self.invoke("claim_order", event)}
        try:
            self.invoke("place_order", event)
        except Exception as error:
            if type(error).__name__ != "NotSettled":
                raise
            if settle:
                self.invoke("settle_order", {"intent_id": event["intent_id"], "attempt": 0})

    def tell(self, *rows: Row) -> Any:
        """Rows as their streams hand them to `publish_events`."""
        event = stream_event(rows, first=self.sent + 1)
        self.sent += len(rows)
        return self.invoke("publish_events", event)

    def tell_everything(self) -> None:
        """All orders, accounts and journal entries as they are now."""
        store = self.cloud.store
        self.tell(*store.all_rows(Intent), *store.all_rows(Account), *store.all_rows(JournalEntry))

    def price(self, price: str) -> None:
        admin(self.exchange, "POST", "/admin/prices", {"symbol": "COINUSDT", "price": price, "hold": True})

    def fault(self, kind: str, **options: Any) -> None:
        fault(self.exchange, kind, **options)

    def no_faults(self) -> None:
        admin(self.exchange, "DELETE", "/admin/faults")

    def put_key(self, *, key: str = LOCAL_KEY.key, secret: str = LOCAL_KEY.secret) -> None:
        text = json.dumps({"api_key": key, "secret": secret})
        self.secrets.put_secret_value(SecretId=SECRET_NAME, SecretString=text)

    def intents(self, leg: str) -> list[Intent]:
        found = [intent for intent in self.cloud.store.all_rows(Intent) if intent.leg == leg]
        return sorted(found, key=lambda intent: intent.created_at)

    def rows(self) -> list[dict[str, Any]]:
        """Every line as Insights shows it, in the order in which they were written."""
        return [
            events([line], log=f"/aws/lambda/test-{name}", at=index)[0] for index, (name, line) in enumerate(self.lines)
        ]

    def ask(self, query: str, **replaced: str) -> list[dict[str, Any]]:
        """Run a saved query with its placeholders filled in."""
        text = (REPOSITORY / "infra" / "saved_queries" / f"{query}.txt").read_text(encoding="utf-8")
        for placeholder, value in replaced.items():
            assert placeholder in text, f"{query} has no {placeholder}"
            text = text.replace(placeholder, value)
        return insights.run(text, self.rows())


def stream_event(rows: Sequence[Row], *, first: int = 1) -> dict[str, Any]:
    """Rows as the streams of their tables hand them out."""
    records = []
    for number, row in enumerate(rows, start=first):
        source = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{PREFIX}{type(row).TABLE}/stream/1"
        image = {"SequenceNumber": str(number), "NewImage": encode(row)}
        records.append({"eventName": "MODIFY", "eventSourceARN": source, "dynamodb": image})
    return {"Records": records}


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def falling() -> list[tuple[str, str, str, str]]:
    """An hour that falls by about five cents a minute, from 100, with a small rise every other minute."""
    prices = [Decimal(100) - Decimal(minute) / 20 + Decimal(minute % 2) / 15 for minute in range(_FALLING_MINUTES + 1)]
    prices = [price.quantize(Decimal("0.01")) for price in prices]
    return [(str(now), str(max(now, then)), str(min(now, then)), str(then)) for now, then in pairwise(prices)]


@contextmanager
def trading_floor(cloud: Cloud, *, setenv: Callable[[str, str], None], settings: dict[str, Any]) -> Iterator[Floor]:
    """An exchange over HTTP, an account read from it, a bot that wants to buy. `settings` changes the bot."""
    exchange = coin_exchange(*falling())
    exchange.clock.advance((_FALLING_MINUTES - 10) * 60_000)
    server = serve(exchange)
    session: Any = botocore.session.get_session()
    workflows, secrets = (session.create_client(name) for name in ("stepfunctions", "secretsmanager"))
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    made = workflows.create_state_machine(
        name="order", definition=definition, roleArn="arn:aws:iam::123456789012:role/order"
    )
    setenv("ORDER_WORKFLOW_ARN", made["stateMachineArn"])
    setenv("CLOCK_URL", f"{server.url}/admin/clock")
    setenv("VENUES", json.dumps({"binance": {"endpoint": server.url, "hosts": ["127.0.0.1"]}}))
    secrets.create_secret(Name=SECRET_NAME, SecretString="{}")
    for name in ("dispatch", "evaluate", "claim_order", "place_order", "settle_order", "watch_exits", "reconcile",
                 "sync_account", "refresh_markets", "publish_events"):  # fmt: skip
        handler_module(name).build.cache_clear()
    floor = Floor(cloud, exchange, server, workflows, secrets)
    floor.put_key()
    try:
        _furnish(floor, settings)
        yield floor
    finally:
        server.close()


def _furnish(floor: Floor, settings: dict[str, Any]) -> None:
    store = floor.cloud.store
    store.insert(
        Account(account_id="live-binance-main", venue="binance", mode="live", currency="USDT", secret_name=SECRET_NAME)
    )
    store.insert(budget())
    store.insert(_trader(floor, settings))
    floor.schedule("refresh_markets")
    floor.schedule("sync_account")


def _trader(floor: Floor, settings: dict[str, Any]) -> Bot:
    fixed = {"symbols": (SYMBOL,), "params": _PARAMS, "created_at": floor.now, "cooldown_seconds": 86_400}
    return bot(**{**fixed, **settings})
