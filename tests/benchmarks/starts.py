"""How a function starts: fresh interpreters on the built local layers, next to the obvious stack in the same run."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.bundling.build import build_layer
from infra.bundling.target import Target
from infra.bundling.tools import find_uv, run
from infra.catalogue import FUNCTIONS, FunctionSpec

REPOSITORY = Path(__file__).resolve().parents[2]
_HERE = Path(__file__).parent
_BUILD = REPOSITORY / "build" / "bench"
# What the Lambda runtime brings itself, at the version of the lock file.
_RUNTIME = ("boto3==1.43.106",)
_OBVIOUS = (
    *_RUNTIME, "aws-lambda-powertools[tracer]==3.37.0", "pydantic==2.14.3", "pynamodb==6.1.0", "ccxt==4.5.90",
)  # fmt: skip
_ENVIRONMENT = {
    "STAGE": "bench",
    "TABLE_PREFIX": "surefill-bench-",
    "VENUES": '{"binance": {"endpoint": null, "hosts": ["api.binance.com"]}}',
    "EVALUATIONS_QUEUE_URL": "http://127.0.0.1/queue",
    "DEAD_LETTERS_OF": "dispatch,evaluate",
    "ORDER_WORKFLOW_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:order",
    "CLOSE_ALL_WORKFLOW_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:close_all",
    "EVENTS_TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:events",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "Surefill",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": os.environ["PATH"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start: milliseconds from the first line to the handler being ready, modules, resident memory, complaints."""

    ms: float
    modules: int
    rss_mib: float
    names: frozenset[str]
    complaints: str


def talks_to_a_venue(function: FunctionSpec) -> bool:
    """Whether the function carries the exchange layer."""
    return "exchange" in function.layers


def paths_of(function: FunctionSpec) -> list[Path]:
    """Import path of a function: its layers, then what the Lambda runtime brings."""
    target = Target.local()
    layers = [
        build_layer(name, target=target, venues=("binance",), repository=REPOSITORY).folder / "python"
        for name in function.layers
    ]
    return [*layers, _installed("runtime", _RUNTIME)]


def start_function(function: FunctionSpec) -> Start:
    """Start one function in a fresh interpreter, composition root included."""
    handler = REPOSITORY / "functions" / function.name / "handler.py"
    return _start([str(handler), "build"], paths=paths_of(function))


def start_obvious() -> Start:
    """Start the obvious stack."""
    return _start([str(_HERE / "obvious_stack.py")], paths=[_installed("obvious", _OBVIOUS)])


def _start(arguments: Sequence[str], *, paths: Sequence[Path]) -> Start:
    environment = {**_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    interpreter = run([str(REPOSITORY / ".venv/bin/python"), "-c", "import sys; print(sys._base_executable)"]).strip()
    done = subprocess.run(
        [interpreter, "-s", "-S", str(_HERE / "start_child.py"), *arguments],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} did not start: {done.stderr[-2_000:]}")
    report = json.loads(done.stdout.splitlines()[-1])
    return Start(
        ms=report["ms"],
        modules=report["modules"],
        rss_mib=report["rss_mib"],
        names=frozenset(report["names"]),
        complaints=done.stderr,
    )


def _installed(name: str, requirements: Sequence[str]) -> Path:
    folder = _BUILD / name
    stamp = folder / ".requirements"
    wanted = "\n".join(requirements)
    if not stamp.exists() or stamp.read_text() != wanted:
        python = str(REPOSITORY / ".venv/bin/python")
        run([find_uv(), "pip", "install", "--quiet", "--python", python, "--target", str(folder), *requirements])
        run([python, "-m", "compileall", "-q", "-j", "2", str(folder)])
        stamp.write_text(wanted)
    return folder


ALL: Sequence[FunctionSpec] = tuple(FUNCTIONS)
