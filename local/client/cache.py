"""Names of bots for the shell's completion, kept for a minute in the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.client.target import Where

LIFETIME_SECONDS = 60


def cached_names(kind: str, where: Where, *, fetch: Callable[[], Sequence[str]]) -> list[str]:
    """The names a stage has, at most a minute old. What goes wrong while fetching is raised."""
    path = _folder() / f"{kind}-{_digest(where)}.json"
    with suppress(OSError, ValueError, TypeError):
        if 0 <= time.time() - path.stat().st_mtime < LIFETIME_SECONDS:
            return [str(name) for name in json.loads(path.read_text(encoding="utf-8"))]
    names = list(fetch())
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(names), encoding="utf-8")
        draft.replace(path)
    return names


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "surefill"


def _digest(where: Where) -> str:
    told = "\n".join((where.stage, where.profile or "", where.region or "", str(where.folder)))
    return hashlib.sha256(told.encode()).hexdigest()[:16]
