"""Cutting ccxt down keeps a venue with all it inherits from, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import ccxt
import pytest

from infra.bundling import BuildError
from infra.bundling.ccxt import prune

_INSTALLED = Path(ccxt.__file__).resolve().parent


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """ccxt as installed, without the parts no venue imports at module level."""
    skipped = shutil.ignore_patterns("__pycache__", "async_support", "pro", "test", "static_dependencies", "prediction")
    shutil.copytree(_INSTALLED, tmp_path / "ccxt", ignore=skipped)
    return tmp_path / "ccxt"


def venues(package: Path) -> set[str]:
    return {path.stem for path in package.glob("*.py")} - {"__init__"}


def test_a_venue_keeps_what_it_inherits_from(package: Path) -> None:
    prune(package, venues=("binanceus", "kraken"))
    assert venues(package) == {"binance", "binanceus", "kraken"}
    assert {path.stem for path in (package / "abstract").glob("*.py")} == {
        "__init__",
        "binance",
        "binanceus",
        "kraken",
    }


def test_what_is_kept_matches_the_real_inheritance(package: Path) -> None:
    prune(package, venues=("okxus", "bybit"))
    ancestry = {cls.__module__.split(".")[1] for name in ("okxus", "bybit") for cls in getattr(ccxt, name).__mro__[:-1]}
    assert venues(package) == ancestry - {"base", "abstract"}


def test_the_errors_of_ccxt_stay_importable(package: Path) -> None:
    prune(package, venues=("binance",))
    text = (package / "__init__.py").read_text(encoding="utf-8")
    for name in ("InsufficientFunds", "OrderNotFound", "DDoSProtection", "RequestTimeout"):
        assert f"import {name}" in text
    assert f"__version__ = {ccxt.__version__!r}" in text


def test_a_venue_ccxt_does_not_have_is_refused(package: Path) -> None:
    with pytest.raises(BuildError, match="ccxt has no venue 'mtgox'"):
        prune(package, venues=("mtgox",))


def test_a_ccxt_that_changed_its_imports_is_noticed(package: Path) -> None:
    base = package / "base" / "exchange.py"
    kept = [line for line in base.read_text(encoding="utf-8").splitlines(True) if not line.startswith("from crypto")]
    base.write_text("".join(kept), encoding="utf-8")
    with pytest.raises(BuildError, match="must import cryptography at module level"):
        prune(package, venues=("binance",))
