"""The tables of a model: immutable, numbered, and changed only by what the product's transactions say.

Guards are judged by the product's own code (`adapters.writes.unmet`, which asks `protocol.transaction.holds`), changes
made by the in-memory store's. A weakened table leaves out guards by name: that is how a protection is taken out.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from surefill.adapters.memory.changes import changed
from surefill.adapters.writes import failed_guards, require_sense, unmet
from surefill.domain.rows import Bot, Intent, LedgerEntry, Row, Slot
from surefill.protocol.transaction import Check, FailedGuard, Key, Put, Update, Write, key_of
from tests.model.frame import START

Contents = dict[Key, int]


def _plain(row: Row) -> Row:
    """The row without the times nobody decides on: they would only multiply equal states."""
    if isinstance(row, Intent) and row.finished_at is not None:
        return replace(row, finished_at=START)
    if isinstance(row, Slot):
        return replace(row, idle_since=None, opened_at=None if row.opened_at is None else START)
    if isinstance(row, LedgerEntry):
        return replace(row, at=START)
    return row


def _identity(row: Row) -> Hashable:
    return ("bot", row.bot_id, row.state) if isinstance(row, Bot) else row


@dataclass(slots=True)
class Tables:
    """All contents that were ever reached. A content is a number; so is a row."""

    without: frozenset[str] = frozenset()
    rows: list[Row] = field(default_factory=list)
    contents: list[Contents] = field(default_factory=list)
    _row_ids: dict[Hashable, int] = field(default_factory=dict)
    _content_ids: dict[frozenset[int], int] = field(default_factory=dict)

    def start(self, rows: Iterable[Row]) -> int:
        """The content that holds these rows."""
        return self._content({key_of(row): self._row(row) for row in rows})

    def get(self, content: int, key: Key) -> Row | None:
        """The row stored under a key."""
        number = self.contents[content].get(key)
        return None if number is None else self.rows[number]

    def number_of(self, content: int, key: Key) -> int | None:
        """Number of the row stored under a key."""
        return self.contents[content].get(key)

    def all(self, content: int, kind: type[Any]) -> list[Any]:
        """Every row of a class, by key."""
        found = [(key.values, self.rows[number]) for key, number in self.contents[content].items() if key.row is kind]
        return [row for _, row in sorted(found, key=lambda one: one[0])]

    def apply(self, content: int, writes: Sequence[Write]) -> tuple[int, tuple[FailedGuard, ...]]:
        """The content after all writes, or the guards that refused them and the content as it was."""
        failed: list[FailedGuard] = []
        made: Contents = {}
        for write in writes:
            require_sense(write)
            row = self.get(content, write.key)
            weak = self._weaken(write)
            if weak is None:
                continue
            if unmet(weak, row) and not (isinstance(weak, Put) and weak.name in self.without):
                failed += failed_guards(weak, row)
            elif isinstance(weak, Put):
                made[weak.key] = self._row(weak.row)
            elif isinstance(weak, Update):
                made[weak.key] = self._row(changed(weak, row))
        if failed:
            return content, tuple(failed)
        return self._content({**self.contents[content], **made}), ()

    def _weaken(self, write: Write) -> Write | None:
        if isinstance(write, Put) or not self.without:
            return write
        kept = tuple(guard for guard in write.guards if guard.name not in self.without)
        return None if isinstance(write, Check) and not kept else replace(write, guards=kept)

    def _row(self, row: Row) -> int:
        row = _plain(row)
        identity = _identity(row)
        number = self._row_ids.get(identity)
        if number is None:
            number = self._row_ids[identity] = len(self.rows)
            self.rows.append(row)
        return number

    def _content(self, content: Contents) -> int:
        # The key of a row follows from the row, so the set of row numbers is the whole content.
        identity = frozenset(content.values())
        number = self._content_ids.get(identity)
        if number is None:
            number = self._content_ids[identity] = len(self.contents)
            self.contents.append(content)
        return number
