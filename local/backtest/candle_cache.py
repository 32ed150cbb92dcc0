"""Candle files that were read and checked before, kept as binary columns in the user's cache.

An entry belongs to a path, a size and a time of change; another version of the file replaces it. What can't be read or
written is no problem: the file itself is read then.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

# Smaller files (bytes) are read faster than they are looked up.
_SMALLEST = 200_000
# Part of an entry's name: another one when what is stored changes.
_VERSION = "1"
_COLUMNS = 6


def kept(path: Path) -> Any | None:
    """The table of a file (a row per column: time in ms, open, high, low, close, volume); None when it is not kept."""
    entry = _entry(path)
    if entry is None:
        return None
    try:
        table = np.load(entry, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    good = table.ndim == 2 and table.shape[0] == _COLUMNS and table.dtype == np.float64
    return table if good else None


def keep(path: Path, table: Any) -> None:
    """Keep the table of a file that was checked."""
    entry = _entry(path)
    if entry is None:
        return
    with suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        for old in entry.parent.glob(f"{entry.name.partition('-')[0]}-*"):
            old.unlink(missing_ok=True)
        draft = entry.with_suffix(f".{os.getpid()}")
        with draft.open("wb") as file:
            np.save(file, table, allow_pickle=False)
        draft.replace(entry)


def _entry(path: Path) -> Path | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    if stat.st_size < _SMALLEST:
        return None
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "surefill" / "candles"
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:24]
    return folder / f"{name}-{stat.st_size:x}-{stat.st_mtime_ns:x}-{_VERSION}.npy"
