"""The layers as they are deployed: small, compiled for their Python, complete, and without what must not ship.

Building needs uv, Python 3.13 for the Lambda target, and the locked wheels (from uv's cache or the index). Where one
of them is missing these tests are skipped with what is missing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from infra.bundling import Built, CannotBuildHereError, Target, build_layer
from infra.bundling.build import LAYERS
from infra.bundling.tree import digest, size, uncompiled
from infra.catalogue import FUNCTIONS
from infra.settings import LAMBDA_PYTHON
from tests.infra.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

VENUES = ("binance",)
# The bytecode version of every release of Python 3.13 (Include/internal/pycore_magic_number.h).
LAMBDA_MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
TARGETS = {"local": Target.local(), "aws": Target.aws()}
# What the Lambda runtime for Python brings along.
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3")
FORBIDDEN = {
    "runtime": ("aws_xray_sdk", "boto3", "botocore", "urllib3", "jmespath"),
    "exchange": (
        "aiohttp", "coincurve", "cryptography", "uvloop", "yarl", "ccxt/async_support", "ccxt/pro", "ccxt/test",
        "ccxt/static_dependencies", "ccxt/prediction",
    ),
    "analysis": ("pandas", "polars", "numpy/f2py", "numpy/_core/include", "numpy/_core/tests"),
    "core": ("tests",),
}  # fmt: skip

Layers = dict[str, Built]


@pytest.fixture(scope="session")
def layers() -> Callable[[str], Layers]:
    """Builds the layers of a target once; skips, for the same reason every time, where they cannot be built."""
    made: dict[str, Layers | str] = {}

    def build(target: str) -> Layers:
        if target not in made:
            made[target] = built_or_reason(TARGETS[target])
        found = made[target]
        if isinstance(found, str):
            pytest.skip(f"layers cannot be built here: {found}")
        return found

    return build


def built_or_reason(target: Target) -> Layers | str:
    try:
        return {name: build_layer(name, target=target, venues=VENUES, repository=REPOSITORY) for name in LAYERS}
    except CannotBuildHereError as error:
        return str(error)


@pytest.fixture(scope="session")
def lambda_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages the Lambda runtime has, and no others."""
    folder = tmp_path_factory.mktemp("runtime")
    installed = Path(boto3.__file__).resolve().parent.parent
    for name in RUNTIME_PACKAGES:
        (folder / name).symlink_to(installed / name)
    return folder


def alone(layers: Sequence[Built], *, code: str, runtime: Path) -> Mapping[str, object]:
    """Run ``code`` with nothing importable but the standard library, the layers and the runtime's own packages."""
    paths = [str(layer.folder / "python") for layer in layers] + [str(runtime)]
    program = f"import sys\nsys.path[1:1] = {paths!r}\nimport json\nfound = {{}}\n{code}\nprint(json.dumps(found))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_SERVICE_NAME": "test"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("target", sorted(TARGETS))
@pytest.mark.parametrize("name", LAYERS)
def test_every_module_has_bytecode_of_its_python(layers: Callable[[str], Layers], target: str, name: str) -> None:
    built = layers(target)[name]
    assert not uncompiled(built.folder, target=TARGETS[target])
    magic = LAMBDA_MAGIC if target == "aws" else MAGIC_NUMBER
    compiled = list(built.folder.rglob("*.pyc"))
    assert len(compiled) == len(list(built.folder.rglob("*.py")))
    for path in compiled:
        head = path.read_bytes()[:8]
        assert head[:4] == magic, path
        assert int.from_bytes(head[4:], "little") == 0b01, f"{path} must be hash-based and unchecked"


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_sizes(layers: Callable[[str], Layers], target: str) -> None:
    sizes = {name: built.size / 1e6 for name, built in layers(target).items()}
    assert sizes["exchange"] <= 20
    for spec in FUNCTIONS:
        unzipped = sum(sizes[layer] for layer in spec.layers)
        assert unzipped <= (100 if "analysis" in spec.layers else 45), spec.name


@pytest.mark.parametrize("target", sorted(TARGETS))
@pytest.mark.parametrize("name", LAYERS)
def test_what_must_not_ship(layers: Callable[[str], Layers], target: str, name: str) -> None:
    python = layers(target)[name].folder / "python"
    for forbidden in FORBIDDEN[name]:
        assert not (python / forbidden).exists()
    assert not list(python.glob("*.dist-info"))
    if name != "core":
        assert not list(python.rglob("*.pyi"))
        assert not [path for path in python.rglob("tests") if path.is_dir()]


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_layers_do_not_overlap(layers: Callable[[str], Layers], target: str) -> None:
    """All layers of a function become one folder; of two files with one name, one would be lost."""
    seen: dict[str, str] = {}
    for name, built in layers(target).items():
        for path in (built.folder / "python").iterdir():
            if path.name != "__pycache__":
                assert seen.setdefault(path.name, name) == name, path.name


def test_native_code_is_for_arm(layers: Callable[[str], Layers]) -> None:
    machine = b"\xb7\x00"  # EM_AARCH64 in the ELF header
    native = [path for built in layers("aws").values() for path in built.folder.rglob("*.so*") if path.is_file()]
    assert native
    for path in native:
        assert path.read_bytes()[18:20] == machine, path
        tagged = [part for part in path.suffixes if part.startswith(".cpython-")]
        assert all(part.startswith(f".cpython-{LAMBDA_PYTHON.replace('.', '')}-") for part in tagged), path


def test_the_same_lock_gives_the_same_bytes_in_another_folder(layers: Callable[[str], Layers], tmp_path: Path) -> None:
    first = layers("local")
    for name in ("pyproject.toml", "uv.lock", "layers"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    for name in ("runtime", "exchange"):
        again = build_layer(name, target=TARGETS["local"], venues=VENUES, repository=tmp_path)
        assert not again.was_cached
        assert fingerprint(again.folder) == fingerprint(first[name].folder)


def fingerprint(folder: Path) -> str:
    return digest((path for path in folder.rglob("*") if path.is_file()), base=folder)


def test_an_unchanged_layer_is_not_built_again(layers: Callable[[str], Layers]) -> None:
    layers("local")
    again = build_layer("exchange", target=TARGETS["local"], venues=VENUES, repository=REPOSITORY)
    assert again.was_cached


def test_the_runtime_layer_holds_all_that_functions_import(
    layers: Callable[[str], Layers], lambda_runtime: Path
) -> None:
    code = """
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.batch import BatchProcessor
from pydantic import BaseModel
from pynamodb.models import Model
import botocore.session
found["xray"] = "aws_xray_sdk" in sys.modules
found["outside"] = sorted(name for name in sys.modules if name in ("pandas", "ccxt", "requests"))
"""
    found = alone([layers("local")["runtime"]], code=code, runtime=lambda_runtime)
    assert found == {"xray": False, "outside": []}


# A signed request as the venue's client would send it; the time, and so the signature, is fixed.
SIGNED_REQUEST = """
def signed_request(ccxt):
    venue = ccxt.binance({"apiKey": "key", "secret": "secret"})
    venue.milliseconds = lambda: 1700000000000
    sent = []
    venue.fetch = lambda url, method="GET", headers=None, body=None: sent.append([url, method, headers, body]) or {}
    venue.private_post_order({"symbol": "BTCUSDT", "side": "BUY", "quantity": "1", "newClientOrderId": "mine"})
    return sent[0]
"""


def test_the_exchange_layer_signs_exactly_as_the_whole_ccxt_does(
    layers: Callable[[str], Layers], lambda_runtime: Path
) -> None:
    import ccxt

    scope: dict[str, Callable[[object], object]] = {}
    exec(SIGNED_REQUEST, scope)
    both = [layers("local")["exchange"], layers("local")["runtime"]]
    code = f"{SIGNED_REQUEST}\nimport ccxt\nfound['sent'] = signed_request(ccxt)\nfound['version'] = ccxt.__version__"
    found = alone(both, code=code, runtime=lambda_runtime)
    assert "signature=" in str(found["sent"])
    assert found == {"sent": scope["signed_request"](ccxt), "version": ccxt.__version__}


def test_the_exchange_layer_loads_nothing_it_does_not_need(
    layers: Callable[[str], Layers], lambda_runtime: Path
) -> None:
    code = """
import ccxt
assert "ccxt.binance" not in sys.modules
venue = ccxt.binance()
found["errors"] = [issubclass(ccxt.OrderNotFound, ccxt.InvalidOrder)]
found["errors"] += [issubclass(ccxt.RequestTimeout, ccxt.NetworkError)]
found["exchanges"] = ccxt.exchanges
found["modules"] = sum(1 for name in sys.modules if name.split(".")[0] == "ccxt")
loaded = {name.split(".")[0] for name in sys.modules}
found["heavy"] = sorted(loaded & {"aiohttp", "cryptography", "coincurve", "asyncio"})
try:
    ccxt.kraken
except AttributeError as error:
    found["missing"] = str(error)
try:
    venue.rsa("request", "secret", "sha256")
except ImportError as error:
    found["rsa"] = str(error)
"""
    both = [layers("local")["exchange"], layers("local")["runtime"]]
    found = alone(both, code=code, runtime=lambda_runtime)
    assert found["errors"] == [True, True]
    assert found["exchanges"] == ["binance"]
    assert found["heavy"] == []
    assert int(str(found["modules"])) <= 12
    assert found["missing"] == "this build of ccxt holds binance, was asked for 'kraken'"
    assert "ships no cryptography" in str(found["rsa"])


def test_the_analysis_layer_calculates_without_data_frames(
    layers: Callable[[str], Layers], lambda_runtime: Path
) -> None:
    code = """
import numpy, talib
closes = numpy.array([float(n) for n in range(1, 40)])
found["rsi"] = float(talib.RSI(closes, timeperiod=14)[-1])
found["frames"] = sorted(name for name in ("pandas", "polars") if name in sys.modules)
"""
    assert alone([layers("local")["analysis"]], code=code, runtime=lambda_runtime) == {"rsi": 100.0, "frames": []}


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_a_function_imports_with_its_own_layers_only(
    layers: Callable[[str], Layers], lambda_runtime: Path, spec: object
) -> None:
    from infra.catalogue import FunctionSpec

    assert isinstance(spec, FunctionSpec)
    handler = REPOSITORY / "functions" / spec.name / "handler.py"
    if not handler.is_file():
        pytest.skip(f"functions/{spec.name} does not exist yet")
    code = f"sys.path.insert(1, {str(handler.parent)!r})\nimport handler\nfound['callable'] = callable(handler.handler)"
    attached = [layers("local")[name] for name in spec.layers]
    assert alone(attached, code=code, runtime=lambda_runtime) == {"callable": True}


def test_a_size_is_the_sum_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(b"4567")
    assert size(tmp_path) == 7
