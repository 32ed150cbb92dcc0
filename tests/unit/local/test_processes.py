"""Only what this stage started is ever stopped, and all of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from local.errors import LocalError
from local.stage.lock import StageLock
from local.stage.processes import MARK, ProcessBook, Recorded, born, start, wait_until_healthy

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
# A parent that starts a child and tells its id.
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    "print(child.pid, flush=True); time.sleep(60)",
]


def ended(pid: int, *, within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while born(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    return born(pid) is None


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that somebody else started."""
    environment = {**os.environ, MARK: str(tmp_path / "another")}
    process = subprocess.Popen(SLEEPER, start_new_session=True, env=environment)
    yield process
    process.kill()
    process.wait()


def test_stopping_ends_the_children_too(tmp_path: Path) -> None:
    book = ProcessBook(tmp_path)
    process = start("parent", PARENT, book=book, folder=tmp_path, env=os.environ, cwd=tmp_path)
    wait_until_healthy(process, healthy=lambda: bool(process.last_words()), timeout_seconds=10, what="the parent")
    child = int(process.last_words())
    process.stop(grace_seconds=2)
    assert ended(process.pid)
    assert ended(child)
    assert book.recorded() == []
    process.stop()  # harmless


def test_leftovers_of_a_crash_are_stopped_parent_and_child(tmp_path: Path) -> None:
    book = ProcessBook(tmp_path)
    process = start("parent", PARENT, book=book, folder=tmp_path, env=os.environ, cwd=tmp_path)
    wait_until_healthy(process, healthy=lambda: bool(process.last_words()), timeout_seconds=10, what="the parent")
    child = int(process.last_words())
    os.kill(process.pid, signal.SIGKILL)
    process.is_running()  # reaped
    assert ProcessBook(tmp_path).stop_leftovers() == ["parent"]
    assert ended(child)
    assert book.recorded() == []


def test_a_reused_process_id_is_left_alone(tmp_path: Path, foreign: subprocess.Popen[bytes]) -> None:
    book = ProcessBook(tmp_path)
    book.add(Recorded(name="local-aws", pid=foreign.pid, born="12345"))
    assert book.stop_leftovers() == []
    assert foreign.poll() is None


def test_a_record_that_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "processes.json").write_text("{")
    assert ProcessBook(tmp_path).stop_leftovers() == []


def test_what_ends_while_starting_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('port taken')"]
    process = start("aws", command, book=ProcessBook(tmp_path), folder=tmp_path, env=os.environ, cwd=tmp_path)
    with pytest.raises(LocalError, match=r"the local AWS ended while starting.*port taken"):
        wait_until_healthy(process, healthy=lambda: False, timeout_seconds=10, what="the local AWS")
    process.stop()


def test_one_stage_per_folder(tmp_path: Path) -> None:
    first, second = StageLock(tmp_path), StageLock(tmp_path)
    first.acquire()
    with pytest.raises(LocalError, match=f"is running already \\(process {os.getpid()}\\)"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[2]); from pathlib import Path; "
        "from local.stage.lock import StageLock; lock = StageLock(Path(sys.argv[1])); lock.acquire(); "
        "print('held', flush=True); time.sleep(60)"
    )
    repository = Path(__file__).resolve().parents[3]
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), str(repository)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LocalError):
        StageLock(tmp_path).acquire()
    holder.kill()
    holder.wait()
    with suppress(OSError):
        holder.stdout.close()
    StageLock(tmp_path).acquire()
