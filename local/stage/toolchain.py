"""Node.js and the CDK command line, both pinned: Node from the Python environment, the CDK from package-lock.json."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import LocalError
from local.stage.environment import tool_environment

if TYPE_CHECKING:
    from collections.abc import Callable

_STAMP = "node_modules/.surefill-lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """How to call the CDK: `[node, cdk]`."""

    node: str
    cdk: str

    def command(self, *arguments: str) -> list[str]:
        """A CDK command."""
        return [self.node, self.cdk, *arguments]


def require_toolchain(repository: Path, *, find: Callable[[str], str | None] | None = None) -> Toolchain:
    """Find Node.js and the CDK, installing the CDK on the first run. Raises LocalError with one sentence.

    `find` gives the path of a program; by default it looks beside this Python, then on PATH.
    """
    find = find or _program
    node = find("node")
    if node is None:
        raise LocalError(
            "Node.js is needed by the CDK and was found neither beside this Python nor on PATH: run `make .venv`, "
            "which installs it with the other dependencies"
        )
    cdk = repository / "node_modules" / "aws-cdk" / "bin" / "cdk"
    lock = _lock_hash(repository)
    stamp = repository / _STAMP
    if not cdk.is_file() or not stamp.is_file() or stamp.read_text(encoding="utf-8") != lock:
        _install(repository, npm=find("npm"))
        stamp.write_text(lock, encoding="utf-8")
    return Toolchain(node=node, cdk=str(cdk))


def _install(repository: Path, *, npm: str | None) -> None:
    if npm is None:
        raise LocalError(
            "npm is needed once, to install the CDK, and was found neither beside this Python nor on PATH: run "
            "`make .venv`, which installs it with the other dependencies"
        )
    done = subprocess.run(  # noqa: S603
        [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=repository,
        env=tool_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise LocalError(
            "npm could not install the CDK command line (the first run needs the npm registry, later ones do not): "
            + (words[0] if words else f"npm ended with {done.returncode}")
        )


def _program(name: str) -> str | None:
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


def _lock_hash(repository: Path) -> str:
    return hashlib.sha256((repository / "package-lock.json").read_bytes()).hexdigest()


def main() -> int:
    """Install what is missing; one sentence and exit code 2 when that fails."""
    try:
        require_toolchain(Path.cwd())
    except LocalError as error:
        sys.stderr.write(f"surefill: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
