"""``python -m infra.bundling``: build all layers and say how large they are."""

from __future__ import annotations

import argparse
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.bundling.build import LAYERS, Built, build_layer
from infra.bundling.errors import BuildError
from infra.bundling.target import Target

_REPOSITORY = Path(__file__).resolve().parents[2]
_TARGETS = {"aws": Target.aws, "local": Target.local}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.bundling", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="target", help="aws, local (both when left out)")
    parser.add_argument("--venues", default="binance", help="comma separated venues of the exchange layer")
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.targets) - set(_TARGETS)):
        parser.error(f"targets must be among {', '.join(_TARGETS)}, was {', '.join(unknown)}")
    console = Console()
    try:
        for name in chosen.targets or _TARGETS:
            console.print(_sizes(_TARGETS[name](), venues=tuple(chosen.venues.split(","))))
    except BuildError as error:
        console.print(f"[red]{error}[/red]", markup=True, highlight=False)
        return 1
    return 0


def _sizes(target: Target, *, venues: tuple[str, ...]) -> Table:
    table = Table(title=f"Layers for {target.name}")
    for column in ("layer", "modules", "unzipped MB", "zipped MB", "seconds"):
        table.add_column(column, justify="left" if column == "layer" else "right")
    total = 0
    for name in LAYERS:
        started = time.monotonic()
        built = build_layer(name, target=target, venues=venues, repository=_REPOSITORY)
        seconds = "cached" if built.was_cached else f"{time.monotonic() - started:.1f}"
        total += built.size
        modules = sum(1 for _ in built.folder.rglob("*.py"))
        table.add_row(name, str(modules), f"{built.size / 1e6:.1f}", f"{_zipped(built) / 1e6:.1f}", seconds)
    table.add_section()
    table.add_row("all", "", f"{total / 1e6:.1f}", "", "")
    return table


def _zipped(built: Built) -> int:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(built.folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(built.folder))
    return buffer.tell()


if __name__ == "__main__":
    sys.exit(main())
