"""What the money core writes and says, as text compared with a kept copy: a changed word is a changed promise."""

import os
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from surefill.protocol.transaction import Check, Key, Put, Transaction, Update

_GOLDEN = Path(__file__).parent / "golden"


def agrees(name: str, lines: Iterable[str]) -> None:
    """The lines are those kept under `name`. With SUREFILL_GOLDEN=write they are kept anew, to be read in the diff."""
    text = "\n".join(lines) + "\n"
    path = _GOLDEN / f"{name}.txt"
    if os.environ.get("SUREFILL_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text.splitlines() == path.read_text(encoding="utf-8").splitlines()


def shown(value: object) -> str:
    """A value without its type's noise."""
    return repr(value) if isinstance(value, tuple | dict) else str(value)


def transaction(one: Transaction) -> list[str]:
    """A transaction, line by line."""
    told = [f"== {one.name} [{one.token}]"]
    for write in one.writes:
        told += _write(write)
    return told


def update(name: str, one: Update) -> list[str]:
    """A single update, line by line."""
    return [f"== {name}", *_write(one)]


def _write(write: Put | Update | Check) -> list[str]:
    told = [f"{type(write).__name__} {_key(write.key)}"]
    if isinstance(write, Put):
        told[0] += f" ({write.name})"
        return told + [f"  {item.name} = {shown(getattr(write.row, item.name))}" for item in fields(write.row)]
    if isinstance(write, Update):
        told += [f"  set {name} = {shown(value)}" for name, value in sorted(write.set.items())]
        told += [f"  add {name} {shown(value)}" for name, value in sorted(write.add.items())]
    for guard in write.guards:
        missing = " or missing" if guard.or_missing else ""
        told.append(f"  guard {guard.name}: {guard.field} {guard.op} {shown(guard.value)}{missing}")
    return told


def _key(key: Key) -> str:
    return f"{key.row.__name__} {key.as_fields()}"


def events(told: Iterable[tuple[object, dict[str, Any]]]) -> list[str]:
    """What an observer was told, field by field."""
    return [
        f"{reason}: " + ", ".join(f"{name}={value!s}" for name, value in sorted(said.items())) for reason, said in told
    ]
