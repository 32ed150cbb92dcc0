"""Builds layers and function code into ``build/``, once per content."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.bundling import ccxt, tree
from infra.bundling.errors import BuildError, CannotBuildHereError
from infra.bundling.recipe import Recipe
from infra.bundling.tools import find_uv, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from infra.bundling.target import Target

CORE = "core"
LAYERS = (CORE, "runtime", "exchange", "analysis")
_UNREACHABLE = ("Failed to fetch", "error sending request", "dns error", "Could not connect")
_BUNDLER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A folder ready to be zipped. ``folder`` of a layer holds ``python/``."""

    name: str
    folder: Path
    key: str
    was_cached: bool

    @property
    def size(self) -> int:
        """Unzipped bytes."""
        return tree.size(self.folder)


def build_layer(name: str, *, target: Target, venues: Sequence[str], repository: Path) -> Built:
    """Build one layer for one target.

    Raises:
        BuildError: the layer is unknown, or its recipe, uv or the target's Python is missing.
    """
    if name not in LAYERS:
        raise BuildError(f"layer must be one of {', '.join(LAYERS)}, was {name!r}")
    output = repository / "build" / "layers" / target.name / name
    if name == CORE:
        source = repository / "layers" / CORE / "python"
        parts = [tree.digest(tree.files(source), base=source)]
        return _cached(name, output, _key(target, parts), lambda folder: _core(folder, source=source, target=target))
    recipe_path = repository / "layers" / name / "recipe.toml"
    recipe = Recipe.read(recipe_path)
    lock = (repository / "uv.lock").read_bytes()
    parts = [hashlib.sha256(lock).hexdigest(), recipe_path.read_text(encoding="utf-8")]
    if recipe.prune_ccxt:
        parts.append(",".join(sorted(venues)))

    def make(folder: Path) -> None:
        python = folder / "python"
        _install(recipe, python, target=target, repository=repository)
        if recipe.prune_ccxt:
            ccxt.prune(python / "ccxt", venues=venues)
        tree.remove(python, recipe.remove)
        tree.compile_tree(folder, target=target, runs_at="/opt")

    built = _cached(name, output, _key(target, parts), make)
    if built.size > recipe.max_mb * 1e6:
        raise BuildError(f"layer {name!r} must stay below {recipe.max_mb} MB, was {built.size / 1e6:.1f} MB")
    return built


def build_function(name: str, *, target: Target, repository: Path) -> Path:
    """Build the code of one function: its own files with bytecode.

    Raises:
        BuildError: the function has no ``handler.py``.
    """
    source = repository / "functions" / name
    if not (source / "handler.py").is_file():
        raise BuildError(f"function {name!r} has no code: functions/{name}/handler.py is missing")
    output = repository / "build" / "functions" / target.name / name

    def make(folder: Path) -> None:
        tree.copy(source, folder)
        tree.compile_tree(folder, target=target, runs_at="/var/task")

    return _cached(name, output, _key(target, [tree.digest(tree.files(source), base=source)]), make).folder


def _core(folder: Path, *, source: Path, target: Target) -> None:
    folder.mkdir(parents=True)
    tree.copy(source, folder / "python")
    tree.compile_tree(folder, target=target, runs_at="/opt")


def _install(recipe: Recipe, python: Path, *, target: Target, repository: Path) -> None:
    """Install the recipe's packages from the lock, hashes checked, wheels only."""
    uv = find_uv()
    export = ["export", "--frozen", "--only-group", recipe.group, "--no-emit-project", "--no-header", "--no-annotate"]
    requirements = recipe.select(run([uv, *export], cwd=repository))
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "requirements.txt"
        wanted.write_text(requirements, encoding="utf-8")
        options = [
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--no-compile-bytecode",
            "--link-mode=copy",
        ]
        if target.platform:
            options += ["--python-platform", target.platform, "--python-version", target.python]
        interpreter = target.interpreter()
        command = [uv, "pip", "install", "--quiet", "--python", interpreter, "--target", str(python)]
        _install_pinned([*command, *options, "-r", str(wanted)], cwd=Path(scratch))
    # Entry points and install records name the machine that installed; functions use neither.
    tree.remove(python, ("*.dist-info", "bin", "**/__pycache__", ".lock"))


def _install_pinned(command: Sequence[str], *, cwd: Path) -> None:
    """Install from uv's cache, or from the index what the cache lacks: every file is pinned by hash either way."""
    try:
        run([*command, "--offline"], cwd=cwd)
    except BuildError:
        try:
            run(command, cwd=cwd)
        except BuildError as error:
            if any(sign in str(error) for sign in _UNREACHABLE):
                raise CannotBuildHereError(
                    f"the package index cannot be reached, and uv's cache is empty: {error}"
                ) from error
            raise


def _key(target: Target, parts: Sequence[str]) -> str:
    recipe_code = tree.digest(_BUNDLER.glob("*.py"), base=_BUNDLER)
    text = json.dumps([target.name, target.platform, recipe_code, *parts])
    return hashlib.sha256(text.encode()).hexdigest()


def _cached(name: str, output: Path, key: str, make: Callable[[Path], None]) -> Built:
    """Return ``output`` if it was built with ``key``, otherwise build it aside and move it into place."""
    stamp = output.with_name(f"{output.name}.key")
    output.parent.mkdir(parents=True, exist_ok=True)
    with _only_one_builder(output.parent):
        if output.is_dir() and stamp.exists() and stamp.read_text(encoding="utf-8") == key:
            return Built(name=name, folder=output, key=key, was_cached=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
            fresh = Path(scratch) / "tree"
            make(fresh)
            stamp.unlink(missing_ok=True)
            shutil.rmtree(output, ignore_errors=True)
            fresh.rename(output)
        stamp.write_text(key, encoding="utf-8")
    return Built(name=name, folder=output, key=key, was_cached=False)


@contextmanager
def _only_one_builder(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
