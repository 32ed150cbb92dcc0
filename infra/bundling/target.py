"""What the code is built for."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from infra.bundling.tools import find_python
from infra.settings import LAMBDA_PYTHON, Architecture, Stage, host_architecture

# Lambda's Python 3.12 and later run on Amazon Linux 2023 (glibc 2.34).
_LAMBDA_PLATFORMS: dict[Architecture, str] = {
    "arm64": "aarch64-manylinux_2_28",
    "x86_64": "x86_64-manylinux_2_28",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A Python on a platform. ``platform`` is uv's name of it; ``None`` is this machine."""

    name: str
    python: str
    platform: str | None

    @classmethod
    def for_stage(cls, stage: Stage) -> Target:
        return cls.local() if stage.is_local else cls.aws(stage.architecture)

    @classmethod
    def aws(cls, architecture: Architecture = "arm64") -> Target:
        return cls(
            name=f"aws-{architecture}-py{LAMBDA_PYTHON}",
            python=LAMBDA_PYTHON,
            platform=_LAMBDA_PLATFORMS[architecture],
        )

    @classmethod
    def local(cls) -> Target:
        """The local AWS runs functions with the interpreter it runs on itself, which is the running one."""
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cls(name=f"local-{host_architecture()}-py{python}", python=python, platform=None)

    @property
    def cache_tag(self) -> str:
        """The part of a bytecode file's name that says for whom it is, e.g. ``cpython-313``."""
        return f"cpython-{self.python.replace('.', '')}"

    def interpreter(self) -> str:
        return sys.executable if self.platform is None else find_python(self.python)
