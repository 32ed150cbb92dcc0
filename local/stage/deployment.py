"""The real CDK application, synthesised and deployed to the local AWS with the real CDK command line."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections import deque
from typing import TYPE_CHECKING

from local.errors import LocalError
from local.stage.environment import root_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from local.stage.progress import Progress
    from local.stage.toolchain import Toolchain

_SOURCES = ("app.py", "cdk.json", "package-lock.json", "uv.lock", "infra", "functions", "layers")
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_RESOURCE = re.compile(r"(CREATE|UPDATE|DELETE)_(COMPLETE|FAILED|IN_PROGRESS)\s*\|\s*(\S+)\s*\|\s*(.+)")
_STACK = re.compile(r"^(Surefill-\S+): (deploying|creating|updating)")
_NO_NETWORK = ("error sending request", "dns error", "Could not connect", "ENOTFOUND", "EAI_AGAIN", "unreachable")


class Deployment:
    """Deploys `repository` to `endpoint`, with the cloud assembly kept in `folder/cdk.out`."""

    def __init__(self, *, repository: Path, folder: Path, endpoint: str, toolchain: Toolchain) -> None:
        self._repository = repository
        self._folder = folder
        self._endpoint = endpoint
        self._toolchain = toolchain

    @property
    def assembly(self) -> Path:
        """Where the synthesised application is."""
        return self._folder / "cdk.out"

    def synthesise(self, context: Mapping[str, str], *, progress: Progress) -> bool:
        """Synthesise unless the same sources were synthesised with the same context; whether anything was done."""
        key = content_key(self._repository, context)
        stamp = self._folder / "cdk.key"
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == key and (self.assembly / "manifest.json").is_file():
            return False
        arguments = [f"--context={name}={value}" for name, value in sorted(context.items())]
        self._run("cdk synth", "synth", "--quiet", f"--output={self.assembly}", *arguments, progress=progress)
        stamp.write_text(key, encoding="utf-8")
        return True

    def bootstrap(self, *, progress: Progress) -> None:
        """Create the CDK's own bucket and roles."""
        self._run("cdk bootstrap", "bootstrap", "--app", str(self.assembly), progress=progress)

    def deploy(self, *, progress: Progress) -> None:
        """Deploy all stacks; those without changes take a second."""
        self._run(
            "cdk deploy",
            "deploy",
            "--all",
            "--app",
            str(self.assembly),
            "--require-approval=never",
            "--progress=events",
            "--method=direct",
            "--ci",
            progress=progress,
        )

    def _environment(self) -> dict[str, str]:
        environment = {
            **root_environment(endpoint=self._endpoint),
            "JSII_NODE": self._toolchain.node,
            "NO_COLOR": "1",
        }
        uv = self._repository / "build" / "uv" / "bin" / "uv"
        if uv.is_file():
            environment.setdefault("UV", str(uv))
        return environment

    def _run(self, what: str, *arguments: str, progress: Progress) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder / "cdk.log"
        last: deque[str] = deque(maxlen=40)
        with log.open("a", encoding="utf-8") as output:
            process = subprocess.Popen(  # noqa: S603
                self._toolchain.command(*arguments),
                cwd=self._repository,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            try:
                for line in _lines(process):
                    output.write(line + "\n")
                    last.append(line)
                    if news := _news(line):
                        progress.detail(news)
            except BaseException:
                process.kill()
                raise
            finally:
                process.wait()
        if process.returncode != 0:
            raise LocalError(f"{what} failed: {_cause(last)} (all of it is in {log})")


def content_key(repository: Path, context: Mapping[str, str]) -> str:
    """Changes when anything changes that the deployment is made of."""
    digest = hashlib.sha256(json.dumps(dict(context), sort_keys=True).encode())
    for name in _SOURCES:
        for path in _files(repository / name):
            digest.update(str(path.relative_to(repository)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for child in sorted(path.iterdir()):
            if child.name != "__pycache__" and child.suffix != ".pyc":
                yield from _files(child)


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        text = _ESCAPES.sub("", line).rstrip()
        if text:
            yield text


def _news(line: str) -> str | None:
    """The part of a line of the CDK that is worth showing while it runs."""
    if found := _STACK.match(line):
        return f"{found[1]}: {found[2]}"
    if (found := _RESOURCE.search(line)) and found[2] == "COMPLETE":
        return f"{found[3]} {found[4].strip()}"
    return None


def _cause(lines: deque[str]) -> str:
    """The one line that says why, out of the last ones."""
    ours = [line for line in lines if line.startswith("surefill: ")]
    failed = [line for line in lines if "_FAILED" in line or "failed:" in line.lower() or "Error:" in line]
    offline = [line for line in lines if any(word in line for word in _NO_NETWORK)]
    if offline:
        return f"the first run downloads packages and the network did not answer: {offline[-1].strip()[:300]}"
    chosen = (ours or failed or list(lines) or ["no output"])[0]
    return chosen.removeprefix("surefill: ").strip()[:600]
