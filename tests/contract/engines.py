"""The engines a store runs on: memory, moto (one thread only, tokens ignored) and ministack (a local AWS, honest)."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from moto import mock_aws

from surefill.adapters.dynamodb import TABLES, ApiCall, DynamoStore, Patience, SharedConnection
from surefill.adapters.dynamodb.schema import table_request
from surefill.adapters.memory import MemoryStore
from surefill.ports import Store

REGION = "eu-central-1"
ENGINES = ("memory", "moto", "ministack")
# moto stores a sum as Python writes it ("1E-7", "0E-8") and then fails to add to what has no decimal point.
SMALLEST_ON_MOTO = Decimal("0.000001")


@dataclass
class Engine:
    """Makes empty stores; on DynamoDB each has tables of its own."""

    name: str
    connection: SharedConnection | None = None

    @property
    def honours_tokens(self) -> bool:
        """Whether a resend with the same token is a success (moto applies or refuses it anew)."""
        return self.name != "moto"

    def store(self, *, patience: Patience | None = None) -> Store:
        """An empty store."""
        if self.connection is None:
            return MemoryStore()
        prefix = f"surefill-{uuid.uuid4().hex[:8]}-"
        for schema in TABLES.values():
            self.connection.client.create_table(**table_request(schema, table_prefix=prefix))  # type: ignore[attr-defined]
        return DynamoStore(table_prefix=prefix, connection=self.connection, patience=patience)

    @contextmanager
    def counting(self) -> Iterator[list[ApiCall]]:
        """Collect the requests made inside."""
        calls: list[ApiCall] = []
        if self.connection is None:
            raise ValueError(f"requests must be counted on DynamoDB, was {self.name}")
        self.connection.on_call = calls.append
        try:
            yield calls
        finally:
            self.connection.on_call = None


@contextmanager
def moto_engine(connection: SharedConnection) -> Iterator[Engine]:
    """DynamoDB inside this process, empty at the start."""
    with mock_aws():
        yield Engine("moto", connection)


@contextmanager
def ministack(directory: Path) -> Iterator[str]:
    """A local AWS with DynamoDB only, on a free port of 127.0.0.1; yields its endpoint and ends it by its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "false",
        "SERVICES": "dynamodb",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(directory),
    }
    with (directory / "ministack.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=os.environ | settings, stdout=log, stderr=log, cwd=directory
        )
        try:
            endpoint = f"http://127.0.0.1:{port}"
            _wait(lambda: _answers(endpoint), process=process)
            yield endpoint
        finally:
            process.terminate()
            process.wait(timeout=10)


def _wait(ready: Callable[[], bool], *, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        if ready():
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"ministack must answer within 10 s, did not (exit code {process.poll()})")


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1):
            return True
    except OSError:
        return False
