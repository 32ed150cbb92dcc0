"""The command line against the real `bot_api` handler behind a small HTTP server on this machine."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner

from local.cli import app
from local.stage.announcement import Announcement, announce
from surefill.domain.rows import Account
from tests.fakes.rows import TICK, rules
from tests.integration.conftest import Cloud, cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from typer.testing import Result

__all__ = ["cloud"]

ACCOUNT = {"name": "main", "venue": "binance", "mode": "live", "currency": "USDT", "secret_name": "surefill/test/main"}
BUDGET = {"account_id": "live-binance-main", "name": "b", "amount": "1000"}
BUDGET_ID = "live-binance-main-b"
BOT = {
    "name": "trend", "budget_id": BUDGET_ID, "symbols": ["BTC/USDT"], "strategy": "composite",
    "take_profit_percent": "3", "stop_loss_percent": "2",
}  # fmt: skip


@dataclass
class Answer:
    """What a scripted server answers: a JSON document, or a text as it is."""

    status: int
    body: Any = field(default_factory=dict)


@dataclass
class Request:
    """What a server was asked."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str


class Server:
    """Answers one request after the other on a free port of this machine; `requests` are those it has seen."""

    def __init__(self, answer: Callable[[Request], Answer | None]) -> None:
        self.requests: list[Request] = []
        seen = self.requests

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                parts = urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    method=self.command,
                    path=parts.path,
                    query=dict(parse_qsl(parts.query)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(size).decode(),
                )
                seen.append(request)
                given = answer(request)
                if given is None:  # hang up without a word
                    self.close_connection = True
                    return
                text = (given.body if isinstance(given.body, str) else json.dumps(given.body)).encode()
                self.send_response(given.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._http = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.url = f"http://api.localhost:{self._http.server_address[1]}"

    def changes(self) -> list[Request]:
        """The requests that change something."""
        return [request for request in self.requests if request.method != "GET"]

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class Cli:
    """Runs commands as a person does."""

    def __init__(self) -> None:
        self._runner = CliRunner()

    def run(self, *arguments: str, code: int = 0, typed: str = "") -> Result:
        """Run a command and check its exit code; there is never a traceback."""
        done = self._runner.invoke(app, list(arguments), input=typed, prog_name="surefill")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, f"exit code {done.exit_code}\n{done.output}"
        assert "Traceback" not in done.output
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with --json; its document."""
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def refused(self, *arguments: str, code: int = 2) -> str:
        """Run a command that is refused with one sentence; the sentence."""
        lines = [line for line in self.run(*arguments, code=code).stderr.splitlines() if line]
        assert len(lines) == 1, lines
        assert lines[0].startswith("surefill: ")
        return lines[0]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the stage and the caches, and no setting of the caller's own."""
    for name in ("SUREFILL_STAGE", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SUREFILL_FOLDER", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TZ", "UTC")
    return tmp_path


@pytest.fixture
def cli() -> Cli:
    return Cli()


def tell(folder: Path, url: str) -> None:
    """Say that a local stage runs at `url`."""
    announce(
        folder, Announcement(aws_url="http://127.0.0.1:1", api_url=url, exchange_url="http://127.0.0.1:1", clock_url="")
    )


@pytest.fixture
def scripted(home: Path) -> Iterator[Callable[[Callable[[Request], Answer | None]], Server]]:
    """Start a server that answers as told and is announced as the local stage."""
    servers: list[Server] = []

    def start(answer: Callable[[Request], Answer | None]) -> Server:
        server = Server(answer)
        servers.append(server)
        tell(home, server.url)
        return server

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def stage(cloud: Cloud, home: Path) -> Iterator[Server]:
    """The real handler on tables of its own: an account that was read, a budget, and no bots yet."""
    handler = cloud.function("bot_api")

    def answer(request: Request) -> Answer:
        given = handler(_event(request))
        return Answer(given["statusCode"], json.loads(given["body"]))

    server = Server(answer)
    tell(home, server.url)
    cloud.store.replace(rules())
    yield server
    server.close()


@pytest.fixture
def furnished(stage: Server, cloud: Cloud, cli: Cli) -> Server:
    """A stage with an account and a budget."""
    cli.run("accounts", "create", "main", "--mode", "live", "--secret", "surefill/test/main", "--yes")
    account = cloud.store.get(Account, "live-binance-main")
    assert account is not None
    cloud.store.replace(replace(account, reconciled_at=TICK, balances={"USDT": "1500"}))
    cli.run("budgets", "create", "live-binance-main", "b", "1000", "--yes")
    stage.requests.clear()
    return stage


def _event(request: Request) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in request.query.items()),
        "queryStringParameters": request.query,
        "headers": request.headers,
        "requestContext": {
            "http": {"method": request.method, "path": request.path, "sourceIp": "127.0.0.1"},
            "authorizer": {"iam": {"userArn": "arn:aws:iam::123456789012:user/operator"}},
            "stage": "$default",
            "requestId": "r",
        },
        "body": request.body or None,
        "isBase64Encoded": False,
    }
