"""The local stage as one object: start it, use it, stop everything it started."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from local.errors import LocalError
from local.stage.announcement import Announcement, announce, withdraw
from local.stage.aws import PREFIX, LocalAws
from local.stage.deployment import Deployment
from local.stage.durable_aws import generation_of
from local.stage.environment import REGION, root_environment, tool_environment
from local.stage.exchange import ExchangeAdmin
from local.stage.lock import StageLock
from local.stage.ports import HOST, require_port
from local.stage.processes import ManagedProcess, ProcessBook, start, wait_until_healthy
from local.stage.progress import Progress, Silent, step
from local.stage.toolchain import require_toolchain
from surefill.adapters.dynamodb import DynamoStore, SharedConnection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.stage.api import ControlApi

_AWS_START_SECONDS = 60
_EXCHANGE_START_SECONDS = 60
_CHECKPOINT_SECONDS = 30
_SECRETS_PREFIX = "surefill/local/"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """What to start. Ports: 0 takes a free one. `exchange_arguments` are options of `python -m local.exchange`."""

    repository: Path
    folder: Path
    aws_port: int = 0
    exchange_port: int = 0
    exchange_arguments: tuple[str, ...] = ()
    context: Mapping[str, str] = field(default_factory=dict)


class LocalStage:
    """A local AWS with the real application deployed, and the simulated exchange. Use as a context manager."""

    def __init__(self, plan: StagePlan, *, progress: Progress | None = None) -> None:
        self.plan = plan
        self.progress = progress or Silent()
        self._lock = StageLock(plan.folder)
        self._book = ProcessBook(plan.folder)
        self._aws_process: ManagedProcess | None = None
        self._exchange_process: ManagedProcess | None = None
        self._outer_environment: dict[str, str] | None = None
        self._ports: tuple[int, int] | None = None

    def __enter__(self) -> LocalStage:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def aws_port(self) -> int:
        """Where the local AWS listens."""
        return self._chosen()[0]

    @property
    def endpoint(self) -> str:
        """Address of the local AWS."""
        return f"http://{HOST}:{self.aws_port}"

    @cached_property
    def aws(self) -> LocalAws:
        """Clients of the local AWS."""
        return LocalAws(endpoint=self.endpoint)

    @cached_property
    def exchange(self) -> ExchangeAdmin:
        """The exchange's admin side."""
        return ExchangeAdmin(port=self._chosen()[1])

    @cached_property
    def store(self) -> DynamoStore:
        """The product's own tables."""
        connection = SharedConnection(endpoint_url=self.endpoint, region=REGION)
        return DynamoStore(table_prefix=f"{PREFIX}-", connection=connection)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Outputs of the deployed stacks."""
        return self.aws.outputs()

    @cached_property
    def api(self) -> ControlApi:
        """The control API."""
        return self.aws.api(url=self.outputs["ApiUrl"])

    @property
    def workflow(self) -> str:
        """ARN of the order workflow."""
        return self.outputs["OrderWorkflowArn"]

    @property
    def aws_process(self) -> ManagedProcess:
        """The running local AWS."""
        if self._aws_process is None:
            raise LocalError("the local AWS does not run")
        return self._aws_process

    def start(self) -> None:
        """Start and deploy everything. Raises LocalError with one sentence; then `stop` cleans up."""
        self._lock.acquire()
        leftovers = self._book.stop_leftovers()
        if leftovers:
            self.progress.say(f"the last run ended without cleaning up: stopped its {' and '.join(leftovers)}")
        toolchain = require_toolchain(self.plan.repository)
        self._ports = (
            require_port(self.plan.aws_port, purpose="the local AWS", option="--aws-port"),
            require_port(self.plan.exchange_port, purpose="the simulated exchange", option="--exchange-port"),
        )
        self._adopt_environment()
        self._forget_logs()
        with step(self.progress, "simulated exchange"):
            self.start_exchange()
        with step(self.progress, "local AWS"):
            self._forget_aws_state()
            self.start_aws()
        deployment = Deployment(
            repository=self.plan.repository, folder=self.plan.folder, endpoint=self.endpoint, toolchain=toolchain
        )
        with step(self.progress, "cdk synth"):
            if not deployment.synthesise(self._context(), progress=self.progress):
                self.progress.detail("unchanged since the last run")
        with step(self.progress, "cdk bootstrap"):
            deployment.bootstrap(progress=self.progress)
        with step(self.progress, "cdk deploy"):
            deployment.deploy(progress=self.progress)
        self.checkpoint()
        announce(
            self.plan.folder,
            Announcement(
                aws_url=self.endpoint,
                api_url=self.outputs["ApiUrl"],
                exchange_url=self.exchange.url,
                clock_url=self.exchange.clock_url,
            ),
        )

    def stop(self) -> None:
        """Stop everything this stage started, the exchange first, and give the caller's environment back."""
        if self._ports is not None:
            withdraw(self.plan.folder)
        for process in (self._exchange_process, self._aws_process):
            if process is not None:
                process.stop()
        self._exchange_process = self._aws_process = None
        if self._outer_environment is not None:
            os.environ.clear()
            os.environ.update(self._outer_environment)
            self._outer_environment = None
        self._lock.release()

    def start_aws(self) -> None:
        """Start the local AWS with the state it had when it was last stopped, if any."""
        folder = self.plan.folder
        environment = {
            **root_environment(endpoint=self.endpoint),
            "AUTH": "true",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.aws_port),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(folder / "aws" / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder / "aws" / "s3"),
            "TMPDIR": str(folder / "aws" / "tmp"),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "INFO",
        }
        # The functions' own setting; ministack gives it to those that have none.
        del environment["AWS_ENDPOINT_URL"]
        (folder / "aws" / "tmp").mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "local.stage.durable_aws"]
        self._aws_process = start(
            "local-aws", command, book=self._book, folder=folder, env=environment, cwd=self.plan.repository
        )
        wait_until_healthy(
            self._aws_process, healthy=self._aws_is_up, timeout_seconds=_AWS_START_SECONDS, what="the local AWS"
        )

    def stop_aws(self) -> None:
        """Stop the local AWS; it keeps its state on disk."""
        self.aws_process.stop()
        self._aws_process = None

    def checkpoint(self) -> None:
        """Let the local AWS write all of its state; from here on a crash of it loses no table write."""
        folder = self.plan.folder / "aws" / "journal"
        before = generation_of(folder)
        os.kill(self.aws_process.pid, signal.SIGUSR1)
        deadline = time.monotonic() + _CHECKPOINT_SECONDS
        while generation_of(folder) == before:
            if time.monotonic() > deadline or not self.aws_process.is_running():
                raise LocalError(f"the local AWS wrote no checkpoint within {_CHECKPOINT_SECONDS} s")
            time.sleep(0.02)

    def revive(self) -> bool:
        """Start the local AWS again if it has ended; whether it had. Raises LocalError when the exchange has ended."""
        if self._exchange_process is not None and not self._exchange_process.is_running():
            words = self._exchange_process.last_words()
            raise LocalError(f"the simulated exchange has ended, and with it its market; its log ends with: {words}")
        if self._aws_process is None or self._aws_process.is_running():
            return False
        self._aws_process.kill()  # what it had started
        self.start_aws()
        return True

    def start_exchange(self) -> None:
        """Start the simulated exchange with nothing in its past."""
        command = [sys.executable, "-m", "local.exchange", "--port", str(self._chosen()[1])]
        self._exchange_process = start(
            "exchange",
            [*command, *self.plan.exchange_arguments],
            book=self._book,
            folder=self.plan.folder,
            env=tool_environment(),
            cwd=self.plan.repository,
        )
        wait_until_healthy(
            self._exchange_process,
            healthy=self.exchange.is_up,
            timeout_seconds=_EXCHANGE_START_SECONDS,
            what="the simulated exchange",
        )

    def stop_exchange(self) -> None:
        """Stop the simulated exchange; it forgets everything."""
        if self._exchange_process is not None:
            self._exchange_process.stop()
            self._exchange_process = None

    def put_exchange_secret(self, account: str, *, key: str, secret: str) -> str:
        """Store an API key the way an operator does; returns the secret's name."""
        name = f"{_SECRETS_PREFIX}{account}"
        self.aws.put_secret(name, {"api_key": key, "secret": secret})
        return name

    def wait_until_quiet(self, *, timeout_seconds: float) -> bool:
        """Wait until no evaluation and no order is under way; False when some still are after the time."""
        return self.aws.wait_until_quiet(
            queue_url=self.outputs["EvaluationsQueueUrl"], workflow=self.workflow, timeout_seconds=timeout_seconds
        )

    def function(self, name: str) -> str:
        """Physical name of a function."""
        return f"{PREFIX}-{name}"

    def _chosen(self) -> tuple[int, int]:
        if self._ports is None:
            raise LocalError("the local stage has not been started")
        return self._ports

    def _context(self) -> dict[str, str]:
        return {
            "stage": "local",
            "aws_endpoint": self.endpoint,
            "exchange_url": self.exchange.url,
            "clock_url": self.exchange.clock_url,
            **self.plan.context,
        }

    def _adopt_environment(self) -> None:
        """The store reads its credentials from the environment, as it does in a function."""
        self._outer_environment = dict(os.environ)
        os.environ.clear()
        os.environ.update(root_environment(endpoint=self.endpoint))

    def _forget_aws_state(self) -> None:
        shutil.rmtree(self.plan.folder / "aws", ignore_errors=True)

    def _forget_logs(self) -> None:
        for log in self.plan.folder.glob("*.log"):
            log.unlink()

    def _aws_is_up(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.endpoint}/_ministack/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
