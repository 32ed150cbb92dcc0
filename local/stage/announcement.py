"""The file by which a running local stage says where it is, for the command line on the same machine."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "stage.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Addresses of a running local stage."""

    aws_url: str
    api_url: str
    exchange_url: str
    clock_url: str


def announce(folder: Path, found: Announcement) -> None:
    """Say that the stage runs."""
    draft = folder / f"{_FILE}.tmp"
    draft.write_text(json.dumps(asdict(found), indent=2), encoding="utf-8")
    draft.replace(folder / _FILE)


def withdraw(folder: Path) -> None:
    """Say that it does not."""
    (folder / _FILE).unlink(missing_ok=True)


def read_announcement(folder: Path) -> Announcement | None:
    """What was announced in a folder; None when nothing was, or nothing that can be read."""
    try:
        return Announcement(**json.loads((folder / _FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
