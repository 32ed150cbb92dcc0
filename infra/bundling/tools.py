"""The two programs a build needs: uv, and the Python the code will run on."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infra.bundling.errors import BuildError, CannotBuildHereError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run(command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a program and return what it printed.

    Raises:
        BuildError: it could not be started or failed; the text carries its own last words.
    """
    # Outside the project uv does not read the project's settings: trust what the machine trusts here as well.
    environment = {"UV_SYSTEM_CERTS": "1", **(env or os.environ)}
    try:
        done = subprocess.run(  # noqa: S603
            list(command), cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise BuildError(f"{command[0]} could not be started: {error}") from error
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise BuildError(f"{' '.join(command[:4])} … ended with {done.returncode}:\n{words}")
    return done.stdout


@functools.cache
def find_uv() -> str:
    """Path of uv: the environment variable UV, beside the running interpreter, or on PATH.

    Raises:
        CannotBuildHereError: uv is in none of these places.
    """
    beside = Path(sys.executable).parent / "uv"
    for candidate in (os.environ.get("UV"), str(beside), shutil.which("uv")):
        if candidate and Path(candidate).is_file():
            return candidate
    raise CannotBuildHereError(
        "uv is needed to build layers: install it (https://docs.astral.sh/uv/) or set UV to its path"
    )


@functools.cache
def find_python(version: str) -> str:
    """An interpreter of exactly ``version`` ("3.13"), installed through uv if there is none.

    Raises:
        CannotBuildHereError: none was found and none could be installed.
    """
    for candidate in _pythons(version):
        if _reports(candidate, version):
            return candidate
    try:
        run([find_uv(), "python", "install", version])
        candidate = run([find_uv(), "python", "find", "--managed-python", version]).strip()
    except BuildError as error:
        raise CannotBuildHereError(
            f"bytecode for Lambda needs Python {version}: none was found by uv or on PATH, and uv could not install "
            f"one. Install it and try again.\n{error}"
        ) from error
    if not _reports(candidate, version):
        raise BuildError(f"uv installed {candidate}, which is not Python {version}")
    return candidate


def _pythons(version: str) -> list[str]:
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = [sys.executable] if running == version else []
    with contextlib.suppress(BuildError):
        found.append(run([find_uv(), "python", "find", "--no-project", version], env=_environment(version)).strip())
    on_path = shutil.which(f"python{version}")
    return [*found, on_path] if on_path else found


def _reports(python: str, version: str) -> bool:
    code = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    try:
        return run([python, "-I", "-c", code], env=_environment(version)).startswith(f"{version} ")
    except BuildError:
        return False


def _environment(version: str) -> dict[str, str]:
    # A pyenv shim answers for a version only when it is told which one is meant.
    return {**os.environ, "PYENV_VERSION": os.environ.get("PYENV_VERSION") or version}
