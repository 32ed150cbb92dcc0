"""The local AWS, made to survive kill -9: `python -m local.stage.durable_aws` instead of `python -m ministack`.

ministack writes its state when it is stopped in an orderly way, and only then. Here every write to a table is also
appended to a journal before it is answered, and a checkpoint (SIGUSR1) writes everything at once and begins a new
journal. After a crash the state is the last checkpoint with the journal on top: every write that was answered is
there. What is not in a table (queue messages, running workflows, logs since the checkpoint) is lost in a crash, as
it would be for the product if AWS dropped it; the schedules and `reconcile` do not need it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Reply = tuple[int, dict[str, Any], Any]
    Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Reply]]

_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
_TARGET = "x-amz-target"
_OK = 200
GENERATION = "generation"


class WriteJournal:
    """Table writes since the last checkpoint, in `folder/writes-<generation>.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._generation = generation_of(folder)
        self._file = self._path(self._generation).open("a", encoding="utf-8")

    def append(self, *, target: str, body: bytes) -> None:
        """Add one write; it is in the kernel's hands when this returns."""
        self._file.write(json.dumps({"target": target, "body": body.decode("utf-8")}) + "\n")
        self._file.flush()

    def writes(self) -> list[Mapping[str, str]]:
        """What was appended since the last checkpoint; a line cut off by a crash was never answered."""
        found = []
        for line in self._path(self._generation).read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                break
        return found

    def begin_anew(self) -> None:
        """Everything so far is in a checkpoint."""
        done = self._path(self._generation)
        self._generation += 1
        self._file.close()
        self._file = self._path(self._generation).open("a", encoding="utf-8")
        draft = self._folder / f"{GENERATION}.tmp"
        draft.write_text(str(self._generation), encoding="utf-8")
        draft.replace(self._folder / GENERATION)
        done.unlink(missing_ok=True)

    def _path(self, generation: int) -> Path:
        return self._folder / f"writes-{generation}.jsonl"


def generation_of(folder: Path) -> int:
    """How many checkpoints were written so far."""
    try:
        return int((folder / GENERATION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0


def journalled(handler: Handler, journal: WriteJournal) -> Handler:
    """The handler of table requests, with every successful write in the journal before it is answered."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Reply:
        reply = await handler(method, path, headers, body, query)
        target = headers.get(_TARGET, "")
        if reply[0] == _OK and target.rpartition(".")[2] in _WRITES:
            journal.append(target=target, body=body)
        return reply

    return handle


def main() -> None:
    """Run ministack with its table writes journalled."""
    from ministack import app
    from ministack.services import dynamodb, lambda_svc

    journal = WriteJournal(Path(os.environ["STATE_DIR"]).parent / "journal")
    plain_handler: Handler = dynamodb.handle_request
    load, save = app._load_persisted_state, app.save_all

    def save_and_begin_anew(services: Any) -> None:
        save(services)
        journal.begin_anew()

    def load_and_repeat() -> None:
        load()
        # It remembers how far streams were read, but begins them anew: all before the old place would be passed over.
        lambda_svc._dynamodb_stream_positions.clear()
        _drive(_repeat(plain_handler, journal.writes()))
        dynamodb.handle_request = journalled(plain_handler, journal)
        checkpoint = lambda: save_and_begin_anew(app._build_persistence_save_dict())  # noqa: E731
        # On the loop, so never in the middle of a request.
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, checkpoint)

    app._load_persisted_state = load_and_repeat
    app.save_all = save_and_begin_anew
    app.main()


async def _repeat(handler: Handler, writes: list[Mapping[str, str]]) -> None:
    for write in writes:
        await handler("POST", "/", {_TARGET: write["target"]}, write["body"].encode(), {})


def _drive(coroutine: Any) -> None:
    """Run a coroutine that never really waits, from within a running loop."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("a table request waited for something, expected it to be answered at once")


if __name__ == "__main__":
    main()
