"""Logs Insights queries kept beside the code: one file a query, one folder a group."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import aws_logs as logs
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.settings import Stage

FOLDER = Path(__file__).resolve().parent.parent / "saved_queries"
_SUFFIXES = frozenset({".txt", ".sql"})
_LANGUAGES = {".txt": "CWLI", ".sql": "SQL"}


def query_files(folder: Path = FOLDER) -> Mapping[str, Sequence[Path]]:
    """Query files by group, in a stable order."""
    groups = sorted(path for path in folder.iterdir() if path.is_dir())
    return {group.name: sorted(path for path in group.iterdir() if path.suffix in _SUFFIXES) for group in groups}


def query_text(name: str, *, folder: Path = FOLDER) -> str:
    """The commands of a query by its name, e.g. ``orders/refused``, without its comment."""
    lines = (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


class SavedQueries(Construct):
    """Publishes every file as the query ``Surefill/<stage>/<folder>/<file>``.

    ``.txt`` files are written in the Logs Insights language, ``.sql`` files in SQL.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, log_groups: Sequence[str], folder: Path = FOLDER
    ) -> None:
        super().__init__(scope, construct_id)
        for group, files in query_files(folder).items():
            for path in files:
                logs.CfnQueryDefinition(
                    self,
                    f"{group}-{path.stem}",
                    name=f"Surefill/{stage.name}/{group}/{path.stem}",
                    query_string=path.read_text(encoding="utf-8").strip(),
                    query_language=_LANGUAGES[path.suffix],
                    # In SQL the log groups are named in the FROM clause.
                    log_group_names=list(log_groups) if path.suffix == ".txt" else None,
                )
