"""The API behind a small HTTP server of this process: the function's own routes on the store in memory."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from surefill.adapters.memory import MemoryStore
from surefill.api.gate import answered
from surefill.api.services import Services
from surefill.domain.kinds import Mode
from surefill.domain.reasons import Reason
from surefill.domain.records import Closing, ScheduleRow
from surefill.domain.rows import Account, JournalEntry
from surefill.ports import Store
from surefill.usecases.claim import claim
from surefill.usecases.control.accounts import AccountControl
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.directory import Directory
from surefill.usecases.control.health import Health
from surefill.usecases.control.hooks import Hooks
from surefill.usecases.control.positions import PositionControl
from surefill.usecases.control.requests import Requests
from surefill.usecases.control.stop import KillSwitch
from tests.fakes.orders import entry_of
from tests.fakes.rows import TICK, bot, budget
from tests.fakes.world import World


@dataclass
class NothingFailed:
    """No dead letters."""

    def waiting(self) -> Mapping[str, int]:
        return {"dispatch": 0, "evaluate": 0}


@dataclass
class NobodyAnswers:
    """Functions and workflows that take everything."""

    called: list[str] = field(default_factory=list)

    def ask(self, name: str, event: Mapping[str, object]) -> Mapping[str, object]:
        self.called.append(name)
        return {"results": []}

    def wake(self, name: str, event: Mapping[str, object]) -> None:
        self.called.append(name)

    def start_closing(self, name: str, closings: Sequence[Closing]) -> bool:
        self.called.append(name)
        return True


def furnished(store: Store | None = None) -> World:
    """A world in which every list has something: a position, an order, decisions, schedules, a second bot."""
    world = World(store or MemoryStore())
    store = world.store
    account = world.store.get(Account, "live-binance-main")
    assert isinstance(account, Account)
    world.store.replace(replace(account, reconciled_at=TICK, balances={"USDT": "5000"}))
    intent = entry_of(world)
    claim(intent, store=store, observer=world.observer)
    world.placer.place(intent, worker="w")
    store.insert(bot(bot_id="listener", strategy="webhook", definition_hash="l"))
    store.insert(budget(budget_id="live-binance-main-spare"))
    store.insert(Account(account_id="paper-binance-spare", venue="binance", mode=Mode.PAPER, currency="USDT"))
    store.journal(
        [
            JournalEntry(
                bot_id="trend",
                entry_key=f"2026-01-05T12:{minute:02}:00Z#decision#BTC/USDT",
                at=TICK + timedelta(minutes=minute),
                kind="decision",
                symbol="BTC/USDT",
                reason=Reason.HOLD,
            )
            for minute in range(5)
        ]
    )
    store.replace(ScheduleRow(schedule_name="dispatch", last_tick=TICK, finished_at=TICK))
    return world


def services_on(world: World) -> Services:
    """The use cases of the API on a world of fakes."""
    store, clock, observer = world.store, world.clock, world.observer
    outside = NobodyAnswers()
    directory = Directory(store=store, venues=["binance"])
    bots = BotControl(store=store, queue=world.queue, clock=clock, observer=observer)
    return Services(
        store=store,
        clock=clock,
        accounts=AccountControl(store=store, clock=clock, observer=observer, venues=directory.venues),
        bots=bots,
        positions=PositionControl(store=store, bots=bots, workflow=world.workflow, clock=clock, observer=observer),
        directory=directory,
        stops=KillSwitch(store=store, directory=directory, workflow=outside, clock=clock, observer=observer),
        hooks=Hooks(store=store, bots=bots, clock=clock, observer=observer),
        health=Health(store=store, directory=directory, queue=world.queue, dead_letters=NothingFailed(), clock=clock),
        requests=Requests(store=store, clock=clock),
        functions=outside,
    )


class Api:
    """The API's own resolver, called with events as the gateway makes them; one at a time, as in a function."""

    def __init__(self, services: Services) -> None:
        from functions.bot_api.handler import app

        self._app = app
        self._services = services
        self._lock = Lock()

    def call(self, method: str, target: str, *, headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
        """One request as the gateway hands it over."""
        parts = urlsplit(target)
        path = unquote(parts.path, errors="replace")
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": parts.query,
            "queryStringParameters": dict(parse_qsl(parts.query, keep_blank_values=True, errors="replace")),
            "headers": {name.lower(): value for name, value in headers.items()},
            "requestContext": {"http": {"method": method, "path": path}, "stage": "$default", "requestId": "r"},
            "body": body.decode("utf-8", "replace") if body else None,
            "isBase64Encoded": False,
        }
        with self._lock:

            def answer() -> dict[str, Any]:
                self._app.append_context(**self._services.as_context())
                return self._app.resolve(event, {})

            return answered(event, requests=self._services.requests, answer=answer)


@contextmanager
def served(api: Api) -> Iterator[str]:
    """The API at an address of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            made = api.call(self.command, self.path, headers=dict(self.headers.items()), body=body)
            content = str(made.get("body") or "").encode()
            self.send_response(int(made["statusCode"]))
            headers = {**made.get("headers", {}), **{k: v[0] for k, v in made.get("multiValueHeaders", {}).items()}}
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def __getattr__(self, name: str) -> Any:
            """Every method is answered, those nobody has heard of too."""
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: a request that fails is shown by its test."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def problem_of(text: str) -> Mapping[str, Any]:
    """The problem document in an answer."""
    found: Mapping[str, Any] = json.loads(text)
    return found
