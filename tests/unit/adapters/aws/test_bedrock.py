"""The adviser on Bedrock: against botocore's model of the service, and over the wire against a server of our own."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.stub import ANY, Stubber

from surefill.adapters.aws.bedrock import BedrockAdviser, runtime
from surefill.domain.advice import Advice, AdviceRequest
from surefill.ports import AdviserUnavailableError
from tests.fakes.rows import TICK

MODEL = "eu.example-model-v1:0"
REQUEST = AdviceRequest(
    bot_id="trend", strategy="composite", symbol="BTC/USDT", timeframe="5m", tick=TICK, price=Decimal("100.50"),
    average=Decimal(99), closes=(Decimal(98), Decimal(100)), signal={"score": "0.7"},
)  # fmt: skip
GOOD = {"allow": False, "reason": "the trend is down", "confidence": 0.75}


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


def made(*, endpoint: str | None = None, seconds: int = 1) -> Any:
    config = Config(read_timeout=seconds, connect_timeout=seconds, retries={"total_max_attempts": 1})
    return botocore.session.Session().create_client("bedrock-runtime", endpoint_url=endpoint, config=config)


def response(*blocks: object) -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }


def call(answer: object, *, name: str = "advise") -> dict[str, Any]:
    return {"toolUse": {"toolUseId": "t1", "name": name, "input": answer}}


def advise(answered: dict[str, Any]) -> Advice:
    client = made()
    with Stubber(client) as stub:
        stub.add_response(
            "converse",
            answered,
            {"modelId": MODEL, "system": ANY, "messages": ANY, "inferenceConfig": ANY, "toolConfig": ANY},
        )
        return BedrockAdviser(model=MODEL, client_for=lambda seconds: client).advise(REQUEST, seconds=5)


def test_a_valid_answer_is_advice() -> None:
    expected = Advice(allow=False, reason="the trend is down", confidence=Decimal("0.75"))
    assert advise(response(call(GOOD))) == expected
    assert advise(response({"text": "Let me see."}, call(GOOD))) == expected


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [{"text": json.dumps(GOOD)}],
        [call(GOOD), call(GOOD)],
        [call(GOOD, name="buy")],
        [call({**GOOD, "allow": "yes"})],
        [call({**GOOD, "confidence": 1.5})],
        [call({**GOOD, "confidence": "0.5"})],
        [call({**GOOD, "reason": ""})],
        [call({**GOOD, "quantity": 5})],
        [call({"allow": True})],
        [call([True])],
    ],
)
def test_anything_else_is_no_answer(blocks: list[object]) -> None:
    with pytest.raises(AdviserUnavailableError, match="answer must be one call of advise"):
        advise(response(*blocks))


def test_a_refused_call_names_the_code_only() -> None:
    client = made()
    with Stubber(client) as stub:
        stub.add_client_error("converse", "ThrottlingException", "secret details")
        with pytest.raises(AdviserUnavailableError, match=r"^Bedrock refused the call: ThrottlingException$"):
            BedrockAdviser(model=MODEL, client_for=lambda seconds: client).advise(REQUEST, seconds=5)


def test_an_answer_after_its_time_is_none() -> None:
    class Slow:
        def converse(self, **call_: object) -> dict[str, Any]:
            time.sleep(0.02)
            return response(call(GOOD))

    with pytest.raises(AdviserUnavailableError, match="must come within 0 s"):
        BedrockAdviser(model=MODEL, client_for=lambda seconds: Slow()).advise(REQUEST, seconds=0)


def test_the_clients_own_limits_are_the_bots_seconds_and_one_attempt() -> None:
    config = runtime(7).meta.config
    assert (config.read_timeout, config.connect_timeout, config.retries["total_max_attempts"]) == (7, 2, 1)
    assert BedrockAdviser(model=MODEL).metered


@contextmanager
def server(*, status: int = 200, wait: float = 0) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """A Bedrock of our own on a free port; gives its address and what it was asked."""
    asked: list[tuple[str, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            time.sleep(wait)
            body = json.dumps(response(call(GOOD)) if status == 200 else {"message": "no"}).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # the caller has given up, as it should

        def log_message(self, *arguments: object) -> None: ...

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", asked
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def over_the_wire(endpoint: str) -> Advice:
    return BedrockAdviser(model=MODEL, client_for=lambda seconds: made(endpoint=endpoint, seconds=seconds)).advise(
        REQUEST, seconds=1
    )


def test_what_is_sent_and_read_over_the_wire() -> None:
    with server() as (endpoint, asked):
        assert over_the_wire(endpoint).reason == "the trend is down"
    ((path, body),) = asked
    assert path.startswith("/model/eu.example-model-v1") and path.endswith("/converse")
    told = json.loads(body["messages"][0]["content"][0]["text"])
    assert told["symbol"] == "BTC/USDT"
    assert (told["price"], told["long_average"], told["volatility_percent"]) == ("100.50", "99", None)
    assert (told["closes"], told["signal"]) == (["98", "100"], {"score": "0.7"})
    assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "advise"}}
    schema = body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]
    assert set(schema["required"]) == {"allow", "reason", "confidence"}
    assert schema["additionalProperties"] is False


def test_a_late_answer_is_not_waited_for_and_not_asked_again() -> None:
    with server(wait=2) as (endpoint, asked):
        began = time.monotonic()
        with pytest.raises(AdviserUnavailableError, match="Bedrock did not answer: ReadTimeoutError"):
            over_the_wire(endpoint)
        assert time.monotonic() - began < 1.9
    assert len(asked) == 1


def test_a_broken_server_is_asked_once() -> None:
    with server(status=500) as (endpoint, asked), pytest.raises(AdviserUnavailableError, match="refused the call"):
        over_the_wire(endpoint)
    assert len(asked) == 1


def test_no_server_is_no_answer() -> None:
    with pytest.raises(AdviserUnavailableError, match="did not answer"):
        over_the_wire("http://127.0.0.1:1")
