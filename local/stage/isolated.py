"""A stage of one's own: a folder nobody uses now and ports nobody listens on, the same ones again when possible.

The same ports mean the same deployment, so the synthesised application of the last time can be used again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.errors import LocalError
from local.stage.lock import StageLock
from local.stage.ports import free_port, is_taken
from local.stage.stage import StagePlan

if TYPE_CHECKING:
    from pathlib import Path

_PLACES = 8
_FIRST_PORTS = {"replay": 4_600, "system": 4_700}


def isolated_plan(repository: Path, *, kind: str, exchange_arguments: tuple[str, ...] = ()) -> StagePlan:
    """A plan for a stage beside all others. Raises LocalError when too many of them run."""
    for place in range(_PLACES):
        folder = repository / ".surefill" / f"{kind}-{place}"
        lock = StageLock(folder)
        try:
            lock.acquire()
        except LocalError:
            continue
        lock.release()
        ports = [_FIRST_PORTS[kind] + 2 * place, _FIRST_PORTS[kind] + 2 * place + 1]
        aws_port, exchange_port = (free_port() if is_taken(port) else port for port in ports)
        return StagePlan(
            repository=repository,
            folder=folder,
            aws_port=aws_port,
            exchange_port=exchange_port,
            exchange_arguments=exchange_arguments,
        )
    raise LocalError(f"{_PLACES} stages of the kind {kind!r} run already: stop one first")
