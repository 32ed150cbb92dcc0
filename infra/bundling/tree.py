"""Work on folders of Python code: copy, prune, compile, check, measure."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

from infra.bundling.errors import BuildError
from infra.bundling.tools import run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from infra.bundling.target import Target

_NEVER_SHIPPED = ("__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".DS_Store")


def copy(source: Path, destination: Path) -> None:
    """Copy a folder without what tools leave in it."""
    shutil.copytree(source, destination, ignore=shutil.ignore_patterns(*_NEVER_SHIPPED, "*.pyc"))


def remove(folder: Path, patterns: Iterable[str]) -> None:
    """Delete everything below ``folder`` that matches one of the glob ``patterns``."""
    for pattern in patterns:
        for path in sorted(folder.glob(pattern), reverse=True):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.exists():
                path.unlink()


def compile_tree(folder: Path, *, target: Target, runs_at: str) -> None:
    """Compile every module of ``folder`` with the target's interpreter.

    The bytecode names ``runs_at`` as its folder and carries the hash of its source, which is never checked again:
    the result depends on neither the build folder nor file times.

    Raises:
        BuildError: a module does not compile.
    """
    command = [target.interpreter(), "-m", "compileall", "-q", "-j", "0"]
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", runs_at, str(folder)]
    # Sets of constants are written in hash order.
    run([*command, *options], env={"PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": "0"})
    missing = uncompiled(folder, target=target)
    if missing:
        raise BuildError(f"no bytecode for {', '.join(str(path.relative_to(folder)) for path in missing[:5])}")


def uncompiled(folder: Path, *, target: Target) -> list[Path]:
    """Modules without bytecode of the target."""
    return [
        path
        for path in sorted(folder.rglob("*.py"))
        if not (path.parent / "__pycache__" / f"{path.stem}.{target.cache_tag}.pyc").exists()
    ]


def digest(paths: Iterable[Path], *, base: Path) -> str:
    """SHA-256 over names and contents of files, in a stable order."""
    total = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes()
        total.update(f"{path.relative_to(base).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def files(folder: Path) -> list[Path]:
    """Every file of ``folder`` that is neither bytecode nor left by a tool, in a stable order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not set(_NEVER_SHIPPED).intersection(path.parts)
    )


def size(folder: Path) -> int:
    """Bytes of all files below ``folder``."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
