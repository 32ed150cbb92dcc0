"""Processes the stage starts: each in its own process group, recorded on disk, stopped children first.

A record outlives a crash. Before anything recorded is stopped it must prove to be ours: same process id, same start
time, or, for children whose parent is gone, our mark in their environment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# The environment variable that marks everything a stage has started; its value is the stage's folder.
MARK = "SUREFILL_STAGE_FOLDER"
_POLL_SECONDS = 0.02
_END_SECONDS = 5.0
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A process as it was started. `born` is the kernel's start time, so a reused process id is told apart."""

    name: str
    pid: int
    born: str


class ProcessBook:
    """The record of what runs for a stage, in `folder/processes.json`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "processes.json"
        self._folder = folder

    def recorded(self) -> list[Recorded]:
        """Everything recorded and not yet stopped. An unreadable record counts as empty: nothing can be proven."""
        try:
            return [Recorded(**entry) for entry in json.loads(self._path.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            return []

    def add(self, entry: Recorded) -> None:
        """Remember a process."""
        self._write([*self.recorded(), entry])

    def remove(self, entry: Recorded) -> None:
        """Forget a stopped process."""
        self._write([other for other in self.recorded() if other != entry])

    def stop_leftovers(self) -> list[str]:
        """Stop what an earlier run left behind; returns the names of what was really still there and ours."""
        stopped = [entry.name for entry in self.recorded() if _end_group(entry, mark=str(self._folder))]
        self._write([])
        return stopped

    def _write(self, entries: Sequence[Recorded]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(entry) for entry in entries])
        draft = self._path.with_suffix(".tmp")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._path)


class ManagedProcess:
    """One running program of the stage."""

    def __init__(self, popen: subprocess.Popen[bytes], *, record: Recorded, book: ProcessBook, log: Path) -> None:
        self._popen = popen
        self._book = book
        self.record = record
        self.log = log

    @property
    def pid(self) -> int:
        """Process id, which is its process group's id too."""
        return self.record.pid

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._popen.poll() is None

    def last_words(self, *, lines: int = 6) -> str:
        """The end of its log."""
        with suppress(OSError):
            text = self.log.read_text(encoding="utf-8", errors="replace")
            return "\n".join(text.strip().splitlines()[-lines:])
        return ""

    def stop(self, *, grace_seconds: float = 20.0) -> None:
        """Ask it to end, wait, then end it and whatever it started. Safe to call twice."""
        if self.is_running():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(timeout=grace_seconds)
        self.kill()

    def kill(self) -> None:
        """End it and its children at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout=5)
        self._book.remove(self.record)


def start(
    name: str,
    command: Sequence[str],
    *,
    book: ProcessBook,
    folder: Path,
    env: Mapping[str, str],
    cwd: Path,
) -> ManagedProcess:
    """Start a program in a group of its own, with its output in `folder/<name>.log`; recorded before it can do harm."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        popen = subprocess.Popen(  # noqa: S603 - our own commands
            list(command),
            cwd=cwd,
            env={**env, MARK: str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    record = Recorded(name=name, pid=popen.pid, born=born(popen.pid) or "")
    book.add(record)
    return ManagedProcess(popen, record=record, book=book, log=log)


def wait_until_healthy(
    process: ManagedProcess, *, healthy: Callable[[], bool], timeout_seconds: float, what: str
) -> None:
    """Wait until `healthy()` is true. Raises LocalError with the program's last words when it ends or is too slow."""
    deadline = time.monotonic() + timeout_seconds
    while not healthy():
        if not process.is_running():
            raise LocalError(f"{what} ended while starting; its log {process.log} ends with: {process.last_words()}")
        if time.monotonic() > deadline:
            raise LocalError(
                f"{what} did not answer within {timeout_seconds:.0f} s; its log {process.log} ends with: "
                f"{process.last_words()}"
            )
        time.sleep(_POLL_SECONDS)


def born(pid: int) -> str | None:
    """When the process was started, in the kernel's words; None when there is no such process (a zombie has ended)."""
    if _PROC.is_dir():
        fields = _stat(pid)
        return None if not fields or fields[0] == "Z" else fields[19]
    done = subprocess.run(  # noqa: S603
        ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None


def _end_group(entry: Recorded, *, mark: str) -> bool:
    """End the process group of a recorded process if it is ours; whether there was anything to end."""
    alive = born(entry.pid)
    if alive is not None and alive != entry.born:
        return False  # the id belongs to somebody else by now
    ours = [entry.pid] if alive is not None else []
    ours += [pid for pid in _group_members(entry.pid) if pid != entry.pid and _carries(pid, mark)]
    for pid in reversed(ours):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _END_SECONDS
    while any(born(pid) is not None for pid in ours) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return bool(ours)


def _group_members(group: int) -> list[int]:
    if not _PROC.is_dir():
        return []
    members = []
    for path in _PROC.iterdir():
        if path.name.isdigit():
            fields = _stat(int(path.name))
            if fields and fields[0] != "Z" and int(fields[2]) == group:
                members.append(int(path.name))
    return members


def _stat(pid: int) -> list[str]:
    """State, parent, group and so on of a process; empty when there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    # The program's name before it is in brackets and may hold anything.
    return text.rpartition(")")[2].split()


def _carries(pid: int, mark: str) -> bool:
    try:
        return f"{MARK}={mark}".encode() in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
