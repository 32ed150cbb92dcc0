"""Commands that are imported when they are called, so that the help and the completion of the others stay fast."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typer.main import Typer


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the help: the typer app `attribute` of `module`, or one command of it."""

    name: str
    help: str
    panel: str
    module: str
    attribute: str = "app"
    command: str | None = None

    def load(self) -> Any:
        """Import it. The group, or the command of it."""
        app: Typer = getattr(import_module(self.module), self.attribute)
        group = typer.main.get_group(app)
        loaded: Any = group if self.command is None else group.commands[self.command]
        loaded.help = loaded.help or self.help
        return loaded


class LazyCommand(TyperCommand):
    """Stands for a command or group in the help; becomes it when it is called or completed."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(name=entry.name, help=entry.help, rich_help_panel=entry.panel, rich_markup_mode="rich")
        self._entry = entry

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the real one, which then runs."""
        return self._entry.load().make_context(info_name, args, parent=parent, **extra)


def group_of(entries: Sequence[Entry]) -> type[TyperGroup]:
    """The class of a group of lazy commands, in this order."""

    class LazyGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands.update({entry.name: LazyCommand(entry) for entry in entries})

    return LazyGroup
