"""The journal of table writes: what was answered is in it, what a crash cut off was never answered."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from local.stage.durable_aws import WriteJournal, generation_of, journalled

PUT = "DynamoDB_20120810.PutItem"


def test_writes_are_there_after_a_crash_in_their_order(tmp_path: Path) -> None:
    journal = WriteJournal(tmp_path)
    journal.append(target=PUT, body=b'{"a": 1}')
    journal.append(target=PUT, body=b'{"a": 2}')
    assert [write["body"] for write in WriteJournal(tmp_path).writes()] == ['{"a": 1}', '{"a": 2}']


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    journal = WriteJournal(tmp_path)
    journal.append(target=PUT, body=b'{"a": 1}')
    with (tmp_path / "writes-0.jsonl").open("a") as file:
        file.write('{"target": "Dyn')
    assert len(WriteJournal(tmp_path).writes()) == 1


def test_a_checkpoint_begins_a_new_journal(tmp_path: Path) -> None:
    journal = WriteJournal(tmp_path)
    journal.append(target=PUT, body=b"{}")
    journal.begin_anew()
    assert generation_of(tmp_path) == 1
    assert journal.writes() == []
    journal.append(target=PUT, body=b'{"b": 1}')
    assert [write["body"] for write in WriteJournal(tmp_path).writes()] == ['{"b": 1}']


@pytest.mark.parametrize(
    ("status", "action", "kept"),
    [
        (200, "PutItem", True),
        (200, "TransactWriteItems", True),
        (200, "Query", False),
        (400, "PutItem", False),
    ],
)
def test_only_writes_that_succeeded_are_kept(tmp_path: Path, status: int, action: str, *, kept: bool) -> None:
    async def handler(*_: Any) -> tuple[int, dict[str, Any], Any]:
        return status, {}, b"{}"

    journal = WriteJournal(tmp_path)
    headers = {"x-amz-target": f"DynamoDB_20120810.{action}"}
    asyncio.run(_call(journalled(handler, journal), headers))
    assert bool(journal.writes()) is kept


async def _call(handler: Any, headers: dict[str, str]) -> None:
    await handler("POST", "/", headers, b"{}", {})
