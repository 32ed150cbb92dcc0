"""Take every protection out, one after the other, and say what was missed."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.protections.named import PROTECTIONS
from tests.protections.table import Finding, find

_REPORT = Path(__file__).resolve().parents[2] / "build" / "protections.json"


def run_all() -> list[Finding]:
    """Every protection."""
    return [find(protection) for protection in PROTECTIONS]


def summary(findings: Sequence[Finding]) -> dict[str, object]:
    """The figures, as `build/protections.json` keeps them."""
    return {
        "protections_total": len(findings),
        "protections_caught": sum(one.caught for one in findings),
        "protections": [
            {
                "name": one.protection.name,
                "why": one.protection.why,
                "caught": one.caught,
                "covered_by": [backing.name for backing in one.protection.backed_by],
                "law": one.violation.law if one.violation else None,
                "story": list(one.violation.story) if one.violation else [],
            }
            for one in findings
        ],
    }


def main(arguments: Sequence[str]) -> int:
    """Command line: `python -m tests.protections [--stories]`; exit code 1 when a protection is not missed."""
    findings = run_all()
    console = Console(width=170)
    table = Table(title="Protections taken out")
    for name in ("protection", "missed", "covered by", "law broken without it", "steps"):
        table.add_column(name)
    for one in findings:
        covered = ", ".join(backing.name for backing in one.protection.backed_by)
        law, steps = (one.violation.law[:70], str(len(one.violation.story))) if one.violation else ("", "")
        table.add_row(one.protection.name, "yes" if one.caught else "NO", covered, law, steps)
    console.print(table)
    if "--stories" in arguments:
        for one in findings:
            console.print(f"\nwithout {one.protection.name}: {one.violation}", markup=False, highlight=False)
    for one in findings:
        if not one.caught:
            console.print(f"\n{one.protection.name}: {one.shortfall}", markup=False, highlight=False)
    figures = summary(findings)
    console.print(
        f"protections_total {figures['protections_total']}, protections_caught {figures['protections_caught']}"
    )
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(figures["protections_total"] != figures["protections_caught"])
