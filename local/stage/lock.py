"""One run per stage folder at a time. The kernel frees the lock when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from typing import IO, TYPE_CHECKING

from local.errors import LocalError

if TYPE_CHECKING:
    from pathlib import Path


class StageLock:
    """Held from start to stop of a stage."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock. Raises LocalError naming the process that holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise LocalError(
                f"the local stage in {self._path.parent} is running already (process {holder}): stop it first, "
                "or give this one a folder of its own with --folder"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give it back."""
        if self._file is not None:
            self._file.close()
            self._file = None
