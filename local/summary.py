"""The summary of a bounded run: what was done, what was left open, and which invariants hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.frame import recorded_legs
from local.invariants import INVARIANTS, Violation, check_all
from surefill.domain.kinds import Leg
from surefill.domain.states import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from local.driver import DriverReport
    from local.rows import Rows
    from surefill.domain.rows import Intent


def summarise(
    rows: Rows,
    *,
    report: DriverReport,
    evaluations: int,
    decisions: Mapping[str, int],
    seconds_to_first_decision: float | None,
    set_up_seconds: Mapping[str, float],
    seconds_of_ticking: float,
) -> dict[str, Any]:
    """All figures of a run; `violations` is 0 when all of I1 to I12 hold."""
    violations = check_all(rows)
    broken = {violation.invariant for violation in violations}
    legs = recorded_legs(rows.intents)
    return {
        "ticks": report.ticks,
        "evaluations": evaluations,
        "decisions": sum(decisions.values()),
        "decisions_by_reason": dict(sorted(decisions.items())),
        "entries_recorded": legs[Leg.ENTRY],
        "exits_recorded": legs[Leg.EXIT],
        "positions_closed": closed_positions(rows.intents),
        "unfinished_intents": sum(intent.state in UNFINISHED for intent in rows.intents),
        "invariants": {item.code: item.code not in broken for item in INVARIANTS},
        "violations": len(violations),
        "violation_details": [shown(violation) for violation in violations],
        "seconds_to_first_decision": _rounded(seconds_to_first_decision),
        "set_up_seconds": {name: round(seconds, 1) for name, seconds in set_up_seconds.items()},
        "seconds_of_ticking": round(seconds_of_ticking, 1),
        "late_ticks": report.late_ticks,
        "failed_invocations": dict(report.failures),
        "local_aws_restarts": report.restarts,
        "last_failures": list(report.last_failures),
        "realised": {budget.budget_id: f"{budget.realised:f}" for budget in rows.budgets},
    }


def closed_positions(intents: Sequence[Intent]) -> int:
    """How many entries have an exit that was recorded with fills."""
    entries = {intent.intent_id for intent in intents if intent.leg is Leg.ENTRY and intent.fills}
    closed = {
        intent.entry_intent_id
        for intent in intents
        if intent.leg is Leg.EXIT and intent.fills and intent.state not in UNFINISHED
    }
    return len(entries & closed)


def problems(summary: Mapping[str, Any]) -> list[str]:
    """Why the run must count as failed; empty when it did what it is for."""
    found = [
        f"{item['invariant']} violated by {item['subject']}: {item['text']}" for item in summary["violation_details"]
    ]
    if not summary["positions_closed"]:
        found.append(
            f"no position went from entry to record to exit ({summary['entries_recorded']} entries and "
            f"{summary['exits_recorded']} exits recorded in {summary['ticks']} ticks)"
        )
    return found


def write_summary(summary: Mapping[str, Any], path: Path) -> None:
    """Write the summary as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def shown(violation: Violation) -> dict[str, str]:
    """A violation as JSON."""
    return {"invariant": violation.invariant, "subject": violation.subject, "text": violation.text}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
