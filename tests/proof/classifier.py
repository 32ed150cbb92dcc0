"""Fuzz the outcome classifier: whatever a server answers to a post, nothing outside the allow-list is "rejected".

`python -m tests.proof.classifier [--bodies 20000] [--seed 1]`.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter

from hypothesis import HealthCheck, Phase, given, seed, settings
from rich.console import Console

from tests.unit.adapters.venues.helpers import Reply, request
from tests.unit.adapters.venues.test_outcome_property import account, bodies, check, network, statuses, wire

REPORT = Path(__file__).resolve().parents[2] / "build" / "classifier.json"


def fuzz(*, count: int, first_seed: int) -> tuple[Counter[str], str | None]:
    """Post against `count` drawn answers; the outcomes by kind, and the first wrong one in words."""
    outcomes: Counter[str] = Counter()

    @seed(first_seed)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(body=bodies, status=statuses)
    def one(body: str, status: int) -> None:
        network["reply"] = Reply(status=status, body=body)
        wire.requests.clear()
        outcome = account.post(request())
        outcomes[type(outcome).__name__] += 1
        check(outcome, body=body, status=status)
        assert len(wire.requests) == 1

    try:
        one()
    except Exception as error:
        return outcomes, f"{type(error).__name__}: {error} {' '.join(getattr(error, '__notes__', ()))}"
    return outcomes, None


def main(arguments: list[str] | None = None) -> int:
    """Command line; exit code 1 when an outcome claimed more than was proven."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.classifier", description=__doc__)
    parser.add_argument("--bodies", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    began = perf_counter()
    outcomes, wrong = fuzz(count=asked.bodies, first_seed=asked.seed)
    figures = {
        "classifier_bodies": outcomes.total(),
        "classifier_wrong": int(wrong is not None),
        "classifier_outcomes": dict(sorted(outcomes.items())),
        "story": wrong,
        "seconds": round(perf_counter() - began, 1),
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    Console(soft_wrap=True).print(wrong or f"{outcomes.total():,} answers: {dict(outcomes)}", markup=False)
    return int(wrong is not None)


if __name__ == "__main__":
    sys.exit(main())
