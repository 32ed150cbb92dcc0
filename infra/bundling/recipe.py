"""Recipes: what goes into a layer of third-party code."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.bundling.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A dependency group of the lock, cut down to what the functions use.

    Every package of the group is either shipped or left out for a written reason; a package that is neither, for
    instance a new transitive dependency, stops the build.
    """

    group: str
    ship: frozenset[str]
    leave_out: Mapping[str, str]
    remove: tuple[str, ...]
    prune_ccxt: bool
    max_mb: float

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Read a recipe file.

        Raises:
            BuildError: the file is missing or a key is missing or unknown.
        """
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise BuildError(f"layer {path.parent.name!r} has no recipe: {path} is missing") from error
        known = {"group", "ship", "leave_out", "remove", "prune_ccxt", "max_mb"}
        if unknown := set(content) - known:
            raise BuildError(f"{path}: keys must be among {sorted(known)}, was {sorted(unknown)}")
        try:
            return cls(
                group=content["group"],
                ship=frozenset(content["ship"]),
                leave_out=content.get("leave_out", {}),
                remove=tuple(content.get("remove", ())),
                prune_ccxt=content.get("prune_ccxt", False),
                max_mb=content["max_mb"],
            )
        except KeyError as error:
            raise BuildError(f"{path}: key {error} is missing") from error

    def select(self, requirements: str) -> str:
        """The requirements (with hashes) of the packages that ship.

        Raises:
            BuildError: a package is neither shipped nor left out, or a shipped one is not in the lock.
        """
        blocks = _blocks(requirements)
        undecided = sorted(set(blocks) - self.ship - set(self.leave_out))
        if undecided:
            raise BuildError(f"group {self.group!r}: say in the recipe whether {', '.join(undecided)} ships")
        if absent := sorted(self.ship - set(blocks)):
            raise BuildError(f"group {self.group!r} does not lock {', '.join(absent)}, which the recipe ships")
        return "".join(text for name, text in sorted(blocks.items()) if name in self.ship)


def _blocks(requirements: str) -> dict[str, str]:
    """Requirement lines with the hash lines that follow them, by package."""
    blocks: dict[str, str] = {}
    current = ""
    for line in requirements.splitlines(keepends=True):
        if match := _REQUIREMENT.match(line):
            current = match["name"].lower().replace("_", "-")
            blocks[current] = line
        elif line.strip() and current and not line.startswith("#"):
            blocks[current] += line
    return blocks
